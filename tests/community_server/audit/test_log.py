"""The audit log: one chain whoever writes, and a verdict that names what was tampered with."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from community_server.audit.chain import FIRST, head_of
from community_server.audit.heads import SIGN_EVERY, head_is_due, sign_end
from community_server.audit.log import audit
from community_server.audit.looks import ONCE_IN_S, note_look
from community_server.audit.tables import AuditEnd, AuditRow, SignedHead
from community_server.audit.verification import Noted, Verdict, verify
from community_server.change import CLOUD
from community_server.cloud_news import publish_audit_head
from community_server.command import server
from community_server.database import now
from community_server.errors import NotFound
from community_server.keys.root import root_key
from community_server.people.queries import get_person
from community_server.settings import Settings
from tests.community_server.bench import STAFF, Bench
from tier_link.relay_messages import RELAY, AuditHeadSigned

GUARD, OTHER = "a" * 32, "b" * 32


def write(bench: Bench, count: int, action: str = "sign-in") -> None:
    for number in range(count):
        with bench.estate.changer.change() as change:
            audit(change.session, STAFF, action, f"subject-{number}", "detail")


def sign(bench: Bench) -> None:
    with bench.estate.changer.change() as change:
        sign_end(change.session, change.safe, now())


def clouds_copy(bench: Bench) -> Noted:
    """Return what the cloud is told of the newest signed head."""
    with bench.estate.changer.change() as change:
        publish_audit_head(change, bench.estate.links)
    heads = [
        message
        for record in bench.estate.links.pending(CLOUD, 0, limit=10_000)
        if isinstance(message := RELAY.decode(record.kind, record.body), AuditHeadSigned)
    ]
    newest = heads[-1]
    return Noted(newest.count, newest.head, newest.signed_at, newest.signature)


def verdict(bench: Bench, noted: Noted | None = None) -> Verdict:
    with bench.estate.reading() as session:
        return verify(session, root_key(session, bench.estate.safe).public_key(), noted)


def places(bench: Bench) -> list[int]:
    with bench.estate.reading() as session:
        return [one or 0 for one in session.scalars(select(AuditRow.place))]


@pytest.fixture
def tampering(bench: Bench) -> Iterator[Session]:
    """Somebody who has the database and changes it; what they did is undone."""
    write(bench, 8)
    with Session(bench.estate.engine) as session, session.begin():
        rows = [
            {column.key: getattr(row, column.key) for column in AuditRow.__table__.columns}
            for row in session.scalars(select(AuditRow))
        ]
        heads = [
            {column.key: getattr(row, column.key) for column in SignedHead.__table__.columns}
            for row in session.scalars(select(SignedHead))
        ]
        end = session.scalars(select(AuditEnd)).one()
        count, head = end.count, end.head
    with Session(bench.estate.engine) as session:
        yield session
        session.rollback()
    with Session(bench.estate.engine) as session, session.begin():
        for table, kept in ((AuditRow, rows), (SignedHead, heads)):
            session.execute(delete(table))
            if kept:
                session.execute(insert(table), kept)
        session.execute(update(AuditEnd).values(count=count, head=head))


def test_writers_at_once_make_one_chain_and_none_of_them_fails(bench: Bench) -> None:
    before = len(places(bench))
    threads = [threading.Thread(target=write, args=(bench, 10)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(places(bench)) == list(range(1, before + 61))
    assert verdict(bench).faults == ()


def removing_nobody(bench: Bench) -> None:
    with bench.estate.changer.change() as change:
        audit(change.session, STAFF, "remove", "nobody")
        get_person(change.session, "nobody")


def test_what_is_undone_leaves_no_row_and_no_gap(bench: Bench) -> None:
    write(bench, 1)
    count = len(places(bench))
    with pytest.raises(NotFound):
        removing_nobody(bench)
    with bench.estate.changer.change() as change:
        audit(change.session, STAFF, "invite", "1")
        savepoint = change.session.begin_nested()
        audit(change.session, STAFF, "invite", "undone")
        savepoint.rollback()
        with change.session.begin_nested():
            audit(change.session, STAFF, "invite", "2")
    assert sorted(places(bench)) == list(range(1, count + 3))
    assert verdict(bench).faults == ()


def test_a_row_that_was_changed_is_named_and_the_one_behind_it_is_not(
    bench: Bench, tampering: Session
) -> None:
    tampering.execute(update(AuditRow).where(AuditRow.place == 3).values(staff_id=OTHER))
    tampering.execute(update(AuditRow).where(AuditRow.place == 6).values(head=bytes(32)))
    tampering.commit()
    faults = verdict(bench).faults
    assert [fault.split(" (")[0] for fault in faults] == ["Row 3", "Row 6"]
    assert all("was changed" in fault for fault in faults)


def test_rows_that_were_removed_or_put_in_are_named(bench: Bench, tampering: Session) -> None:
    tampering.execute(delete(AuditRow).where(AuditRow.place.in_((2, 5, 6))))
    tampering.add(AuditRow(at=now(), staff_id=STAFF, action="x", subject="", detail=""))
    tampering.commit()
    assert verdict(bench).faults == (
        "Row 2 is missing.",
        "Rows 5 to 6 are missing.",
        "1 rows were put in beside the chain.",
    )


def test_a_log_made_anew_does_not_fit_the_head_that_was_signed(
    bench: Bench, tampering: Session
) -> None:
    sign(bench)
    write(bench, 2)
    tampering.execute(update(AuditRow).where(AuditRow.place == 4).values(detail="nothing"))
    head = FIRST
    for row in tampering.scalars(select(AuditRow).order_by(AuditRow.place)):
        place = row.place or 0
        head = head_of(head, place, row.at, row.staff_id, row.action, row.subject, row.detail)
        row.head = head
    tampering.execute(update(AuditEnd).values(head=head))
    tampering.commit()
    (fault,) = verdict(bench).faults
    assert "are not those that were signed" in fault


def test_a_log_that_was_cut_off_shows_by_the_signed_head_or_by_a_noted_one(
    bench: Bench, tampering: Session
) -> None:
    before = verdict(bench)
    sign(bench)
    copy = clouds_copy(bench)
    assert (copy.count, copy.head) == (before.count, before.head)
    tampering.execute(delete(AuditRow).where(AuditRow.place > before.count - 2))
    last = tampering.scalars(select(AuditRow).order_by(AuditRow.place.desc()).limit(1)).one()
    tampering.execute(update(AuditEnd).values(count=last.place, head=last.head))
    tampering.commit()
    missing = f"rows {before.count - 1} to {before.count} are missing at its end"
    (fault,) = verdict(bench).faults
    assert missing in fault
    # Whoever takes the signed heads along is found out by what was written down elsewhere,
    tampering.execute(delete(SignedHead).where(SignedHead.count >= before.count - 1))
    tampering.commit()
    assert verdict(bench).faults == ()
    (fault,) = verdict(bench, Noted(before.count, before.head)).faults
    assert missing in fault
    # which may be the cloud's copy: the signature says whose it is.
    (fault,) = verdict(bench, copy).faults
    assert missing in fault
    (fault,) = verdict(bench, replace(copy, count=copy.count + 1)).faults
    assert "does not bear the community's signature" in fault


def test_a_head_that_the_community_did_not_sign_is_named(bench: Bench, tampering: Session) -> None:
    sign(bench)
    tampering.execute(update(SignedHead).values(signature=bytes(64)))
    tampering.commit()
    assert any("does not bear the community's signature" in one for one in verdict(bench).faults)


def test_a_head_is_signed_hourly_while_rows_come(bench: Bench) -> None:
    write(bench, 1)
    sign(bench)

    def due(moment: int) -> bool:
        with bench.estate.reading() as session:
            return head_is_due(session, moment)

    assert not due(now() + SIGN_EVERY)  # nothing has come since
    write(bench, 1)
    assert not due(now())
    assert due(now() + SIGN_EVERY)


def test_a_look_at_a_record_is_noted_once_in_a_while_and_for_each_pair_of_eyes(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, person = bench.invite(name="Ada")

    def looks() -> int | None:
        with bench.estate.reading() as session:
            wanted = (AuditRow.action == "look") & (AuditRow.subject == person)
            return session.scalar(select(func.count()).select_from(AuditRow).where(wanted))

    for staff in (GUARD, GUARD, OTHER, GUARD):
        note_look(bench.estate, staff, person)
    assert looks() == 2
    later = now() + ONCE_IN_S
    monkeypatch.setattr("community_server.audit.looks.now", lambda: later)
    note_look(bench.estate, GUARD, person)
    assert looks() == 3


def test_the_command_says_in_words_whether_the_log_is_whole(
    bench: Bench, settings: Settings, tampering: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside the running server, whose data folder it leaves alone."""
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(settings.data / "none.toml"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(settings.data))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", settings.database)
    whole = CliRunner().invoke(server, ["verify-audit"])
    assert whole.exit_code == 0
    count = verdict(bench).count
    assert f"The audit log is whole: {count} rows." in whole.output
    noted = whole.output.split("keep elsewhere: ")[1].split()
    assert CliRunner().invoke(server, ["verify-audit", *noted]).exit_code == 0
    sign(bench)
    copy = clouds_copy(bench)
    said = {"count": copy.count, "head": copy.head.hex(), "signed_at": copy.signed_at}
    given = json.dumps(said | {"signature": copy.signature.hex()})
    by_copy = ["verify-audit", "--copy", "-"]
    assert CliRunner().invoke(server, by_copy, input=given).exit_code == 0
    forged = json.dumps(json.loads(given) | {"count": copy.count + 1})
    assert "signature" in CliRunner().invoke(server, by_copy, input=forged).output
    assert CliRunner().invoke(server, by_copy, input="{}").exit_code == 1
    tampering.execute(update(AuditRow).where(AuditRow.place == 2).values(action="nothing"))
    tampering.commit()
    broken = CliRunner().invoke(server, ["verify-audit"])
    assert broken.exit_code == 1
    assert "Row 2 (" in broken.output
    assert "not whole" in broken.output
    assert CliRunner().invoke(server, ["verify-audit", "--count", "1", "--head", "?"]).exit_code
