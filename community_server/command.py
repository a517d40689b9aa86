"""`gatehouse server …`: run the estate's own server."""

import logging
import os
import signal
import sys
import time
from datetime import UTC, datetime
from typing import IO

import click
import cv2

from community_server.audit.verification import Noted, verify_log
from community_server.backups.commands import backup, restore_backup, test_restore
from community_server.errors import ServerError
from community_server.estate import open_estate
from community_server.running import run_server
from community_server.settings import Settings
from community_server.setup.code import SetupCode
from community_server.standby.commands import dismiss_standby, promote_standby, standby
from community_server.standby.notes import Superseded, drop_note
from community_server.vault.commands import change_master_key
from face_engine.errors import FaceEngineError
from tier_kit.process_memory import guard_process
from tier_kit.settings import ConfigurationRefused
from tier_link.errors import LinkError


@click.group()
def server() -> None:
    """The estate's own server (tier 2)."""
    guard_process()


for one in (backup, restore_backup, test_restore, change_master_key):
    server.add_command(one)
for one in (standby, promote_standby, dismiss_standby):
    server.add_command(one)


@server.command()
@click.option("--host", help="Address to listen on; default: all.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
def run(host: str | None, port: int | None) -> None:
    """Run the server until it is told to stop."""
    _start_logging()
    # Whatever this process writes is for its own user.
    os.umask(0o077)
    # The web server handles signals once it runs; until then the process simply ends.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # One frame at a time is decoded per request; the encoder has its own threads.
    cv2.setNumThreads(1)
    try:
        run_server(Settings.read(host=host, port=port))
    except (ServerError, ConfigurationRefused, FaceEngineError, LinkError) as error:
        raise click.ClickException(f"{error} [{error.code}]") from error


@server.command()
def restored() -> None:
    """Begin a new epoch after the database came back from a copy made by hand, before `run`.

    `restore` does so by itself. Doors and cloud know records that such a database has lost;
    without this they refuse its links. Where this server found that another has taken over, it
    is the one in service again.
    """
    try:
        settings = Settings.read()
        estate = open_estate(settings)
        try:
            drop_note(settings.data, Superseded)
            click.echo(f"The server is in epoch {estate.links.renew_epoch()}.")
        finally:
            estate.close()
    except (ServerError, ConfigurationRefused, FaceEngineError, LinkError) as error:
        raise click.ClickException(f"{error} [{error.code}]") from error


@server.command("verify-audit")
@click.option("--count", type=click.IntRange(1), help="How many rows an earlier verdict counted …")
@click.option("--head", default="", help="… and the head that it named, written down elsewhere.")
@click.option("--copy", type=click.File(), help="The cloud's: `gatehouse cloud audit-head` there.")
def verify_audit(count: int | None, head: str, copy: IO[str] | None) -> None:
    """Say whether the audit log is whole; the server may go on running meanwhile."""
    try:
        noted = Noted(count, bytes.fromhex(head)) if count else None
        if copy is not None:
            noted = Noted.read(copy.read())
        verdict = verify_log(Settings.read(), noted)
    except ValueError as error:
        raise click.ClickException(
            "--head takes the 64 hex digits of an earlier verdict, --copy what the cloud printed"
        ) from error
    except (ServerError, ConfigurationRefused, LinkError) as error:
        raise click.ClickException(f"{error} [{error.code}]") from error
    for fault in verdict.faults:
        click.echo(fault)
    if verdict.faults:
        raise click.ClickException("The audit log is not whole.")
    if verdict.start:
        first, until = verdict.start.count + 1, datetime.fromtimestamp(verdict.start.until, UTC)
        click.echo(
            f"The audit log is whole from row {first} to {verdict.count}; the rows before, the "
            f"newest of {until.date()}, were forgotten by the schedule, which is signed."
        )
    else:
        click.echo(f"The audit log is whole: {verdict.count} rows.")
    if verdict.signed:
        click.echo(f"The head of its first {verdict.signed.count} rows is signed.")
    click.echo(
        f"To compare later, keep elsewhere: --count {verdict.count} --head {verdict.head.hex()}"
    )


@server.command("setup-code")
def show_setup_code() -> None:
    """Show the code that first-run set-up asks for."""
    try:
        code = SetupCode(Settings.read().data)
    except ConfigurationRefused as error:
        raise click.ClickException(f"{error} [{error.code}]") from error
    if not code.path.exists():
        raise click.ClickException(
            "There is no set-up code: the server was set up already, or has never run."
        )
    click.echo(code.ensure())


def _start_logging() -> None:
    logging.Formatter.converter = time.gmtime
    logging.basicConfig(
        level=logging.INFO,
        stream=sys.stderr,
        format="%(asctime)s.%(msecs)03dZ %(levelname)s %(name)s %(message)s",
        datefmt="%Y-%m-%dT%H:%M:%S",
    )
    # A line per request says nothing that is not said better where it is made.
    logging.getLogger("httpx").setLevel(logging.WARNING)
