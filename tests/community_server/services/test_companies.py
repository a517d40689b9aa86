"""Companies and their workers: let in where and when their company says, shut out all at once."""

from collections.abc import Iterator

import pytest

from community_server.access.groups import load_groups
from community_server.access.membership import groups_of
from community_server.access.service import GroupWanted, add_group, remove_group
from community_server.database import now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.intake.approvals import list_waiting
from community_server.invitations.service import invite_again
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import issue_pin, suspend_person
from community_server.services.companies import (
    CompanyWanted,
    add_company,
    change_company,
    remove_company,
    suspend_company,
)
from community_server.services.queries import find_company, list_companies
from community_server.services.workers import WAY_OUT_MIN, CheckIn, add_worker, check_in
from community_server.sweeper import Sweeper
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench
from tests.community_server.in_process import InProcess, code
from tests.community_server.rosters.told import pair, roster, told
from tests.community_server.traces import traces
from tier_link.estate_messages import RosterDelta
from tier_link.invitations import parse_link
from tier_link.passes import SignedPass, read_pass

DAY = 24 * 3600
_made = iter(range(10_000))


def company(bench: Bench, **more: object) -> str:
    wanted = CompanyWanted(**({"name": f"Company {next(_made)}"} | more))  # type: ignore[arg-type]  # fields by name
    with bench.estate.changer.change() as change:
        return add_company(change, wanted)


def worker(bench: Bench, of: str, **more: object) -> str:
    with bench.estate.changer.change() as change:
        person = add_worker(change, of, Known(name="W"), **more)  # type: ignore[arg-type]  # fields by name
        issue_pin(change, person)
    return person


def suspend(bench: Bench, of: str, *, suspended: bool) -> None:
    with bench.estate.changer.change() as change:
        suspend_company(change, of, suspended=suspended)


@pytest.fixture
def desk(bench: Bench) -> Iterator[InProcess]:
    with InProcess(bench.estate) as desk:
        yield desk


def test_suspending_a_company_shuts_all_its_workers_out_in_one_change(bench: Bench) -> None:
    door, ours, other = pair(bench, "Gate"), company(bench), company(bench)
    shut_out = {worker(bench, ours), worker(bench, ours)}
    free = worker(bench, other)
    suspend(bench, ours, suspended=True)

    last = told(bench, door)[-1]
    assert isinstance(last, RosterDelta)
    assert {one.person for one in last.upserts if one.suspended} == shut_out
    assert not roster(bench, door)[free].suspended
    for person in shut_out:
        row = bench.estate.book.find(person)
        assert row is not None
        assert row.roster.suspended
    late = worker(bench, ours)
    assert roster(bench, door)[late].suspended
    assert {one.person for one in roster(bench, pair(bench, "New")).values() if one.suspended} >= (
        shut_out | {late}
    )


def test_lifting_it_leaves_whoever_was_suspended_by_themselves(bench: Bench) -> None:
    door, ours = pair(bench, "Gate"), company(bench)
    one, other = worker(bench, ours), worker(bench, ours)
    suspend(bench, ours, suspended=True)
    with bench.estate.changer.change() as change:
        suspend_person(change, one, suspended=True)
    suspend(bench, ours, suspended=False)
    assert roster(bench, door)[one].suspended
    assert not roster(bench, door)[other].suspended
    suspend(bench, ours, suspended=True)
    with bench.estate.changer.change() as change:
        suspend_person(change, one, suspended=False)
    assert roster(bench, door)[one].suspended


def test_workers_go_by_the_group_of_their_company_and_follow_it(bench: Bench) -> None:
    front, back = pair(bench, "Front"), pair(bench, "Back")
    with bench.estate.changer.change() as change:
        first, second = (
            add_group(
                change, GroupWanted(f"G{next(_made)}", every_door=False, doors=frozenset([d]))
            )
            for d in (front, back)
        )
    ours = company(bench, group=first)
    person, apart = worker(bench, ours), worker(bench, ours, doors=[front])
    assert person in roster(bench, front)
    assert person not in roster(bench, back)
    with bench.estate.changer.change() as change:
        before = find_company(change.session, bench.estate.safe, ours)
        change_company(change, ours, CompanyWanted(before.name, group=second))
    assert person not in roster(bench, front)
    assert person in roster(bench, back)
    assert apart in roster(bench, front)
    with bench.estate.reading() as session:
        assert groups_of(session, person) == {second}
    empty = company(bench, group=first)
    with pytest.raises(Conflict, match="group"), bench.estate.changer.change() as change:
        remove_group(change, first)
    with bench.estate.changer.change() as change:
        remove_company(change, empty)
        remove_group(change, first)
        assert first not in load_groups(change.session).known


