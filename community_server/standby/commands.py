"""`gatehouse server standby` and `promote`."""

import secrets
import time
from typing import Final

import click
import msgspec
from sqlalchemy.orm import Session

from community_server.backups.commands import ask_kit, said
from community_server.errors import StartRefused
from community_server.instance_lock import InstanceLock
from community_server.settings import Settings
from community_server.standby.asking import fetch_keys
from community_server.standby.keeping import check_keys, in_recovery
from community_server.standby.notes import StandsBy, Superseded, drop_note, find_note, keep_note
from community_server.standby.promotion import open_vault, promote, take_over
from community_server.standby.queries import dismiss
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import choose_source
from tier_link.estate_messages import ServerAddress
from tier_link.store import open_database

NODE_BYTES: Final = 16
TAKEOVER_S: Final = 120.0
"""Seconds for a small, busy machine to begin."""
LOOK_EVERY: Final = 0.1


@click.command("standby")
@click.option("--primary", required=True, help="The server in service: https://host:8443")
@click.option("--address", required=True, help="This one, as doors reach it: https://host:8443")
def standby(primary: str, address: str) -> None:
    """Make this server the standby of the one in service; asks for the recovery kit.

    Its database is a replica by now. What the vault here held before is replaced.
    """
    with said():
        note = StandsBy(secrets.token_hex(NODE_BYTES), _address(primary), _address(address))
        settings = Settings.read()
        _admit(settings, note)
    click.echo(f"This server stands by for {note.serving_address}. Run it: gatehouse server run")


@click.command("promote")
@click.option("--although-it-serves", is_flag=True, help="Also while the other server answers.")
def promote_standby(*, although_it_serves: bool) -> None:
    """Put this standby into service, in place of a server that is lost."""
    with said():
        settings = Settings.read()
        promote(settings, insist=although_it_serves)
        running = _is_running(settings)
        if running:
            _await_takeover(settings)
        else:
            take_over(settings)
    click.echo(
        "Promoted, and in service here: doors and cloud find it by themselves."
        if running
        else "Promoted. Now start it: gatehouse server run"
    )


@click.command("dismiss-standby")
def dismiss_standby() -> None:
    """Let go of a standby that is gone for good; the server in service may go on running."""
    with said():
        settings = Settings.read()
        open_vault(settings)
        engine = open_database(settings.database_url)
        try:
            with Session(engine) as session, session.begin():
                dismiss(session)
        finally:
            engine.dispose()
    click.echo("Nobody stands by any more. Wipe the disk of the machine that did.")


def _admit(settings: Settings, note: StandsBy) -> None:
    lock = InstanceLock(settings.data)
    engine = open_database(settings.database_url)
    try:
        if not in_recovery(engine):
            raise StartRefused(
                "this database is no replica: make it one of the other server's by pg_basebackup",
                code="not-a-replica",
            )
        ring = fetch_keys(note, ask_kit().root, (), 0, admit=True)
        file = settings.data / "vault" / "erasure.key"
        file.unlink(missing_ok=True)
        source = choose_source(settings.master_key, file.parent)
        keys = open_erasure_keys(file, source, estate=ring.estate)
        keys.replace(dict(ring.keys), ring.upcoming)
        check_keys(engine, keys)
        keep_note(settings.data, note)
        drop_note(settings.data, Superseded)
    finally:
        engine.dispose()
        lock.release()


def _is_running(settings: Settings) -> bool:
    try:
        InstanceLock(settings.data).release()
    except StartRefused:
        return True
    return find_note(settings.data, StandsBy) is None


def _await_takeover(settings: Settings) -> None:
    end = time.monotonic() + TAKEOVER_S
    while find_note(settings.data, StandsBy) is not None:
        if time.monotonic() > end:
            raise StartRefused(
                "PostgreSQL is promoted, and the server that runs here has not taken over: see its "
                "log, or start it anew",
                code="takeover-awaited",
            )
        time.sleep(LOOK_EVERY)


def _address(text: str) -> str:
    try:
        return msgspec.convert(text.rstrip("/"), ServerAddress)
    except msgspec.ValidationError as error:
        raise StartRefused(
            f"'{text}' is not an address like https://server:8443", code="address-unusable"
        ) from error
