"""A second server: does it stand by, has it taken over, does the one in service hear of it?"""

import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from gatehouse.database_findings import WAIT_S
from gatehouse.finding import Finding, found
from gatehouse.installation import Installed

SILENT_S: Final = 300
"""Seconds: twenty times as long as a standby takes from one letter to the next."""
BEHIND_S: Final = 120
_IN_RECOVERY: Final = "SELECT pg_is_in_recovery()"
_STANDBY: Final = "SELECT address, heard_at, behind_s FROM standby WHERE node <> ''"


def standby_findings(tiers: list[Installed]) -> Iterator[Finding]:
    """Look at the notes in a server's data folder, and at what its database says of a standby."""
    for one in tiers:
        if one.tier == "server":
            yield from _look(one)


def _look(one: Installed) -> Iterator[Finding]:
    from community_server.errors import StartRefused  # noqa: PLC0415 - not on every machine
    from community_server.standby.notes import StandsBy, Superseded, find_note  # noqa: PLC0415

    try:
        superseded = find_note(one.data, Superseded)
        stands_by = find_note(one.data, StandsBy)
    except StartRefused as refused:
        yield found("settings.refused", "problem", tier="server", trouble=refused)
        return
    if superseded is not None:
        since = f"{datetime.fromtimestamp(superseded.at, UTC):%Y-%m-%d %H:%M} UTC"
        yield found("server.superseded", "problem", since=since)
    elif sa.make_url(one.database).drivername.startswith("postgresql"):
        try:
            yield from _ask(one.database, stands_by.serving_address if stands_by else "")
        except SQLAlchemyError:
            return  # the database's own finding says so


def _ask(database: str, primary: str) -> Iterator[Finding]:
    engine = sa.create_engine(
        database, connect_args={"connect_timeout": WAIT_S}, poolclass=sa.NullPool
    )
    with engine.connect() as connection:
        if connection.scalar(sa.text(_IN_RECOVERY)):
            if primary:
                yield found("standby.waiting", "fine", primary=primary)
            else:
                yield found("standby.not-admitted", "problem")
            return
        if primary:
            yield found("standby.promoted", "problem", primary=primary)
            return
        row = connection.execute(sa.text(_STANDBY)).one_or_none()
    if row is not None:
        yield _heard(*row)


def _heard(address: str, heard_at: int, behind_s: int) -> Finding:
    silent = int(time.time() - heard_at)
    if silent > SILENT_S:
        return found("standby.silent", "problem", address=address, minutes=silent // 60)
    if behind_s > BEHIND_S:
        return found("standby.behind", "warning", address=address, seconds=behind_s)
    return found("standby.kept", "fine", address=address)