def test_a_worker_enrolls_by_a_visitors_form_and_waits_for_the_desk(
    bench: Bench, people: list[SamplePerson]
) -> None:
    ours = company(bench)
    person = worker(bench, ours)
    with bench.estate.changer.change() as change:
        link = invite_again(change, bench.estate.links, person, days=1).link
    assert "/visit#" in link
    draft = bench.draft(parse_link(link).invitation, [people[0].portrait], kind="visitor")
    assert [reply.outcome for reply in bench.send(draft)] == ["received"]
    with bench.estate.reading() as session:
        (waiting,) = list_waiting(session, bench.estate.safe)
    assert (waiting.category, waiting.held_for) == ("service", "visitor")
    assert bench.decide(draft.envelope, "approve")
    row = bench.estate.book.find(person)
    assert row is not None
    assert row.roster.template
    assert row.roster.category == "service"


def test_somebody_checks_in_with_a_pass_for_the_allowed_stay(bench: Bench) -> None:
    way_in, way_out = pair(bench, "In", "in"), pair(bench, "Out", "out")
    ours = company(bench, allowed_min=60)
    with bench.estate.changer.change() as change:
        made = check_in(change, CheckIn(company=ours, unit="3-502", doors={way_in, way_out}))  # type: ignore[arg-type]  # any set
    assert made.given.uses == 1
    assert 0 <= (60 + WAY_OUT_MIN) * 60 - (made.given.ends - made.given.begins) < 120
    assert isinstance(read_pass(made.given.text), SignedPass)
    for door in (way_in, way_out):
        held = roster(bench, door)[made.person]
        assert (held.category, held.pass_id) == ("service", made.given.pass_id)
    suspend(bench, ours, suspended=True)
    with pytest.raises(Conflict, match="suspended"), bench.estate.changer.change() as change:
        check_in(change, CheckIn(company=ours))


def test_a_pass_opens_a_door_for_both_ways_twice(bench: Bench) -> None:
    door = pair(bench, "Both")
    with bench.estate.changer.change() as change:
        made = check_in(change, CheckIn(new_company="Both Ways", doors=frozenset({door})))
    assert made.given.uses == 2


def test_a_company_named_at_the_gate_is_added_once(bench: Bench) -> None:
    made = []
    for name in ("Swift  Parcels", "swift parcels"):
        with bench.estate.changer.change() as change:
            made.append(check_in(change, CheckIn(new_company=name)).company)
    assert made[0] == made[1]
    with pytest.raises(InputRefused), bench.estate.changer.change() as change:
        check_in(change, CheckIn())


def test_a_worker_is_forgotten_by_the_companys_retention_and_a_regular_one_stays(
    bench: Bench,
) -> None:
    ours = company(bench, retention_days=2)
    with bench.estate.changer.change() as change:
        name = "Checked In For A Day"
        gone = check_in(change, CheckIn(company=ours, name=name)).person
    kept, regular = worker(bench, ours), worker(bench, ours)
    with bench.estate.changer.change() as change:
        for person, ended in ((gone, 2 * DAY), (kept, 2 * DAY - 3600)):
            get_person(change.session, person, lock=True).valid_until = now() - ended
            change.touch(person)
    Sweeper.of(bench.estate).sweep()
    with bench.estate.reading() as session:
        with pytest.raises(NotFound):
            get_person(session, gone)
        for person in (kept, regular):
            get_person(session, person)
    assert bench.estate.name_of(gone) == ""


