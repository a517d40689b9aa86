"""The audit log's oldest rows go by schedule and the rest proves itself; one cut off does not."""

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from community_server.audit.chain import FIRST
from community_server.audit.copies import disputes
from community_server.audit.forgetting import find_start, forget_rows
from community_server.audit.heads import sign_end
from community_server.audit.log import audit
from community_server.audit.tables import AuditEnd, AuditRow, AuditStart, SignedHead
from community_server.audit.verification import Noted, Verdict, verify
from community_server.command import server
from community_server.database import now
from community_server.doors.service import add_door
from community_server.keys.root import root_key
from tests.community_server.bench import STAFF, Bench
from tier_link.estate_messages import ESTATE, DoorPresence

LATER = now() + 4 * 366 * 24 * 3600
BEFORE = LATER - 3 * 366 * 24 * 3600


@pytest.fixture
def bench(own: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """An estate with old rows, the last of them signed, and four that came four years later."""
    write(own, 7)
    with own.estate.changer.change() as change:
        sign_end(change.session, change.safe, now())
    monkeypatch.setattr("community_server.audit.log.now", lambda: LATER)
    write(own, 4)
    return own


def write(bench: Bench, count: int) -> None:
    for number in range(count):
        with bench.estate.changer.change() as change:
            audit(change.session, STAFF, "sign-in", f"subject-{number}", "detail")


def forget(bench: Bench, most: int = 500, before: int = BEFORE) -> int:
    with Session(bench.estate.engine) as session, session.begin():
        return forget_rows(session, bench.estate.safe, before, most, LATER)


def verdict(bench: Bench, noted: Noted | None = None) -> Verdict:
    with bench.estate.reading() as session:
        return verify(session, root_key(session, bench.estate.safe).public_key(), noted)


def places(bench: Bench) -> list[int]:
    with bench.estate.reading() as session:
        return [
            one or 0 for one in session.scalars(select(AuditRow.place).order_by(AuditRow.place))
        ]


def test_old_rows_go_a_batch_at_a_time_and_the_rest_goes_on_from_a_signed_beginning(
    bench: Bench,
) -> None:
    before = verdict(bench)
    old = before.count - 4
    assert forget(bench, most=3) == 3
    assert (places(bench)[0], verdict(bench).faults) == (4, ())
    while forget(bench, most=3):
        pass
    assert places(bench) == list(range(old + 1, old + 5))
    after = verdict(bench)
    assert (after.count, after.head, after.faults) == (before.count, before.head, ())
    assert after.start is not None
    assert after.start.count == old
    write(bench, 2)
    assert verdict(bench).faults == ()
    # What was noted since can still be compared; of what was noted before nothing is left.
    assert verdict(bench, Noted(before.count, before.head)).faults == ()
    assert "none is left" in verdict(bench, Noted(2, bytes(32))).faults[0]
    assert verdict(bench, Noted(before.count, bytes(32))).faults != ()


def test_a_log_whose_rows_all_went_still_has_its_end(bench: Bench) -> None:
    before = verdict(bench)
    forget(bench, before=LATER + 1)
    assert places(bench) == []
    assert (verdict(bench).count, verdict(bench).faults) == (before.count, ())
    write(bench, 1)
    assert (places(bench), verdict(bench).faults) == ([before.count + 1], ())


def test_rows_cut_off_at_the_beginning_are_missed_whatever_is_written_in_their_place(
    bench: Bench,
) -> None:
    forget(bench, most=3)
    with Session(bench.estate.engine) as session, session.begin():
        row = session.scalars(select(AuditRow).where(AuditRow.place == 5)).one()
        count, head = row.place, row.head
        session.execute(delete(AuditRow).where(AuditRow.place <= 5))
    assert verdict(bench).faults == ("Rows 4 to 5 are missing.",)
    with Session(bench.estate.engine) as session, session.begin():
        session.execute(update(AuditStart).values(count=count, head=head))
    (fault,) = verdict(bench).faults
    assert "rows 1 to 5 were forgotten does not bear the community's signature" in fault
    # Nor does a signed head, which the same key made, pass for a beginning.
    with Session(bench.estate.engine) as session, session.begin():
        signed = session.scalars(select(SignedHead)).first()
        assert signed is not None
        session.execute(delete(AuditRow).where(AuditRow.place <= signed.count))
        session.execute(
            update(AuditStart).values(
                count=signed.count,
                head=signed.head,
                until=signed.signed_at,
                signed_at=signed.signed_at,
                signature=signed.signature,
            )
        )
    (fault,) = verdict(bench).faults
    assert "does not bear the community's signature" in fault


def test_rows_put_in_before_the_beginning_are_named(bench: Bench) -> None:
    forget(bench)
    with Session(bench.estate.engine) as session, session.begin():
        session.add(
            AuditRow(at=1, staff_id=STAFF, action="x", subject="", detail="", place=1, head=FIRST)
        )
    assert verdict(bench).faults == ("1 rows were put in before the first that is kept.",)


def test_the_newest_signed_head_stays_though_its_rows_went(bench: Bench) -> None:
    with bench.estate.changer.change() as change:
        sign_end(change.session, change.safe, LATER)
    forget(bench, before=LATER + 1)
    with bench.estate.reading() as session:
        end = session.scalars(select(AuditEnd)).one()
        heads = session.scalars(select(SignedHead.count)).all()
        assert list(heads) == [end.count]
        start = find_start(session)
        assert start is not None
        assert start.count == end.count
        assert session.scalar(select(func.count()).select_from(AuditStart)) == 1


def test_a_door_that_remembers_forgotten_rows_contradicts_nobody(bench: Bench) -> None:
    estate = bench.estate
    with estate.changer.change() as change:
        door = add_door(change.session, "North gate", "both")

    def disputed(count: int, head: bytes) -> bool:
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
        return bool(list(disputes(estate)))

    with estate.reading() as session:
        third = session.scalars(select(AuditRow.head).where(AuditRow.place == 3)).one() or b""
    forget(bench, most=3)
    assert not disputed(2, bytes(32))
    assert not disputed(3, third)
    assert disputed(3, bytes(32))
    assert disputed(4, bytes(32))


def test_the_command_says_from_which_row_on_the_log_is_whole(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = bench.estate.settings
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(settings.data / "none.toml"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(settings.data))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", settings.database)
    count = verdict(bench).count
    forget(bench)
    told = CliRunner().invoke(server, ["verify-audit"])
    assert told.exit_code == 0
    assert f"The audit log is whole from row {count - 3} to {count}" in told.output
    assert "forgotten by the schedule, which is signed" in told.output
