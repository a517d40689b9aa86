"""A standby takes over: PostgreSQL is promoted, the store begins a new epoch, the ledger is asked.

What a backup's restore does at its end is done here for the same reasons: the replica may lack the
last moments, so doors are told everything anew, and whoever was erased in them is asked for.
"""

import logging
from datetime import timedelta
from typing import Final

from sqlalchemy import Engine, delete, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.doors.tables import Door
from community_server.errors import LetterRefused, StartRefused
from community_server.instance_lock import InstanceLock
from community_server.keys.root import root_key
from community_server.ledger.service import begin_wait
from community_server.settings import Settings
from community_server.staff.tables import StaffSession, StaffTicket
from community_server.standby.asking import fetch_epoch
from community_server.standby.keeping import check_keys, in_recovery
from community_server.standby.notes import StandsBy, drop_note, find_note
from community_server.standby.queries import find_standby
from community_server.vault.erasure_key import ErasureKeys, open_erasure_keys
from community_server.vault.master_key import choose_source
from community_server.vault.safe import Safe
from tier_link.store import LinkStore, bring_up_to_date, open_database, reading
from tier_link.store.tables import LinkPairingCode

_log = logging.getLogger(__name__)

PROMOTION_S: Final = 60
"""Seconds for PostgreSQL to end its recovery: it replays what it has received first."""


def promote(settings: Settings, *, insist: bool = False) -> None:
    """Let PostgreSQL here end its recovery; the server takes over as soon as it has.

    `insist`: also while the server in service still answers.

    Raises:
        StartRefused: `not-a-standby`, `still-serving`, `standby-keys-missing`, `promotion-refused`.
    """
    note = standing_by(settings)
    keys = open_vault(settings)
    engine = open_database(settings.database_url)
    try:
        check_keys(engine, keys)
        if not in_recovery(engine):
            return
        if not insist and _still_serves(note, keys, engine):
            raise StartRefused(
                f"the server at {note.serving_address} is in service; stop it first, for good, or "
                "say --although-it-serves: it stops by itself once it finds this one",
                code="still-serving",
            )
        _end_recovery(engine)
    finally:
        engine.dispose()


def take_over(settings: Settings) -> None:
    """Make the promoted replica this server's own; nothing where this is no standby.

    If the power fails, it is done again at the next start.

    Raises:
        StartRefused: it is a replica still, another server runs here, or keys are missing.
    """
    note = find_note(settings.data, StandsBy)
    if note is None:
        return
    lock = InstanceLock(settings.data)
    engine = open_database(settings.database_url)
    try:
        lock.take_database(engine)
        keys = open_vault(settings)
        check_keys(engine, keys)
        bring_up_to_date(engine, "community")
        epoch = LinkStore(engine, keep_acknowledged=timedelta(0)).renew_epoch()
        with Session(engine) as session, session.begin():
            _begin(session, note)
        drop_note(settings.data, StandsBy)
        _log.warning("promoted=yes epoch=%d before=%s", epoch, note.serving_address)
    finally:
        engine.dispose()
        lock.release()


def standing_by(settings: Settings) -> StandsBy:
    """Return what was noted when this standby was admitted.

    Raises:
        StartRefused: `not-a-standby`.
    """
    note = find_note(settings.data, StandsBy)
    if note is None:
        raise StartRefused(
            f"{settings.data} is no standby's; `gatehouse server standby` makes it one",
            code="not-a-standby",
        )
    return note


def open_vault(settings: Settings) -> ErasureKeys:
    """Open the vault that is here already.

    Raises:
        StartRefused: `no-data`, or the master key is missing.
    """
    vault = settings.data / "vault"
    if not (vault / "erasure.key").exists():
        raise StartRefused(f"there is no server's data in {settings.data}", code="no-data")
    return open_erasure_keys(vault / "erasure.key", choose_source(settings.master_key, vault))


def _begin(session: Session, note: StandsBy) -> None:
    begin_wait(session, ())
    session.execute(update(Door).where(Door.state == "paired").values(spaces_told=""))
    for lapsed in (LinkPairingCode, StaffSession, StaffTicket):
        # Used up or signed out in the moments that are missing, they would come back.
        session.execute(delete(lapsed))
    row = find_standby(session)
    if row is not None:
        row.node, row.serving_address, row.address = "", note.address, note.serving_address
    audit(session, "", "promoted")


def _still_serves(note: StandsBy, keys: ErasureKeys, engine: Engine) -> bool:
    with Session(reading(engine)) as session:
        root = root_key(session, Safe(keys)).public_key()
    try:
        return fetch_epoch(note.serving_address, root).serving
    except LetterRefused as refused:
        _log.info("before=%s answer=none reason=%s", note.serving_address, refused.code)
        return False


def _end_recovery(engine: Engine) -> None:
    promotion = text("SELECT pg_promote(true, :seconds)").bindparams(seconds=PROMOTION_S)
    try:
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            done = connection.scalar(promotion)
    except DBAPIError as error:
        raise StartRefused(
            "PostgreSQL does not let this user promote it: run `pg_ctl promote` as PostgreSQL's "
            "own user; this server takes over by itself then",
            code="promotion-refused",
        ) from error
    if not done:
        raise StartRefused(
            f"PostgreSQL has not ended its recovery within {PROMOTION_S} seconds; see its log",
            code="promotion-refused",
        )
