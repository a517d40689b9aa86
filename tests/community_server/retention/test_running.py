"""The server keeps its schedule by itself, a little at a time, and nothing waits for it."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.tables import Alarm
from community_server.database import now
from community_server.doors.routes import DoorChange, alter
from community_server.entries.looks import state_reason
from community_server.entries.tables import Entry, EntryLook
from community_server.intake.tables import Enrollment, PendingPhoto
from community_server.lockdown.service import declare
from community_server.lockdown.tables import Declaration
from community_server.messages.service import note_sent, queue
from community_server.messages.tables import OutgoingMessage
from community_server.openings.service import Wish, note_order
from community_server.openings.tables import Opening
from community_server.retention import running
from community_server.retention.running import LOOKED_EVERY_S, SHARE_S, Retention
from community_server.retention.schedule import Kind
from community_server.retention.service import change_schedule, schedule_of
from community_server.snapshots.tables import Snapshot
from community_server.sweeper import Sweeper
from community_server.vault.safe import SERVER
from community_server.vault.tables import DataKey
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import STAFF, Bench, Draft
from tests.community_server.entries.log import Log

DAY = 24 * 3600


@dataclass
class Clock:
    """Seconds that pass only when something is asked, or somebody waits."""

    seconds: float = 0.0
    each: float = 0.0
    pauses: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        self.seconds += self.each
        return self.seconds

    def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.seconds += seconds


@pytest.fixture
def log(own: Bench) -> Log:
    return Log(own.estate)


def entries(log: Log) -> int:
    with log.estate.reading() as session:
        return session.scalars(select(func.count()).select_from(Entry)).one()


def fill(log: Log, count: int, days: int) -> None:
    gate = log.door(f"Gate {secrets.token_hex(3)}")
    log.tell(gate, *(log.message(now() - days * DAY + number) for number in range(count)))
    log.entry(gate, now())


def test_a_sweep_goes_on_only_for_its_share_and_lets_others_write_in_between(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(log, 40, days=200)
    steps = [one for one in running.STEPS if one.kind is Kind.ENTRIES][:1]
    monkeypatch.setattr(running, "BATCH", 5)
    monkeypatch.setattr(running, "STEPS", [replace(one, most=5) for one in steps])
    clock = Clock(each=SHARE_S / 8)
    retention = Retention(log.estate, clock, clock.pause)
    left = [entries(log)]
    while left[-1] > 1:
        retention.sweep(now())
        left.append(entries(log))
    gone = [before - after for before, after in pairwise(left)]
    assert len(gone) > 1
    assert max(gone) < 40
    assert min(clock.pauses) > 0
    assert schedule_of(log.estate)[Kind.ENTRIES].forgotten == 40


def test_what_is_not_due_is_looked_for_every_few_minutes_only(log: Log) -> None:
    clock = Clock()
    retention = Retention(log.estate, clock, clock.pause)
    retention.sweep(now())
    fill(log, 3, days=200)
    retention.sweep(now())
    assert entries(log) == 4
    clock.seconds += LOOKED_EVERY_S
    retention.sweep(now())
    assert entries(log) == 1


def test_the_sweeper_keeps_what_the_estate_has_set(log: Log) -> None:
    fill(log, 2, days=100)
    Sweeper.of(log.estate).sweep()
    assert entries(log) == 3
    change_schedule(log.estate, STAFF, {"entries": 90})
    Sweeper.of(log.estate).sweep()
    assert entries(log) == 1


def test_one_kind_that_cannot_be_looked_at_holds_nothing_up(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: object) -> int:
        raise OSError("disk")

    monkeypatch.setattr(running, "STEPS", (running.Step(Kind.AUDIT, fails, 5),))
    renewed = log.estate.safe.renewed_at
    Sweeper.of(log.estate).sweep()
    assert log.estate.safe.renewed_at >= renewed


def test_a_photo_that_nobody_decides_on_is_destroyed_and_its_sender_told(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    drafts: list[Draft] = []
    for name in ("Ada", "Ben"):
        invitation, _ = own.invite(name=name)
        drafts.append(own.draft(invitation, [people[len(drafts)].portrait]))
        own.send(drafts[-1])
    with Session(own.estate.engine) as session, session.begin():
        old = update(Enrollment).where(Enrollment.id == drafts[0].envelope)
        session.execute(old.values(received_at=now() - 15 * DAY))
    Sweeper.of(own.estate).sweep()
    with own.estate.reading() as session:
        assert list(session.scalars(select(PendingPhoto.enrollment_id).distinct())) == [
            drafts[1].envelope
        ]
        states = dict(session.execute(select(Enrollment.id, Enrollment.state)).all())
        owners = session.scalars(select(DataKey.owner)).all()
    assert states == {drafts[0].envelope: "declined", drafts[1].envelope: "waiting"}
    assert not any(drafts[0].envelope in owner for owner in owners)
    assert [one.outcome for one in own.replies(drafts[0])][-1] == "refused"
    assert Log(own.estate).audit("decline") == [(drafts[0].envelope, "unanswered")]


def test_words_of_staff_go_with_the_entries_and_the_days_figures_stay(log: Log) -> None:
    estate, gate = log.estate, log.door("Gate")
    with estate.changer.change() as change:
        session = change.session
        note_order(change, gate, STAFF, Wish("other", "for Mrs Zhou"), entry=secrets.token_hex(16))
        note_order(change, gate, STAFF, Wish("other", "for Mr He"), entry=secrets.token_hex(16))
        sealed = change.safe.seal(session, SERVER, "alarm/x", b"Mr He again")
        for cleared in (1, 0):
            session.add(
                Alarm(
                    alarm=secrets.token_hex(16),
                    kind=AlarmKind.FIRE.value,
                    subject="e" * 32,
                    raised_at=1,
                    cleared_at=cleared,
                    time_known=True,
                    received_at=1,
                    acknowledged_by=STAFF,
                    note=sealed,
                )
            )
        declare(change, estate.links, STAFF, active=True, reason="a thief")
        declare(change, estate.links, STAFF, active=False, reason="caught")
        first = session.scalars(select(Opening)).first()
        assert first is not None
        first.asked_at = now() - 200 * DAY
        for declared in session.scalars(select(Declaration)):
            declared.at -= 200 * DAY
    Sweeper.of(estate).sweep()
    with estate.reading() as session:
        notes = [
            row.note is not None
            for row in session.scalars(select(Opening).order_by(Opening.asked_at))
        ]
        assert notes == [False, True]
        alarms = {row.cleared_at: row for row in session.scalars(select(Alarm))}
        assert (alarms[1].note, alarms[1].subject, alarms[1].acknowledged_by) == (None, "", STAFF)
        assert (alarms[0].note, alarms[0].subject) != (None, "")  # it goes on
        reasons = session.scalars(select(Declaration.reason).order_by(Declaration.number)).all()
        assert [reason is not None for reason in reasons] == [False, True]


def test_messages_looks_and_events_go_each_in_its_time(own: Bench) -> None:
    estate = own.estate
    _, person = own.invite(name="Ada")
    with estate.changer.change() as change:
        sent = [
            queue(change, person, "mail", "a@example.com", "s", "t", now() + DAY) for _ in range(3)
        ]
        for message in sent[:2]:
            note_sent(change, message)
        old = change.session.get_one(OutgoingMessage, sent[0])
        old.ended_at = now() - 31 * DAY
        waiting = change.session.get_one(OutgoingMessage, sent[2])
        waiting.created_at = now() - 31 * DAY
        looks = [
            state_reason(change, STAFF, frozenset({person}), "asked", note) for note in ("", "")
        ]
        change.session.get_one(EntryLook, looks[0]).at = now() - 1100 * DAY
    Sweeper.of(estate).sweep()
    with estate.reading() as session:
        assert set(session.scalars(select(OutgoingMessage.id))) == set(sent[1:])
        assert list(session.scalars(select(EntryLook.id))) == [looks[1]]


def test_pictures_go_by_the_hours_that_the_officer_set(own: Bench) -> None:
    log = Log(own.estate)
    gate = log.door("Gate with pictures")
    alter(own.estate, gate, DoorChange(snapshots=True), STAFF)
    with own.estate.changer.change() as change:
        for hours in (2, 6):
            entry = secrets.token_hex(16)
            owner = f"snapshot:{entry}"
            change.safe.add_owner(change.session, owner)
            sealed = change.safe.seal(change.session, owner, "snapshot", b"picture")
            change.session.add(
                Snapshot(entry=entry, door_id=gate, sealed=sealed, taken_at=now() - hours * 3600)
            )
    Sweeper.of(own.estate).sweep()
    assert pictures(own) == 2  # by the setting: 72 hours
    change_schedule(own.estate, STAFF, {"snapshots": 5})
    Sweeper.of(own.estate).sweep()
    assert pictures(own) == 1


def pictures(bench: Bench) -> int:
    with bench.estate.reading() as session:
        owners = select(func.count()).where(DataKey.owner.startswith("snapshot:"))
        rows = select(func.count()).select_from(Snapshot)
        assert session.scalar(owners) == session.scalar(rows)
        return session.scalars(rows).one()
