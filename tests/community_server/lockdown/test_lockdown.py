"""A lockdown is declared once, by whoever shows who they are, and forgotten by no backup."""

import secrets
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.doors.service import add_door
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused, TooManyAttempts
from community_server.lockdown.routes import LockdownRequest, ShownLockdown, look, perform
from community_server.lockdown.service import MOST_AHEAD, current, state_of
from community_server.lockdown.tables import Declaration
from community_server.staff.backoff import FREE_ATTEMPTS
from community_server.staff.proof import prove_again
from community_server.staff.sessions import SignedIn
from community_server.staff.tables import StaffMember
from tests.community_server.bench import PASSWORD, Bench
from tier_link.estate_messages import ESTATE, DoorPresence, LockdownDeclared

REASON = "A man with a knife at block 3 三号楼"


@dataclass
class Lockdowns:
    """An estate of its own, its doors, and one guard."""

    bench: Bench

    def guard(self) -> SignedIn:
        with self.bench.estate.reading() as session:
            member = session.scalars(select(StaffMember)).one()
        return SignedIn(member.id, member.username, member.role, "csrf")

    def declare(self, *, active: bool, reason: str = REASON, password: str = PASSWORD) -> int:
        wanted = LockdownRequest(active=active, reason=reason, password=password)
        return perform(self.bench.estate, wanted, self.guard(), "10.0.0.7")

    def door(self) -> str:
        with self.bench.estate.changer.change() as change:
            door = add_door(change.session, "Gate", "both")
            row = change.session.get_one(Door, door)
            self.bench.estate.configurer.welcome(change, row, secrets.token_bytes(32))
        return door

    def shows(self, door: str, number: int, *, locked: bool) -> None:
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
            lockdown=number,
            locked_down=locked,
        )
        records = self.bench.estate.doors._records
        records.take_latest(door, ESTATE.kind(presence), ESTATE.encode(presence))

    def told(self, door: str) -> list[LockdownDeclared]:
        records = self.bench.estate.links.pending(door, 0, limit=1000)
        messages = [ESTATE.decode(one.kind, one.body) for one in records]
        return [one for one in messages if isinstance(one, LockdownDeclared)]

    def shown(self) -> ShownLockdown:
        return look(self.bench.estate)

    def state(self, door: str, *, connected: bool = True) -> str:
        with self.bench.estate.reading() as session:
            row = session.get_one(Door, door)
            return state_of(row, current(session), connected=connected).value

    def audit(self) -> list[tuple[str, str, str]]:
        with self.bench.estate.reading() as session:
            rows = session.scalars(select(AuditRow).order_by(AuditRow.number))
            return [(r.staff_id, r.action, r.detail) for r in rows if "lockdown" in r.action]

    def put_back(self, to: int) -> None:
        """Forget what was declared after a number, as a restored backup does."""
        with self.bench.estate.changer.change() as change:
            for row in change.session.scalars(select(Declaration).where(Declaration.number > to)):
                change.session.delete(row)
            for door in change.session.scalars(select(Door)):
                if door.lockdown > to:
                    door.lockdown, door.locked_down = to, False


@pytest.fixture
def lockdowns(own: Bench) -> Lockdowns:
    return Lockdowns(own)


def test_every_door_is_told_once_and_the_console_tells_which_are_locked(
    lockdowns: Lockdowns,
) -> None:
    first, second = lockdowns.door(), lockdowns.door()
    assert lockdowns.declare(active=True) == 1
    for door in (first, second):
        assert lockdowns.told(door) == [LockdownDeclared(1, active=True)]
    assert lockdowns.state(first) == "not-confirmed"
    assert lockdowns.state(second, connected=False) == "not-heard"
    lockdowns.shows(first, 1, locked=True)
    assert lockdowns.state(first) == "locked"
    assert lockdowns.state(first, connected=False) == "locked-away"
    shown = lockdowns.shown()
    assert (shown.active, shown.by, shown.reason, shown.kept) == (True, "desk", REASON, False)
    assert (shown.paired, shown.locked, shown.pending) == (2, 1, 1)

    assert lockdowns.declare(active=False, reason="") == 2
    assert lockdowns.told(first)[-1] == LockdownDeclared(2, active=False)
    assert lockdowns.state(first) == "still-locked"
    assert lockdowns.state(first, connected=False) == "still-locked-away"
    assert lockdowns.state(second) == "open"
    lockdowns.shows(first, 2, locked=False)
    assert lockdowns.shown().pending == 0
    assert [(action, detail) for _, action, detail in lockdowns.audit()] == [
        ("declare-lockdown", "1"),
        ("end-lockdown", "2"),
    ]


def test_a_door_that_is_paired_meanwhile_or_anew_begins_locked_down(lockdowns: Lockdowns) -> None:
    lockdowns.declare(active=True)
    door = lockdowns.door()
    assert lockdowns.told(door) == [LockdownDeclared(1, active=True)]
    lockdowns.shows(door, 1, locked=True)
    with lockdowns.bench.estate.changer.change() as change:
        row = change.session.get_one(Door, door)
        lockdowns.bench.estate.configurer.welcome(change, row, secrets.token_bytes(32))
    assert lockdowns.told(door) == [LockdownDeclared(1, active=True)]
    assert lockdowns.state(door) == "not-confirmed"  # another terminal, which has said nothing yet


