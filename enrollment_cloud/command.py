"""`gatehouse cloud …`: run the cloud, pair communities, list and revoke them."""

import json
import logging
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click
import uvicorn
from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from enrollment_cloud.app import create_app
from enrollment_cloud.clock import unix_now
from enrollment_cloud.communities.audit import find_audit_head
from enrollment_cloud.communities.service import (
    create_community,
    find_community,
    revoke_community,
)
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.database import Database, open_cloud_database
from enrollment_cloud.operators.command import add_commands
from enrollment_cloud.operators.overview import state_of
from enrollment_cloud.operators.service import give_to_group
from enrollment_cloud.operators.tables import PropertyGroup
from enrollment_cloud.settings import Settings
from tier_kit.forms.errors import FormRefused
from tier_kit.process_memory import guard_process
from tier_kit.settings import ConfigurationRefused
from tier_link.errors import LinkError
from tier_link.messages import MAX_FRAME
from tier_link.store import LinkStore, PairingCodes

PING_SECONDS: Final = 10.0
"""A community whose line was cut is noticed after two of these."""

STOP_SECONDS: Final = 3
"""Links last for ever; an upload under way gets this long to end."""

_LOG_FORMAT: Final = "time=%(asctime)s level=%(levelname)s from=%(name)s %(message)s"


@click.group()
def cloud() -> None:
    """The public forms and the relay (tier 1)."""
    guard_process()


@cloud.command()
@click.option("--host", help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0 takes a free one.")
@click.option("--tls-certificate", type=click.Path(path_type=Path), help="PEM chain.")
@click.option("--tls-key", type=click.Path(path_type=Path), help="PEM private key.")
def run(
    host: str | None, port: int | None, tls_certificate: Path | None, tls_key: Path | None
) -> None:
    """Serve until stopped; prints `ready <address>` once requests are answered."""
    settings = _settings(host=host, port=port, tls_certificate=tls_certificate, tls_key=tls_key)
    logging.basicConfig(level=logging.INFO, format=_LOG_FORMAT)
    # Uvicorn names the address of everybody who opens a WebSocket, and Alembic is talkative.
    for talkative in ("uvicorn.error", "alembic"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    with _explained():
        app = create_app(settings)
    # Being asked to stop is no failure; uvicorn raises the signal again once it has stopped.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    listening = _listen(settings)
    address = _address(settings, listening)
    _Server(
        uvicorn.Config(
            app,
            access_log=False,  # it would keep addresses and ids
            log_config=None,
            server_header=False,
            forwarded_allow_ips=settings.trusted_proxies,
            ws="websockets-sansio",
            ws_max_size=MAX_FRAME,
            ws_ping_interval=PING_SECONDS,
            ws_ping_timeout=PING_SECONDS,
            ws_per_message_deflate=False,  # sealed bytes do not compress
            timeout_graceful_shutdown=STOP_SECONDS,
            ssl_certfile=settings.tls_certificate,
            ssl_keyfile=settings.tls_key,
        ),
        ready=f"ready {address}",
    ).run(sockets=[listening])


@cloud.command()
@click.argument("name")
@click.option("--again", is_flag=True, help="NAME is the id of a community to pair anew.")
@click.option("--group", help="Id of the property group that a new community belongs to.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def pair(
    name: str,
    again: bool,  # noqa: FBT001  # click passes by name
    group: str | None,
    as_json: bool,  # noqa: FBT001  # click passes by name
) -> None:
    """Register the community NAME and print the code that its server pairs with."""
    database = _database()
    with database.write.begin() as session:
        community = _registered(session, name, group, again=again)
        issued = PairingCodes(database.engine).issue(session, role="server", subject=community.id)
        facts = {
            "community": community.id,
            "name": community.name,
            "code": issued.code,
            "expires_at": issued.expires_at,
        }
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False))
        return
    click.echo(f"Community:    {facts['community']}  ({facts['name']})")
    click.echo(f"Pairing code: {facts['code']}")
    click.echo("Enter the code in the community server's console within 10 minutes.")


@cloud.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def communities(as_json: bool) -> None:  # noqa: FBT001  # click passes by name
    """List the communities and whether they have paired."""
    with _database().read() as session:
        rows = [_facts(row) for row in session.scalars(select(Community).order_by(Community.id))]
    if as_json:
        click.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        click.echo(f"{row['community']:40} {row['state']:10} {row['name']}")


@cloud.command()
@click.argument("community")
def revoke(community: str) -> None:
    """Close COMMUNITY's link and pages here, for good."""
    with _database().write.begin() as session:
        try:
            revoke_community(session, community, unix_now())
        except FormRefused as error:
            raise click.ClickException(f"no community '{community}'") from error
    click.echo(f"{community} is revoked.")


@cloud.command("audit-head")
@click.argument("community")
def show_audit_head(community: str) -> None:
    """Print the copy of where COMMUNITY's audit log ends, for `server verify-audit --copy`."""
    database = _database()
    with database.read() as session:
        known = find_audit_head(session, community)
    database.engine.dispose()
    if known is None:
        raise click.ClickException(f"nothing is known of an audit log of '{community}'")
    facts = {"count": known.count, "head": known.head.hex(), "signed_at": known.signed_at}
    click.echo(json.dumps(facts | {"signature": known.signature.hex()}))


@cloud.command()
def restored() -> None:
    """Begin a new epoch after the database came back from a backup, before `run`.

    Communities know records that such a database has lost; without this they refuse its links.
    """
    store = LinkStore(_database().engine, keep_acknowledged=timedelta(0))
    click.echo(f"The cloud is in epoch {store.renew_epoch()}.")


class _Server(uvicorn.Server):
    """Uvicorn that says on standard output when it serves."""

    def __init__(self, config: uvicorn.Config, *, ready: str) -> None:
        super().__init__(config)
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            click.echo(self._ready)


def _settings(**given: Any) -> Settings:
    try:
        return Settings.read(**given)
    except ConfigurationRefused as error:
        raise click.ClickException(f"{error} [{error.code}]") from error


def _database() -> Database:
    settings = _settings()
    with _explained():
        return open_cloud_database(settings)


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what an operator can mend into a sentence."""
    try:
        yield
    except LinkError as error:
        raise click.ClickException(str(error)) from error
    except ConfigurationRefused as error:
        raise click.ClickException(f"{error} [{error.code}]") from error
    except SQLAlchemyError as error:
        # The driver's own words: SQLAlchemy's would repeat the statement.
        reason = getattr(error, "orig", None) or type(error).__name__
        raise click.ClickException(f"the database cannot be used: {reason}") from error


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((settings.host, settings.port))
    except OSError as error:
        listening.close()
        raise click.ClickException(
            f"cannot listen on {settings.host}, port {settings.port}: {error.strerror}"
        ) from error
    return listening


def _address(settings: Settings, listening: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"{'https' if settings.https else 'http'}://{host}:{listening.getsockname()[1]}"


def _registered(session: Session, name: str, group: str | None, *, again: bool) -> Community:
    if group is not None and session.get(PropertyGroup, group) is None:
        raise click.ClickException(f"no property group '{group}'")
    try:
        if again:
            return find_community(session, name)
        community = create_community(session, name, unix_now())
    except FormRefused as error:
        raise click.ClickException(
            f"no community '{name}'" if again else "a name has 1 to 100 characters"
        ) from error
    session.flush()
    give_to_group(session, community.id, group)
    return community


def _facts(row: Community) -> dict[str, str]:
    return {"community": row.id, "name": row.name, "state": state_of(row)}


add_commands(cloud, _database)
