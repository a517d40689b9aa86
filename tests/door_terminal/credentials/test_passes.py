"""A pass opens by the rules, once where it says once, and never without its reason in the log."""

import time as real_time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from access_rules.decision import DecisionReason, Shown
from access_rules.people import Credential
from door_terminal.clock import ClockRecord, EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.credentials.passes import PassDesk
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.entries import EntryLog
from door_terminal.gate import Opening
from door_terminal.reserve import Reserve
from door_terminal.roster import RosterBook, as_person
from door_terminal.vision.messages import PassSeen
from tests.door_terminal.conftest import Time
from tests.door_terminal.samples import configured, person
from tests.support.passes import DAY, PassMaker
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE, EntryRecorded, PassRules, RosterPerson, Zone
from tier_link.passes import door_tag
from tier_link.store import LinkStore

NOW = 1_795_000_000
DOOR = "0d" * 16
VISITOR, RESIDENT = "01" * 8, "02" * 8
SUNNY = PassMaker(NOW)


@dataclass
class OpenGate:
    openings: list[Opening] = field(default_factory=list)

    def open(self, opening: Opening) -> None:
        self.openings.append(opening)

    def close(self) -> None:
        """Hold nothing."""


@dataclass
class Door:
    """The controller's parts that passes concern, on a real database; `start` starts it anew."""

    engine: Engine
    clock: EffectiveClock
    folder: Path
    moment: Time

    def __post_init__(self) -> None:
        self.gate = OpenGate()
        self.store = LinkStore(self.engine, keep_acknowledged=timedelta(days=7))
        self.book = RosterBook()
        self.configure(SUNNY.rules())
        self.start()

    def start(self) -> None:
        reserve = Reserve(self.folder / "reserve", slots=8)
        reserve.open()
        self.entries = EntryLog(self.engine, self.store, "server", self.clock, reserve)
        self.decider = Decider(
            configuration=lambda: self.configuration,
            clock=self.clock,
            entries=self.entries,
            gate=self.gate,
            publish=lambda _: None,
        )
        self.desk = PassDesk(
            door=DOOR,
            book=lambda: self.book,
            configuration=lambda: self.configuration,
            clock=self.clock,
            decider=self.decider,
        )

    def configure(self, passes: PassRules, **more: object) -> None:
        fields = {"pass_allowed": True, "passes": passes, "zone": Zone(cooldown_s=5)} | more
        self.configuration = Configuration.of(configured(**fields))

    def enroll(self, *people: RosterPerson) -> None:
        passes = {one.pass_id: one.person for one in people if one.pass_id}
        self.book = RosterBook(people={one.person: one for one in people}, passes=passes)

    def see(self, text: str) -> Outcome | None:
        return self.desk.seen(PassSeen(text, real_time.monotonic_ns()))

    def show(self, text: str) -> str:
        """Show a code after the view was empty; return the reason."""
        self.desk._held.clear()
        outcome = self.see(text)
        assert outcome is not None
        assert outcome.granted == (outcome.reason is DecisionReason.WITHIN_RULES)
        return outcome.reason.value

    def told(self) -> list[EntryRecorded]:
        records = self.store.pending("server", 0, limit=1000)
        messages = [ESTATE.decode(one.kind, one.body) for one in records]
        return [one for one in messages if isinstance(one, EntryRecorded)]


@pytest.fixture
def door(engine: Engine, clock: EffectiveClock, time: Time, tmp_path: Path) -> Door:
    return Door(engine, clock, tmp_path, time)


def visitor(**more: object) -> RosterPerson:
    return person("a", category="visitor", valid_until=NOW + DAY, pass_id=VISITOR, **more)


def resident(**more: object) -> RosterPerson:
    return person("b", pass_id=RESIDENT, pass_key=SUNNY.phone_key, **more)


def test_a_days_pass_opens_a_door_that_never_heard_of_its_bearer(door: Door) -> None:
    assert door.show(SUNNY.fixed()) == "within-rules"
    (entry,) = door.told()
    assert (entry.credential, entry.person, entry.category) == ("pass", "", "visitor")
    assert (entry.pass_id, len(door.gate.openings)) == (VISITOR, 1)


