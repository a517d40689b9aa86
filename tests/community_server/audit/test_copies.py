"""What doors remember of the audit log contradicts one that was cut off or made anew."""

import secrets

from sqlalchemy import select

from community_server.audit.copies import disputes
from community_server.audit.heads import sign_end
from community_server.audit.log import audit
from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.doors.service import add_door
from community_server.doors.tables import Door
from tests.community_server.bench import STAFF, Bench
from tier_link.estate_messages import ESTATE, DoorPresence


def test_a_log_that_is_shorter_or_another_than_a_door_remembers_shows_on_the_page(
    bench: Bench,
) -> None:
    estate = bench.estate
    with estate.changer.change() as change:
        door = add_door(change.session, "North gate", "both")
        row = change.session.get_one(Door, door)
        estate.configurer.welcome(change, row, secrets.token_bytes(32))
        audit(change.session, STAFF, "add-door", door)
    with estate.changer.change() as change:
        sign_end(change.session, change.safe, now())
    with estate.reading() as session:
        last = session.scalars(select(AuditRow).order_by(AuditRow.number.desc())).first()
        assert last is not None
        count, head = last.place or 0, last.head

    def shows(count: int, head: bytes | None) -> list[int]:
        presence = DoorPresence(
            roster_version=0,
            roster_hash=bytes(32),
            mode="local",
            template_space="",
            software="test",
            camera="",
            uptime_s=1,
            queue=0,
            detect_ms=0,
            encode_ms=0,
            time_known=True,
            audit_count=count,
            audit_head=head,
        )
        records = estate.doors._records
        records.take_latest(door, ESTATE.kind(presence), ESTATE.encode(presence))
        return [one.count for one in disputes(estate) if one.door_name == "North gate"]

    assert shows(0, None) == []
    assert shows(count, head) == []
    assert shows(count, bytes(32)) == [count]
    assert shows(count + 1, head) == [count + 1]
