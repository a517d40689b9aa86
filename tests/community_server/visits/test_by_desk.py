"""Visitors whom staff invite: listed, extended, counted and ended like everybody else's."""

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from community_server.database import now
from community_server.passes.queries import pass_of
from community_server.people.particulars import open_known
from community_server.people.queries import get_person
from community_server.people.tables import Person
from community_server.sweeper import Sweeper
from community_server.vault.tables import DataKey
from community_server.visits.by_desk import adopt_visitors
from community_server.visits.counting import count_visit_entry
from community_server.visits.queries import visit_of
from tests.community_server.in_process import InProcess, code
from tests.community_server.visits.bench import HOUR, VisitBench, invitation
from tier_link.envelopes import Particulars
from tier_link.invitations import parse_fragment, parse_link


def invite(desk: InProcess, **changes: Any) -> Any:
    wanted = {"kind": "visitor", "name": "Wang Xin", "valid_until": now() + 4 * HOUR}
    made = desk.send("invitations", wanted | changes)
    assert made.status_code == 201, made.text
    return made.json()


def on_paper(here: VisitBench, moment: int) -> str:
    """Return a moment as a date field sends it."""
    return f"{datetime.fromtimestamp(moment, here.bench.estate.visiting.zone):%Y-%m-%dT%H:%M}"


def person_of(here: VisitBench, person: str) -> Person | None:
    with here.bench.estate.reading() as session:
        return session.get(Person, person)


def enroll_without_face(here: VisitBench, link: str, name: str = "Mallory") -> tuple[str, str]:
    """Return an enrollment that chose a PIN, and what became of it."""
    draft = here.bench.draft(parse_link(link).invitation, (), kind="visitor")
    draft = replace(draft, alternative="pin", particulars=Particulars(name=name))
    (reply,) = here.bench.send(draft)
    return draft.envelope, reply.outcome


def test_whom_the_desk_invites_is_among_the_visits_with_all_that_was_said(
    here: VisitBench, desk: InProcess
) -> None:
    here.resident()
    made = invite(desk, unit="1-101", purpose="tea", plate="沪A12345", uses=3)
    (visit,) = desk.call("visits")
    assert visit["person"] == made["person"]
    assert (visit["name"], visit["purpose"], visit["plate"]) == ("Wang Xin", "tea", "沪A12345")
    assert (visit["unit"], visit["uses"], visit["state"]) == ("1-101", 3, "approved")
    assert (visit["decided_how"], visit["host"]) == ("desk", "")
    with here.bench.estate.reading() as session:
        known = open_known(session, here.bench.estate.safe, get_person(session, made["person"]))
    assert (known.name, known.purpose, known.plate) == ("Wang Xin", "tea", "沪A12345")


def test_a_visitor_of_a_unit_counts_in_its_month_and_of_none_in_nobodys(
    here: VisitBench, desk: InProcess
) -> None:
    here.resident()
    for unit in ("1-101", "9-999", ""):
        invite(desk, unit=unit)
    month = f"{datetime.fromtimestamp(now(), here.bench.estate.visiting.zone):%Y-%m}"
    assert desk.call(f"visits/counts/{month}") == {"1-101": 1}
    assert sorted(one["visiting"] for one in desk.call("visits")) == ["", "1-101", "9-999"]


def test_their_visit_is_extended_and_the_visitor_may_stay_as_long(
    here: VisitBench, desk: InProcess
) -> None:
    person = invite(desk)["person"]
    (visit,) = desk.call("visits")
    until = now() + 30 * HOUR
    assert desk.send(f"visits/{visit['visit']}/extension", {"valid_until": until}).is_success
    row = person_of(here, person)
    assert row is not None
    assert row.valid_until == until


def test_whoever_chose_no_face_goes_on_by_their_pin_and_a_new_pass(
    here: VisitBench, desk: InProcess
) -> None:
    made = invite(desk)
    envelope, _ = enroll_without_face(here, made["link"])
    here.bench.decide(envelope, "approve")
    (visit,) = desk.call("visits")
    before = person_of(here, made["person"])
    until = now() + 30 * HOUR
    extended = desk.send(f"visits/{visit['visit']}/extension", {"valid_until": until}).json()
    assert "/pass#" in extended["link"]
    assert extended["pin"] == ""
    after = person_of(here, made["person"])
    assert before is not None
    assert after is not None
    assert before.pin_hash == after.pin_hash != ""
    with here.bench.estate.reading() as session:
        held = pass_of(session, made["person"])
        assert held is not None
        assert until - 60 <= held.ends <= until


