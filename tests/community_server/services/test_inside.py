"""Who is inside, since when, until when; what is counted of it, and the alarm about who stays."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update

from access_rules.alarms import AlarmKind
from community_server.alarms.queries import AlarmFilter, active_subjects, list_alarms
from community_server.alarms.tables import Alarm
from community_server.alarms.watch import EstateWatch, Surroundings
from community_server.database import now
from community_server.doors.tables import Door
from community_server.entries.tables import Entry
from community_server.erasure import remove_person
from community_server.pages import PAGES
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.services.companies import CompanyWanted, add_company, remove_company
from community_server.services.figures import median
from community_server.services.passings import stays_of
from community_server.services.stays import _passings, forget_strays
from community_server.services.tables import Departure, StayCount, WorkerStay
from community_server.services.workers import add_worker
from community_server.sweeper import Sweeper
from tests.community_server.bench import Bench
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess, code
from tier_link.estate_messages import EntryRecorded, EntryRemarked

SERVER = PAGES.catalogue.say("en", "alarms.server")
MINUTE = 60
HOUR = 3600


@dataclass
class Estate:
    """A gate with a reader each way, another without one out, and a company whose workers come."""

    bench: Bench
    log: Log = field(init=False)
    company: str = ""
    way_in: str = ""
    way_out: str = ""
    side: str = ""

    def __post_init__(self) -> None:
        self.log = Log(self.bench.estate)
        with self.bench.estate.changer.change() as change:
            for table in (WorkerStay, Departure, StayCount, Alarm):
                change.session.execute(delete(table))
            change.session.execute(update(Door).values(state="new"))
            wanted = CompanyWanted(f"Company {secrets.token_hex(4)}", allowed_min=60)
            self.company = add_company(change, wanted)
        self.way_in, self.way_out = self.log.door("In", "in"), self.log.door("Out", "out")
        self.side = self.log.door("Side", "in")
        with self.bench.estate.changer.change() as change:
            change.session.execute(
                update(Door).where(Door.id == self.way_out).values(state="paired")
            )

    def worker(self, *doors: str) -> str:
        with self.bench.estate.changer.change() as change:
            return add_worker(change, self.company, Known(name="Wang"), unit="3-502", doors=doors)

    def housekeeper(self, visiting: str) -> str:
        with self.bench.estate.changer.change() as change:
            known = Known(name="Zhang", visiting=visiting)
            return add_worker(change, self.company, known)

    def passes(self, person: str, door: str, at: float, **more: object) -> EntryRecorded:
        """Return what a door tells of somebody whom it let through."""
        way = "out" if door == self.way_out else "in"
        fields = {"person": person, "category": "service", "direction": way} | more
        return self.log.message(at, **fields)

    def tell(self, person: str, door: str, at: float, **more: object) -> EntryRecorded:
        message = self.passes(person, door, at, **more)
        self.log.tell(door, message)
        return message

    def stays(self, person: str) -> list[tuple[int, int, str]]:
        with self.bench.estate.reading() as session:
            rows = session.scalars(
                select(WorkerStay)
                .where(WorkerStay.person_id == person)
                .order_by(WorkerStay.begins, WorkerStay.key)
            )
            return [(row.begins, row.ends, row.ended_by) for row in rows]

    def counts(self) -> dict[tuple[str, bool, int], int]:
        with self.bench.estate.reading() as session:
            rows = session.scalars(
                select(StayCount).where(StayCount.company_id == self.company)
            ).all()
            return {(row.day, row.seen, row.minutes): row.count for row in rows}

    def watch(self) -> set[str]:
        """Look as the server does; return whom alarms are about."""
        around = Surroundings(lambda _: True, lambda _: None, lambda: None, 24 * HOUR)
        with self.bench.estate.changer.change() as change:
            EstateWatch(around).look(change)
        with self.bench.estate.reading() as session:
            return active_subjects(session, AlarmKind.OVERSTAY)


@pytest.fixture
def estate_(bench: Bench) -> Estate:
    return Estate(bench)


@pytest.fixture
def desk(bench: Bench) -> Iterator[InProcess]:
    with InProcess(bench.estate) as desk:
        yield desk


def inside(desk: InProcess) -> dict[str, dict[str, object]]:
    return {one["person"]: one for one in desk.call("inside")}


def test_a_worker_is_inside_from_the_way_in_to_the_way_out(
    estate_: Estate, desk: InProcess
) -> None:
    person, at = estate_.worker(), now() - 10 * MINUTE
    estate_.tell(person, estate_.way_in, at)
    one = inside(desk)[person]
    assert (one["since"], one["until"]) == (at, at + HOUR)
    assert (one["whom"], one["company"], one["door_name"]) == ("3-502", estate_.company, "In")
    regular, spare = estate_.housekeeper("1-101, 1-102"), estate_.housekeeper("")
    for other in (regular, spare):
        estate_.tell(other, estate_.way_in, at)
    found = inside(desk)
    assert (found[regular]["whom"], found[spare]["whom"]) == ("1-101, 1-102", "")
    assert (one["estimated"], one["overstays"]) == (False, False)
    page = desk.get("/services").text
    assert f'data-testid="inside-{person}"' in page
    estate_.tell(person, estate_.way_out, at + 5 * MINUTE)
    assert person not in inside(desk)
    assert estate_.stays(person) == [(at * 1000, (at + 5 * MINUTE) * 1000, "door")]


def test_residents_and_visitors_are_never_followed(estate_: Estate, desk: InProcess) -> None:
    for category in ("resident", "visitor"):
        person = estate_.log.person("R", "1-1", category)
        estate_.tell(person, estate_.way_in, now(), category=category)
        assert person not in inside(desk)
        assert estate_.stays(person) == []


def test_a_refused_worker_and_one_who_did_not_go_through_are_not_inside(
    estate_: Estate, desk: InProcess
) -> None:
    refused, turned = estate_.worker(), estate_.worker()
    estate_.tell(refused, estate_.way_in, now(), granted=False, reason="suspended")
    entry = estate_.tell(turned, estate_.way_in, now())
    assert turned in inside(desk)
    estate_.log.tell(estate_.way_in, EntryRemarked(entry.entry, "not-passed"))
    assert inside(desk).keys().isdisjoint({refused, turned})
    assert estate_.counts() == {}


def test_without_a_reader_on_the_way_out_the_end_is_an_estimate_and_no_alarm(
    estate_: Estate, desk: InProcess
) -> None:
    person, at = estate_.worker(estate_.side), now() - 50 * MINUTE
    estate_.tell(person, estate_.side, at)
    one = inside(desk)[person]
    assert (one["estimated"], one["leaves"], one["overstays"]) == (True, at + HOUR, False)
    assert f'data-testid="inside-{person}"' in desk.get("/services/inside").text
    for number in range(5):  # enough to know what is usual: twenty minutes
        other, came = estate_.worker(), now() - (number + 2) * 24 * HOUR
        estate_.tell(other, estate_.way_in, came)
        estate_.tell(other, estate_.way_out, came + 20 * MINUTE)
    assert person not in inside(desk)
    estate_.tell(person, estate_.side, now() - 3 * HOUR)
    assert estate_.watch() == set()


def test_a_reader_of_another_pair_sees_nobody_leave(estate_: Estate, desk: InProcess) -> None:
    person = estate_.worker()
    with estate_.bench.estate.changer.change() as change:
        for door, pair in ((estate_.way_in, "north"), (estate_.way_out, "south")):
            change.session.get_one(Door, door).pair = pair
    estate_.tell(person, estate_.way_in, now())
    assert inside(desk)[person]["estimated"]


def test_whoever_stays_too_long_is_an_alarm_until_they_leave(
    estate_: Estate, desk: InProcess
) -> None:
    in_time, late, later = (estate_.worker() for _ in range(3))
    estate_.tell(in_time, estate_.way_in, now() - HOUR - 10 * MINUTE)
    for person in (late, later):
        estate_.tell(person, estate_.way_in, now() - HOUR - 16 * MINUTE)
    assert inside(desk)[in_time]["overstays"]
    for _ in range(2):
        assert estate_.watch() == {late, later}
    with desk.estate.reading() as session:
        alarms = list_alarms(session, desk.estate.safe, AlarmFilter(kind="overstay"), limit=9)
    assert [(one.severity, one.door) for one in alarms] == [("warning", "")] * 2
    page = desk.get(f"/alarms/{alarms[0].alarm}").text
    assert f'href="/people/{alarms[0].subject}"' in page
    for room in ("/", "/night", "/alarms"):
        shown = desk.get(room).text
        assert "inside for longer than allowed" in shown
        assert f"· {SERVER}" not in shown
    estate_.tell(late, estate_.way_out, now())
    assert estate_.watch() == {later}
    assert desk.send(f"inside/{later}/left", {}).status_code == 204
    with desk.estate.reading() as session:
        assert active_subjects(session, AlarmKind.OVERSTAY) == set()
    assert estate_.watch() == set()


def test_the_desks_word_ends_a_stay_and_bears_a_name(estate_: Estate, desk: InProcess) -> None:
    person = estate_.worker()
    estate_.tell(person, estate_.way_in, now() - HOUR)
    page = desk.submit(f"/services/inside/{person}/left")
    assert 'data-done="left"' in page.text
    assert person not in inside(desk)
    assert [ended for *_, ended in estate_.stays(person)] == ["desk"]
    assert (person, "") in estate_.log.audit("say-left")
    assert code(desk.send(f"inside/{person}/left", {})) == "not-inside"
    again = desk.submit(f"/services/inside/{person}/left")
    assert again.status_code == 409
    # What a door tells late, from before that word, does not bring anybody back.
    estate_.tell(person, estate_.side, now() - 30 * MINUTE)
    assert person not in inside(desk)


crossings = st.lists(
    st.tuples(st.integers(0, 30), st.sampled_from(["way_in", "way_out", "side"])),
    min_size=1,
    max_size=6,
    unique=True,
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(crossings, st.randoms(use_true_random=False))
def test_late_doubled_and_mixed_up_entries_give_the_same_stays_and_counts(
    bench: Bench, crossings: list[tuple[int, str]], random: object
) -> None:
    estate = Estate(bench)
    person, start = estate.worker(), now() - 40 * HOUR
    told = [
        (getattr(estate, door), estate.passes(person, getattr(estate, door), start + step * HOUR))
        for step, door in crossings
    ]
    mixed = told + told[: len(told) // 2]
    random.shuffle(mixed)  # type: ignore[attr-defined]  # a `random.Random`
    for door, message in mixed:
        estate.log.tell(door, message)
    with bench.estate.reading() as session:
        expected = stays_of(_passings(session, person, 0))
    assert estate.stays(person) == [(one.begins, one.ends, one.ended_by) for one in expected]
    assert sum(estate.counts().values()) == len(expected)
    seen = sum(count for (_, was_seen, _), count in estate.counts().items() if was_seen)
    assert seen == sum(one.ends > 0 for one in expected)


def test_two_doors_that_tell_of_somebody_at_once_lose_nothing(estate_: Estate) -> None:
    person, at = estate_.worker(), now() - 20 * HOUR
    comes = [estate_.passes(person, estate_.way_in, at + n * HOUR) for n in range(8)]
    leaves = [estate_.passes(person, estate_.way_out, at + n * HOUR + 600) for n in range(8)]

    def tell(door: str, messages: list[EntryRecorded]) -> None:
        for message in messages:
            estate_.log.tell(door, message)

    with ThreadPoolExecutor(2) as doors:
        both = [
            doors.submit(tell, estate_.way_in, comes),
            doors.submit(tell, estate_.way_out, leaves[::-1]),
        ]
        for one in both:
            one.result()
    assert [(end - begin) // 1000 for begin, end, _ in estate_.stays(person)] == [600] * 8
    assert sum(estate_.counts().values()) == 8


def test_visits_whose_entries_were_deleted_stay_counted_when_somebody_comes_again(
    estate_: Estate,
) -> None:
    person, at = estate_.worker(), now() - 60 * 24 * HOUR
    estate_.tell(person, estate_.way_in, at)
    estate_.tell(person, estate_.way_out, at + HOUR)
    estate_.tell(person, estate_.side, at + 24 * HOUR)
    with estate_.bench.estate.changer.change() as change:
        change.session.execute(delete(Entry).where(Entry.person_id == person))
    estate_.tell(person, estate_.way_in, now())
    assert [ended for *_, ended in estate_.stays(person)] == ["door", "unseen", ""]
    assert sum(estate_.counts().values()) == 3


def test_nobody_is_forgotten_who_is_inside(estate_: Estate, desk: InProcess) -> None:
    person = estate_.worker()
    estate_.tell(person, estate_.way_in, now() - HOUR)
    with desk.estate.changer.change() as change:
        get_person(change.session, person, lock=True).valid_until = now() - 25 * HOUR
    Sweeper.of(desk.estate).sweep()
    assert person in inside(desk)
    estate_.tell(person, estate_.way_out, now())
    Sweeper.of(desk.estate).sweep()
    assert person not in {one["person"] for one in desk.call("people")}


def test_counts_outlive_workers_and_name_nobody(estate_: Estate, desk: InProcess) -> None:
    person = estate_.worker()
    at = now() - 3 * 24 * HOUR
    for day, minutes in ((0, 30), (1, 40)):
        estate_.tell(person, estate_.way_in, at + day * 24 * HOUR)
        estate_.tell(person, estate_.way_out, at + day * 24 * HOUR + minutes * MINUTE)
    estate_.tell(person, estate_.side, at + 2 * 24 * HOUR)
    visits = desk.call(f"companies/{estate_.company}/visits")
    theirs = visits["workers"][person]
    assert (theirs["visits"], theirs["seen"], theirs["minutes"], theirs["days"]) == (3, 2, 70, 3)
    assert theirs["estimated"] == 60
    assert sum(month["visits"] for month in visits["months"].values()) == 3
    with desk.estate.changer.change() as change:
        remove_person(change, desk.estate.links, person)
    after = desk.call(f"companies/{estate_.company}/visits")
    assert after == {"months": visits["months"], "workers": {}}
    assert estate_.stays(person) == []
    assert 'data-testid="visits"' in desk.get(f"/services/companies/{estate_.company}").text
    estate_.tell(person, estate_.way_in, now())
    assert estate_.stays(person) == []
    with desk.estate.changer.change() as change:
        remove_company(change, estate_.company)
    assert estate_.counts() == {}


def test_a_worker_s_own_page_counts_their_months_alone_and_says_nothing_of_when_and_where(
    estate_: Estate, desk: InProcess
) -> None:
    person, other = estate_.worker(), estate_.worker()
    at = now() - 40 * 24 * HOUR
    for day, minutes in ((0, 30), (1, 40), (39, 50)):
        estate_.tell(person, estate_.way_in, at + day * 24 * HOUR)
        estate_.tell(person, estate_.way_out, at + day * 24 * HOUR + minutes * MINUTE)
    estate_.tell(other, estate_.way_in, at)
    months = desk.call(f"workers/{person}/visits")
    assert list(months) == sorted(months, reverse=True)
    assert sum(month["visits"] for month in months.values()) == 3
    assert sum(month["minutes"] for month in months.values()) == 120
    assert set(months) <= set(desk.call(f"companies/{estate_.company}/visits")["months"])
    page = desk.get(f"/people/{person}").text
    assert 'data-testid="visits"' in page
    assert next(iter(months)) in page
    assert estate_.way_in not in page
    assert 'data-testid="visits"' in desk.get(f"/people/{other}").text
    resident = desk.send("invitations", {"kind": "resident", "name": "Li", "unit": "7-7"}).json()
    assert code(desk.get(f"/api/v1/workers/{resident['person']}/visits")) == "person-unknown"
    assert 'data-testid="visits"' not in desk.get(f"/people/{resident['person']}").text


def test_the_stays_of_somebody_removed_meanwhile_do_not_linger(estate_: Estate) -> None:
    with estate_.bench.estate.changer.change() as change:
        change.session.add(
            WorkerStay(
                key="e" * 32,
                person_id="f" * 32,
                company_id=estate_.company,
                door_id=estate_.side,
                begins=1,
                last_seen=1,
                ends=0,
                ended_by="",
            )
        )
        forget_strays(change.session)
    assert estate_.stays("f" * 32) == []


def test_the_analysis_tells_seen_lengths_from_estimates(estate_: Estate, desk: InProcess) -> None:
    seen, guessed = estate_.worker(), estate_.worker(estate_.side)
    estate_.tell(seen, estate_.way_in, now() - HOUR)
    estate_.tell(seen, estate_.way_out, now() - HOUR + 25 * MINUTE)
    estate_.tell(guessed, estate_.side, now() - HOUR)
    found = desk.call("analysis", days="7")["time_inside"]
    assert found["seen"] == [0, 0, 1, 0, 0, 0, 0, 0]
    assert found["estimated"] == [0, 0, 0, 0, 1, 0, 0, 0]
    assert 'data-testid="chart-stays"' in desk.get("/entries/analysis", days="7").text


@pytest.mark.parametrize(
    ("lengths", "middle"), [({}, 0), ({5: 1}, 5), ({5: 2, 9: 1}, 5), ({5: 1, 9: 1}, 9)]
)
def test_the_median_is_the_middle_length(lengths: dict[int, int], middle: int) -> None:
    assert median(lengths) == middle
