"""What doors remember of this log: whoever cuts it off would have to reach every door."""

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import select

from community_server.audit.forgetting import find_start
from community_server.audit.tables import AuditRow
from community_server.doors.service import list_doors
from community_server.estate import Estate


@dataclass(frozen=True)
class Dispute:
    """A connected door that remembers `count` rows which are not here, or are not the same."""

    door_name: str
    count: int


def disputes(estate: Estate) -> Iterable[Dispute]:
    """Yield the doors that contradict this log; after a restored backup, all that are connected."""
    with estate.reading() as session:
        start = find_start(session)
        for door in list_doors(session):
            seen = estate.watch.find(door.id)
            if seen is None or not seen.presence.audit_count:
                continue
            count, head = seen.presence.audit_count, seen.presence.audit_head
            if start is not None and count <= start.count:
                if count == start.count and head != start.head:
                    yield Dispute(door.name, count)
                continue  # of what was forgotten since, nothing can be said
            row = select(AuditRow.head).where(AuditRow.place == count)
            if session.scalar(row) != head:
                yield Dispute(door.name, count)