def test_another_end_on_the_visitors_page_is_the_visits_end(
    here: VisitBench, desk: InProcess
) -> None:
    person, until = invite(desk)["person"], now() + 2 * HOUR
    desk.submit(f"/people/{person}/validity", valid_until=on_paper(here, until))
    (visit,) = desk.call("visits")
    assert visit["valid_until"] == until - until % 60


def test_who_has_left_early_is_forgotten_with_their_link(here: VisitBench, desk: InProcess) -> None:
    made = invite(desk)
    (visit,) = desk.call("visits")
    page = desk.submit(f"/visitors/visits/{visit['visit']}/end")
    assert 'data-done="visit-ended"' in page.text
    assert desk.call("visits") == []
    assert person_of(here, made["person"]) is None
    keys = select(func.count()).where(DataKey.owner.like("visit:%"))
    with here.bench.estate.reading() as session:
        assert session.scalar(keys) == 0


def test_after_the_last_entry_that_the_desk_agreed_to_no_door_opens(
    here: VisitBench, desk: InProcess
) -> None:
    person = invite(desk, uses=2)["person"]
    shut = []
    for _ in range(2):
        with here.bench.estate.changer.change() as change:
            count_visit_entry(change, person)
        row = person_of(here, person)
        assert row is not None
        shut.append(row.suspended)
    assert shut == [False, True]
    (visit,) = desk.call("visits")
    assert (visit["entries"], visit["uses"]) == (2, 2)


def test_nobody_stands_for_whoever_holds_the_link_so_the_desk_still_looks(
    here: VisitBench, desk: InProcess
) -> None:
    made = invite(desk)
    envelope, outcome = enroll_without_face(here, made["link"])
    assert outcome == "received"
    row = person_of(here, made["person"])
    assert row is not None
    assert row.state == "invited"
    here.bench.decide(envelope, "approve")
    (visit,) = desk.call("visits")
    assert visit["name"] == "Mallory"  # the desk has seen what they wrote, and agreed


def test_whom_a_host_invites_needs_no_other_word_also_where_the_desk_had_the_last(
    here: VisitBench,
) -> None:
    page = here.page(here.resident())
    visit = here.say(page, invitation(credential="face"))
    shown = here.visit(visit.visit)
    assert shown is not None
    with here.bench.estate.changer.change() as change:
        row = visit_of(change.session, shown.person)
        assert row is not None
        row.decided_how = "desk"  # as with `visits_decided_by = "desk"`
    draft = here.bench.draft(parse_fragment(visit.invitation), (), kind="visitor")
    (reply,) = here.bench.send(replace(draft, alternative="pin"))
    assert reply.outcome == "enrolled"


def test_a_visitor_whom_an_older_server_kept_without_a_visit_gets_one(
    here: VisitBench, desk: InProcess
) -> None:
    _, person = here.bench.invite("visitor", name="Guest", unit="1-101")
    assert desk.call("visits") == []
    Sweeper.of(here.bench.estate).sweep()
    (visit,) = desk.call("visits")
    assert (visit["name"], visit["person"], visit["state"]) == ("Guest", person, "approved")
    with here.bench.estate.changer.change() as change:
        assert adopt_visitors(change) == 0


def test_the_desks_form_asks_for_purpose_plate_and_entries(
    here: VisitBench, desk: InProcess
) -> None:
    until = on_paper(here, now() + 5 * HOUR)
    fields = {"name": "Li Na", "purpose": "piano", "plate": "京B1", "uses": "2"}
    page = desk.submit("/visitors", valid_until=until, **fields)
    assert 'data-testid="invite-link"' in page.text
    (visit,) = desk.call("visits")
    assert (visit["purpose"], visit["plate"], visit["uses"]) == ("piano", "京B1", 2)
    wrong = desk.submit("/visitors", valid_until=until, uses="300")
    assert 'data-code="number-wrong"' in wrong.text


def test_a_number_of_entries_that_no_pass_could_count_is_refused(desk: InProcess) -> None:
    wanted = {"kind": "visitor", "valid_until": now() + HOUR, "uses": 256}
    assert code(desk.send("invitations", wanted)) == "input-refused"