def test_the_password_is_asked_for_and_slow_to_guess(lockdowns: Lockdowns) -> None:
    for _ in range(FREE_ATTEMPTS + 1):
        with pytest.raises(InputRefused) as refused:
            lockdowns.declare(active=True, password="x" * 12)
        assert refused.value.code == "password-not-yours"
    with pytest.raises(TooManyAttempts):
        lockdowns.declare(active=True)
    assert lockdowns.shown().number == 0
    assert lockdowns.audit() == []


def test_somebody_who_is_staff_no_more_proves_nothing(lockdowns: Lockdowns) -> None:
    estate = lockdowns.bench.estate
    gone = SignedIn("0" * 32, "desk", "manager", "csrf")
    with pytest.raises(InputRefused):
        prove_again(estate.reading, estate.backoff, gone, PASSWORD, "10.0.0.7")


@pytest.mark.parametrize(
    ("active", "reason", "code"),
    [
        (True, " ", "lockdown-reason-missing"),
        (True, "x" * 201, "lockdown-reason-long"),
        (False, "", None),
    ],
)
def test_what_makes_no_sense_is_refused_and_changes_nothing(
    lockdowns: Lockdowns, active: int, reason: str, code: str | None
) -> None:
    with pytest.raises((InputRefused, Conflict)) as refused:
        lockdowns.declare(active=bool(active), reason=reason)
    assert refused.value.code == (code or "not-locked-down")
    assert lockdowns.shown().number == 0


def test_a_second_press_declares_nothing(lockdowns: Lockdowns) -> None:
    lockdowns.declare(active=True)
    with pytest.raises(Conflict) as refused:
        lockdowns.declare(active=True)
    assert refused.value.code == "locked-down-already"
    assert lockdowns.shown().number == 1


def test_the_reason_lies_sealed_and_no_door_hears_it(lockdowns: Lockdowns) -> None:
    door = lockdowns.door()
    lockdowns.declare(active=True)
    with lockdowns.bench.estate.reading() as session:
        sealed = session.scalars(select(Declaration.reason)).one()
    assert sealed is not None
    assert REASON.encode() not in bytes(sealed)
    records = lockdowns.bench.estate.links.pending(door, 0, limit=1000)
    assert not any(REASON.encode() in one.body for one in records)


def test_a_server_put_back_to_before_a_lockdown_keeps_it(lockdowns: Lockdowns) -> None:
    heard, unheard = lockdowns.door(), lockdowns.door()
    lockdowns.declare(active=True)
    lockdowns.put_back(0)
    assert not lockdowns.shown().active
    lockdowns.shows(heard, 1, locked=True)
    shown = lockdowns.shown()
    assert (shown.active, shown.number, shown.kept, shown.by) == (True, 2, True, "")
    assert lockdowns.told(unheard)[-1] == LockdownDeclared(2, active=True)
    assert lockdowns.audit()[-1] == (heard, "keep-lockdown", "2")
    assert lockdowns.declare(active=False, reason="") == 3


def test_a_server_put_back_into_a_lockdown_that_was_ended_keeps_it_until_staff_end_it(
    lockdowns: Lockdowns,
) -> None:
    door = lockdowns.door()
    lockdowns.declare(active=True)
    lockdowns.declare(active=False, reason="")
    lockdowns.put_back(1)
    lockdowns.shows(door, 2, locked=False)
    shown = lockdowns.shown()
    assert (shown.active, shown.number, shown.reason) == (True, 3, REASON)
    assert lockdowns.told(door)[-1] == LockdownDeclared(3, active=True)


def test_a_declaration_of_a_server_put_back_is_above_all_that_its_doors_have_shown(
    lockdowns: Lockdowns,
) -> None:
    door = lockdowns.door()
    lockdowns.shows(door, 40, locked=False)
    assert lockdowns.shown().number == 0
    assert lockdowns.declare(active=True) == 41


def test_two_words_with_one_number_lock(lockdowns: Lockdowns) -> None:
    door = lockdowns.door()
    lockdowns.declare(active=True)
    lockdowns.declare(active=False, reason="")
    lockdowns.shows(door, 2, locked=True)  # declared by the server that was lost
    assert lockdowns.shown().active
    assert lockdowns.shown().number == 3


def test_a_door_that_lies_uses_up_no_numbers(lockdowns: Lockdowns) -> None:
    door = lockdowns.door()
    lockdowns.shows(door, MOST_AHEAD + 1, locked=True)
    assert not lockdowns.shown().active
    assert lockdowns.declare(active=True) == 1


def test_a_door_that_shows_the_same_again_writes_nothing(
    lockdowns: Lockdowns, monkeypatch: pytest.MonkeyPatch
) -> None:
    door = lockdowns.door()
    lockdowns.declare(active=True)
    lockdowns.shows(door, 1, locked=True)
    noted: list[Any] = []
    watch = type(lockdowns.bench.estate.doors._records.lockdowns)
    monkeypatch.setattr(watch, "_note", lambda *args: noted.append(args))
    lockdowns.shows(door, 1, locked=True)
    assert noted == []