def test_a_pass_on_the_roster_names_its_bearer_and_may_live_longer(door: Door) -> None:
    month = SUNNY.fixed(alone=False, ends=NOW - 60 + 30 * DAY)
    assert door.show(month) == "credential-unknown"
    door.enroll(visitor())
    assert door.show(month) == "within-rules"
    assert [one.person for one in door.told()] == ["", "a" * 32]


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (PassMaker(NOW, root=SUNNY.root).fixed(), "pass-forged"),
        (PassMaker(NOW).fixed(), "pass-foreign"),
        (PassMaker(NOW).code(), "pass-foreign"),
        (SUNNY.fixed()[:-3], "pass-malformed"),
        (SUNNY.fixed(begins=NOW - 7200, ends=NOW - 3600), "validity-over"),
        (SUNNY.fixed(begins=NOW + 3600, ends=NOW + 7200), "not-yet-valid"),
        (SUNNY.fixed(doors=(door_tag("ee" * 16),)), "not-for-this-door"),
        (SUNNY.fixed(alone=False), "credential-unknown"),
        (SUNNY.fixed(begins=NOW - 60 + 80 * DAY, ends=NOW - 60 + 91 * DAY, alone=False),
         "credential-unknown"),
        (SUNNY.code(), "credential-unknown"),
    ],
)  # fmt: skip
def test_what_does_not_hold_is_refused_with_its_reason(door: Door, text: str, reason: str) -> None:
    assert door.show(text) == reason
    assert door.gate.openings == []
    assert [one.reason for one in door.told()] == [reason]


def test_a_pass_for_this_door_opens_it(door: Door) -> None:
    assert door.show(SUNNY.fixed(doors=(door_tag("ee" * 16), door_tag(DOOR)))) == "within-rules"


def test_other_codes_in_view_make_no_entry(door: Door) -> None:
    assert door.see("https://example.org/menu") is None
    assert door.told() == []


def test_a_pass_is_used_up_also_over_a_restart_and_a_power_cut(door: Door) -> None:
    twice = SUNNY.fixed(uses=2)
    assert [door.show(twice), door.show(twice)] == ["within-rules"] * 2
    door.start()
    assert door.show(twice) == "pass-used-up"
    assert len(door.gate.openings) == 2


def test_a_use_counts_while_the_disk_is_full_and_after_it_has_room_again(door: Door) -> None:
    three = SUNNY.fixed(uses=3)
    assert door.show(three) == "within-rules"
    with door.engine.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
    while not door.entries._reserve:
        door.show(SUNNY.fixed("09" * 8))
    assert door.show(three) == "within-rules"
    door.start()  # on the full disk: what waits in the reserve counts
    assert door.show(three) == "within-rules"
    assert door.show(three) == "pass-used-up"
    with door.engine.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert door.entries.drain_reserve() > 0
    door.start()
    assert door.show(three) == "pass-used-up"


def test_a_refusal_uses_nothing_up(door: Door) -> None:
    door.enroll(visitor(suspended=True))
    once = SUNNY.fixed(uses=1)
    assert door.show(once) == "suspended"
    door.enroll(visitor())
    assert [door.show(once), door.show(once)] == ["within-rules", "pass-used-up"]


def test_a_pass_ends_with_its_bearers_time(door: Door) -> None:
    door.enroll(visitor(valid_from=NOW - 600))
    assert door.show(SUNNY.fixed()) == "within-rules"
    row = person("a", category="visitor", valid_until=NOW - 1, pass_id=VISITOR)
    door.enroll(row)
    assert door.show(SUNNY.fixed()) == "validity-over"


def test_a_revoked_pass_is_refused_once_the_door_has_heard(door: Door) -> None:
    door.enroll(visitor(), resident())
    door.configure(SUNNY.rules(VISITOR, RESIDENT))
    assert door.show(SUNNY.fixed()) == "pass-revoked"
    door.enroll()
    assert door.show(SUNNY.code()) == "pass-revoked"


def test_without_the_time_no_pass_opens_and_the_reason_says_so(
    engine: Engine, time: Time, tmp_path: Path
) -> None:
    clock = EffectiveClock(
        ClockRecord(floor=NOW - DAY, news_unix=NOW - DAY, news_boot_id="an earlier boot"),
        time.machine(),
        longest_lease_s=lambda: 30 * DAY,
    )
    door = Door(engine, clock, tmp_path, time)
    door.enroll(visitor(), resident())
    assert [door.show(SUNNY.fixed()), door.show(SUNNY.code())] == ["time-unknown"] * 2


def test_a_day_without_news_ends_a_visitors_pass(door: Door) -> None:
    door.moment.now += 13 * 3600
    long = SUNNY.fixed(ends=NOW - 60 + DAY)
    door.configure(SUNNY.rules())
    assert door.show(long) == "lease-over"


