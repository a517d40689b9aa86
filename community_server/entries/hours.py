"""What is counted of entries by the hour: kept with each of them, and summed up again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import Insert
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from community_server.entries.tables import Entry, EntryHour

HOUR: Final = 3600
DAY: Final = 24 * HOUR

KINDS: Final = ("door_id", "direction", "category", "credential", "granted", "reason", "matched")
"""What the entries of one row have in common, beside their hour."""

OTHERS: Final = "unknown"
"""Of entries without a category: whoever showed something and was not known."""
INSIDE: Final = "inside"
"""Of entries that nobody showed anything for: exit buttons, the fire panel, the desk."""


def hour_of(unix: int, zone: ZoneInfo) -> int:
    """Return when the hour of the estate's clock began, in Unix seconds."""
    return unix - (unix + offset_at(unix, zone)) % HOUR


def offset_at(unix: int, zone: ZoneInfo) -> int:
    """Return by how many seconds the estate's clock is ahead of UTC."""
    return int((datetime.fromtimestamp(unix, zone).utcoffset() or timedelta()).total_seconds())


def spans_of_offset(since: int, until: int, zone: ZoneInfo) -> Iterator[tuple[int, int, int]]:
    """Yield (since, until, offset) such that the clock is not changed inside any of them."""
    begin = moment = since
    offset = offset_at(since, zone)
    while moment < until:
        same = offset_at(min(moment + DAY, until), zone) == offset
        moment = min(moment + (DAY if same else HOUR), until)
        now = offset_at(moment, zone)
        if now != offset and moment < until:
            yield begin, moment, offset
            begin, offset = moment, now
    if begin < until:
        yield begin, until, offset


def count_entry(session: Session, entry: Entry, zone: ZoneInfo) -> None:
    """Count an entry to its hour, in the transaction that keeps it: once, however late it came."""
    kind = {name: getattr(entry, name) for name in KINDS}
    hour = hour_of(entry.at // 1000, zone)
    session.execute(_counting(session), {"hour": hour, **kind, "count": 1})


def _counting(session: Session) -> Insert:
    same, more = ["hour", *KINDS], {"count": EntryHour.count + 1}
    if session.get_bind().dialect.name == "postgresql":
        return postgresql.insert(EntryHour).on_conflict_do_update(index_elements=same, set_=more)
    return sqlite.insert(EntryHour).on_conflict_do_update(index_elements=same, set_=more)