def test_whom_to_call_is_sealed_and_goes_with_the_company(bench: Bench) -> None:
    contact = "Ms Calls 13812345678"
    ours = company(bench, contact=contact)
    person = worker(bench, ours)
    estate = bench.estate
    with estate.reading() as session:
        assert find_company(session, estate.safe, ours).contact == contact
    assert traces(estate, estate.settings.data, [contact.encode()]) == []
    with pytest.raises(Conflict), estate.changer.change() as change:
        remove_company(change, ours)
    with estate.changer.change() as change:
        change.session.delete(get_person(change.session, person))
        change.session.flush()
        remove_company(change, ours)
    with estate.reading() as session:
        assert ours not in {one.company for one in list_companies(session, estate.safe)}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": ""}, "name"),
        ({"kind": "burglary"}, "kind"),
        ({"group": 9999}, "group"),
        ({"allowed_min": 0}, "allowed_min"),
        ({"retention_days": 366}, "retention_days"),
        ({"contact": "x" * 201}, "contact"),
    ],
)
def test_what_makes_no_company_is_refused(
    bench: Bench, wanted: dict[str, object], field: str
) -> None:
    with pytest.raises(InputRefused) as refused:
        company(bench, **wanted)
    assert refused.value.field == field


def test_programs_keep_companies_and_check_couriers_in(desk: InProcess) -> None:
    body = {"name": "Bright Homes", "kind": "housekeeping", "allowed_min": 240, "external_id": "b7"}
    ours = desk.send("companies", body).json()["company"]
    assert code(desk.send("companies", body)) == "name-taken"
    assert desk.call(f"companies/{ours}")["allowed_min"] == 240
    made = desk.send(f"companies/{ours}/workers", {"name": "Hu", "visiting": "1-101, 1-102"})
    (listed,) = desk.call(f"companies/{ours}/workers")
    assert (listed["person"], listed["category"]) == (made.json()["person"], "service")
    assert listed["company"] == ours
    checked = desk.send("check-ins", {"company": ours, "unit": "1-101"}).json()
    assert checked["text"]
    assert checked["link"].startswith("https://cloud.example/pass#")
    assert code(desk.send("check-ins", {})) == "company-missing"


def test_the_desk_shows_companies_suspends_them_and_checks_couriers_in(desk: InProcess) -> None:
    fields = {"name": "Red Riders", "kind": "takeaway", "allowed_min": "45", "retention_days": "1"}
    page = desk.submit("/services/companies/new", **fields)
    assert 'data-done="company-saved"' in page.text
    ours = page.url.path.rsplit("/", 1)[-1]
    again = desk.submit("/services/companies/new", **fields, contact="Mr Li")
    assert again.status_code == 422
    assert 'data-code="name-taken"' in again.text
    assert "Mr Li" in again.text
    added = desk.submit(f"/services/companies/{ours}/workers", name="Ma Jun", visiting="2-201")
    assert 'data-done="worker-added"' in added.text
    assert "Red Riders" in added.text
    assert "2-201" in added.text
    nobody = desk.submit(f"/services/companies/{ours}/workers", name="")
    assert 'data-code="name-missing"' in nobody.text
    given = desk.submit("/services", company=ours, plate="京A12345")
    assert 'data-testid="pass-given"' in given.text
    named = desk.submit("/services", company=ours, new_company="Blue Riders", kind="takeaway")
    assert 'data-testid="pass-given"' in named.text
    assert 'data-testid="company-Blue Riders"' in desk.get("/services/companies").text
    shut = desk.submit(f"/services/companies/{ours}/suspended", suspended="yes")
    assert 'data-done="company-suspended"' in shut.text
    states = {one["state"] for one in desk.call(f"companies/{ours}/workers")}
    assert states == {"suspended"}
    refused = desk.submit("/services", company=ours)
    assert 'data-code="company-suspended"' in refused.text
    listed = desk.get("/services/companies").text
    assert 'data-testid="company-Red Riders"' in listed
    assert 'data-testid="company-resume"' in desk.get(f"/services/companies/{ours}").text
    used = desk.submit(f"/services/companies/{ours}/removal")
    assert 'data-code="company-used"' in used.text