def test_a_door_that_takes_no_passes_says_so(door: Door) -> None:
    door.configure(SUNNY.rules(), pass_allowed=False)
    assert door.show(SUNNY.fixed()) == "credential-not-accepted"


def test_a_residents_code_opens_once_and_a_photograph_of_it_is_soon_dead(door: Door) -> None:
    door.enroll(resident())
    photographed = SUNNY.code()
    assert door.show(photographed) == "within-rules"
    assert door.show(photographed) == "pass-used-up"
    door.start()
    assert door.show(photographed) == "pass-used-up"
    door.moment.now += 30
    assert door.show(SUNNY.code(now=NOW + 30)) == "within-rules"
    door.moment.now += 60
    assert door.show(photographed) == "pass-stale"
    assert {one.person for one in door.told() if one.granted} == {"b" * 32}


def test_a_phones_clock_may_be_a_step_off_and_no_more(door: Door) -> None:
    door.enroll(resident())
    assert [door.show(SUNNY.code(steps_ago=steps)) for steps in (2, -2)] == ["pass-stale"] * 2
    assert [door.show(SUNNY.code(steps_ago=steps)) for steps in (1, -1)] == ["within-rules"] * 2


def test_another_phones_code_for_the_same_pass_is_forged(door: Door) -> None:
    door.enroll(resident())
    other = PassMaker(NOW, root=SUNNY.root)
    assert door.show(other.code()) == "pass-forged"
    door.enroll(person("b", pass_id=RESIDENT))
    assert door.show(SUNNY.code()) == "credential-unknown"


def test_a_code_held_in_view_makes_one_entry(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    now = real_time.monotonic()
    tick: Callable[[float], float] = lambda seconds: now + seconds  # noqa: E731
    door.enroll(resident())
    code, later = SUNNY.code(), SUNNY.code(steps_ago=-1)
    seconds = 0.0

    def see(text: str) -> Outcome | None:
        monkeypatch.setattr(
            "door_terminal.credentials.passes.time.monotonic", lambda: tick(seconds)
        )
        return door.see(text)

    assert see(code) is not None
    for seconds in range(1, 40):  # it changes while it is held, and is still the same pass
        assert see(code if seconds < 30 else later) is None
    seconds += 6
    outcome = see(later)
    assert outcome is not None
    assert outcome.granted
    assert len(door.told()) == 2


def test_after_a_refusal_the_phones_next_code_is_another_try(door: Door) -> None:
    door.enroll(resident())
    assert door.show(SUNNY.code()) == "within-rules"
    assert door.show(SUNNY.code()) == "pass-used-up"
    assert door.see(SUNNY.code()) is None
    outcome = door.see(SUNNY.code(steps_ago=-1))
    assert outcome is not None
    assert outcome.granted


def test_inventing_passes_does_not_fill_the_log(door: Door) -> None:
    for _ in range(20):
        door.see(PassMaker(NOW).fixed())
    assert len(door.told()) == 1


def test_a_pass_is_a_second_credential_and_is_counted_when_the_door_opens(door: Door) -> None:
    row = visitor(second_credential=True)
    door.enroll(row)
    once = SUNNY.fixed(uses=1)
    assert door.show(once) == "second-credential-needed"
    pin = Shown(Credential.PIN, as_person(row))
    assert door.decider.attempt(pin, needed_ns=real_time.monotonic_ns()).granted
    assert [(one.granted, one.second, one.pass_id) for one in door.told()] == [
        (False, False, VISITOR),
        (True, True, VISITOR),
    ]
    assert door.show(once) == "second-credential-needed"
    late = door.decider.attempt(pin, needed_ns=real_time.monotonic_ns())
    assert (late.granted, late.reason) == (False, DecisionReason.PASS_USED_UP)


def test_counts_are_forgotten_long_after_their_pass_has_ended_and_not_before(door: Door) -> None:
    once = SUNNY.fixed(uses=1)
    assert door.show(once) == "within-rules"
    door.entries.pass_uses.prune(NOW + 90 * DAY)
    door.start()
    assert door.show(once) == "pass-used-up"
    door.entries.pass_uses.prune(NOW + 98 * DAY)
    door.start()
    assert door.show(once) == "within-rules"


def test_pass_keys_that_the_root_did_not_certify_are_not_taken() -> None:
    mixed = PassRules(SUNNY.community, PassMaker(NOW).rules().root, SUNNY.rules().certificates)
    with pytest.raises(MalformedMessage):
        Configuration.of(configured(passes=mixed))
