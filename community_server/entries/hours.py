"""What is counted of entries by the hour: kept with each of them, and summed up again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from access_rules.people import Credential
from community_server.entries.tables import Entry, EntryHour, EntryKind

HOUR: Final = 3600
DAY: Final = 24 * HOUR

KINDS: Final = ("door_id", "direction", "category", "credential", "granted", "reason", "matched")
"""What entries that are counted together have in common, beside their hour."""

OTHERS: Final = "unknown"
"""Of entries without a category: whoever showed something and was not known."""
INSIDE: Final = "inside"
"""Of entries that nobody showed anything for: exit buttons, the fire panel, the desk."""


def category_of(kind: EntryKind) -> str:
    """Return the category of a kind, or one of the two above."""
    if kind.category:
        return kind.category
    return INSIDE if kind.credential == Credential.NONE.value else OTHERS


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
    hour = hour_of(entry.at // 1000, zone)
    row = {"hour": hour, "kind_id": _kind_of(session, entry), "count": 1}
    same, more = ["hour", "kind_id"], {"count": EntryHour.count + 1}
    if session.get_bind().dialect.name == "postgresql":
        insert = postgresql.insert(EntryHour)
        session.execute(insert.on_conflict_do_update(index_elements=same, set_=more), row)
    else:
        into = sqlite.insert(EntryHour)
        session.execute(into.on_conflict_do_update(index_elements=same, set_=more), row)


def _kind_of(session: Session, entry: Entry) -> int:
    """Return the id of an entry's kind; a door's entries come one after the other, so it is one."""
    values = {name: getattr(entry, name) for name in KINDS}
    same = (getattr(EntryKind, name) == value for name, value in values.items())
    found = session.scalar(select(EntryKind.id).where(*same))
    if found is not None:
        return found
    kind = EntryKind(**values)
    session.add(kind)
    session.flush()
    return kind.id
