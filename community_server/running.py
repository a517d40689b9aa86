"""Running a server: standing by for as long as it has to, serving, and stopping where it must."""

import asyncio
import logging
import sys
import time
from typing import Final

import click
from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError

from community_server.errors import LetterRefused, StartRefused
from community_server.estate import Estate, open_estate, write_public
from community_server.keys.authority import own_names
from community_server.serving import Announcing, Listener, configure, listen, serve
from community_server.settings import Settings
from community_server.standby.keeping import FETCH_EVERY, KeyKeeper, in_recovery
from community_server.standby.notes import Superseded, find_note
from community_server.standby.opened import Opened, opened
from community_server.standby.promotion import standing_by, take_over
from community_server.standby.waiting import WaitingRoom
from community_server.vault.safe import SafeBroken
from tier_kit.tracing import start_tracing, stop_tracing
from tier_link.store import open_database

_log = logging.getLogger(__name__)

LOOK_EVERY: Final = 0.5
"""Seconds between two looks at whether PostgreSQL was promoted."""
_THIS_MACHINE: Final = {"localhost", "127.0.0.1", "::1"}


def run_server(settings: Settings) -> None:
    """Run until told to stop.

    Raises:
        ServerError, FaceEngineError, LinkError: it cannot start.
    """
    start_tracing(settings.traces, "server")
    try:
        _run(settings)
    finally:
        stop_tracing()


def _run(settings: Settings) -> None:
    if find_note(settings.data, Superseded):
        _say_superseded(settings)
        return
    listener = None
    if _is_replica(settings):
        listener = _stand_by(settings)
        if listener is None:
            return
    take_over(settings)
    _serve(settings, listener)
    if find_note(settings.data, Superseded):
        _say_superseded(settings)


def _serve(settings: Settings, listener: Listener | None) -> None:
    estate = open_estate(settings)
    try:
        if estate.rivals.ask():
            return
        listener = listener or listen(settings.host, settings.port)
        _tell_setup_code(estate, listener)
        serve(estate, listener)
    finally:
        estate.close()


def _is_replica(settings: Settings) -> bool:
    if not make_url(settings.database_url).drivername.startswith("postgresql"):
        return False
    engine = open_database(settings.database_url)
    try:
        return in_recovery(engine)
    finally:
        engine.dispose()


def _stand_by(settings: Settings) -> Listener | None:
    """Keep the keys until PostgreSQL is promoted; return the socket, None where told to stop."""
    note = standing_by(settings)
    promoted = False
    with opened(settings) as here:
        keeper = KeyKeeper(note, here.keys, here.engine)

        async def wait() -> None:
            nonlocal promoted
            due = 0.0
            while not promoted:
                if time.monotonic() >= due:
                    due = time.monotonic() + FETCH_EVERY
                    await asyncio.to_thread(_keep, keeper)
                await asyncio.sleep(LOOK_EVERY)
                promoted = await asyncio.to_thread(_is_promoted, here)
            server.stop()

        listener = listen(settings.host, settings.port)
        write_public(settings, here.authority)
        app = WaitingRoom(here, "standby", wait).app()
        config = configure(app, settings, here.authority)
        server = Announcing(config, settings.data, f"standing-by {listener.url}", _nothing)
        # The socket outlives this application, so that doors that come meanwhile wait in line.
        server.run(sockets=[listener.socket.dup()])
    if not promoted:
        listener.socket.close()
    return listener if promoted else None


def _say_superseded(settings: Settings) -> None:
    """Say in plain words, for as long as it runs, that another server has taken over."""
    note = find_note(settings.data, Superseded)
    where = f" at {note.address}" if note is not None and note.address else ""
    sentence = (
        f"another server of this estate has taken over{where}, and this one is out of date: it does"
        " not serve. Make it the other's standby (docs/operations.md, A second server), or where it"
        " is the right one after all, run `gatehouse server restored`"
    )
    _log.critical("superseded=yes serving=no %s", sentence)
    try:
        with opened(settings) as here:
            listener = listen(settings.host, settings.port)
            config = configure(WaitingRoom(here, "superseded").app(), settings, here.authority)
            Announcing(config, settings.data, f"superseded {listener.url}", _nothing).run(
                sockets=[listener.socket]
            )
    except SQLAlchemyError as error:
        raise StartRefused(sentence, code="superseded") from error


def _keep(keeper: KeyKeeper) -> None:
    try:
        keeper.step()
    except LetterRefused as refused:
        _log.warning("standby keys=not-fetched reason=%s %s", refused.code, refused)
    except SafeBroken as error:
        _log.critical("standby keys=unfit %s; run `gatehouse server standby` again", error)
    except Exception:  # noqa: BLE001 -- logged, and tried again
        _log.exception("standby keys=not-fetched action=retry")


def _is_promoted(here: Opened) -> bool:
    try:
        return not in_recovery(here.engine)
    except SQLAlchemyError as error:
        _log.warning("standby database=away type=%s", type(error).__name__)
        return False


def _tell_setup_code(estate: Estate, listener: Listener) -> None:
    if not estate.setup_code.path.exists():
        return
    settings, port = estate.settings, listener.socket.getsockname()[1]
    names = own_names(settings.host, settings.names)
    reached = [name for name in names if name not in _THIS_MACHINE] or ["localhost"]
    addresses = " or ".join(
        f"https://{f'[{name}]' if ':' in name else name}:{port}" for name in reached
    )
    click.echo(
        f"This server is not set up yet. Open {addresses} in a browser on this "
        f"network and enter the set-up code {estate.setup_code.ensure()}",
        file=sys.stderr,
    )


def _nothing() -> None:
    """Have nothing to end."""
