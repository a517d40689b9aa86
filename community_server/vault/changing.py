"""Changing the master key: what it wrapped is wrapped anew, and the key before opens nothing."""

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.backups.restoring import refuse_unfinished
from community_server.change import eraser
from community_server.errors import StartRefused
from community_server.instance_lock import InstanceLock
from community_server.settings import Settings
from community_server.standby.notes import StandsBy, find_note
from community_server.vault.erasure_key import ErasureKeys, open_erasure_keys
from community_server.vault.master_key import MasterKeySource, choose_source
from community_server.vault.safe import Safe
from tier_link.store import bring_up_to_date, open_database


def change_key(engine: Engine, keys: ErasureKeys, target: MasterKeySource) -> None:
    """Wrap the vault by a key that `target` draws.

    Data keys get a new erasure key first: whoever has the master key of before and a copy of what
    it wrapped holds the erasure keys of that time, and none of those opens anything afterwards. A
    power cut leaves the vault whole, under one key or the other.
    """
    safe = Safe(keys)
    safe.begin_renewal(afresh=True)
    with Session(engine) as session, session.begin():
        safe.rewrap(session)
    keys.hand_over(target.draw())
    target.settle()
    # The key of what waits for doors is renewed with the next erasure key, which is due by the age
    # of this one: without that the change would put it off.
    safe.renew_soon()
    eraser(engine).erase()


def change_in(settings: Settings, target: MasterKeySource) -> None:
    """Change the master key of the server whose settings these are; it must not be running.

    Raises:
        StartRefused: it runs, has no data, was being restored, or a key is missing.
        VaultLocked: the key that `master_key` names now does not open the vault.
    """
    vault = settings.data / "vault"
    if not (vault / "erasure.key").exists():
        raise StartRefused(f"there is no server's data in {settings.data}", code="no-data")
    lock = InstanceLock(settings.data)
    try:
        refuse_unfinished(settings.data)
        if find_note(settings.data, StandsBy):
            raise StartRefused(
                "this server stands by: `gatehouse server standby` gives it a master key anew",
                code="stands-by",
            )
        keys = open_erasure_keys(vault / "erasure.key", choose_source(settings.master_key, vault))
        engine = open_database(settings.database_url)
        try:
            lock.take_database(engine)
            bring_up_to_date(engine, "community")
            change_key(engine, keys, target)
            with Session(engine) as session, session.begin():
                audit(session, "", "change-master-key")
        finally:
            engine.dispose()
    finally:
        lock.release()
