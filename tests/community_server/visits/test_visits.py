"""Residents' pages and posters: what takes effect, once, and what is left of it afterwards."""

from collections.abc import Iterator

import pytest
from sqlalchemy import func, select, update

from community_server.analysis.service import analyse
from community_server.database import now
from community_server.erasure import remove_person
from community_server.messages.service import count_messages
from community_server.people.queries import doors_of
from community_server.people.service import limit_to_doors
from community_server.people.tables import Person
from community_server.services.tables import Company
from community_server.sweeper import Sweeper
from community_server.vault.tables import DataKey
from community_server.visits import service
from community_server.visits.counting import count_visit_entry
from community_server.visits.links import home_link_of, withdraw_home_link
from community_server.visits.queries import get_visit, visitor_counts
from community_server.visits.tables import Visit, VisitCount, VisitRequest
from community_server.visits.visiting import (
    ASKS_PER_DOOR_AND_HOUR,
    NOTICES_PER_UNIT_AND_HOUR,
    Visiting,
)
from tests.community_server.bench import STAFF, Bench
from tests.community_server.visits.bench import HOUR, VisitBench, ask, invitation
from tier_link.envelopes import Particulars
from tier_link.relay_messages import RELAY, InvitationsPublished, InvitationsWithdrawn
from tier_link.visit_answers import VisitAnswer
from tier_link.visits import Approve, Decline, End, Extend, Look, Share


@pytest.fixture
def here(bench: Bench) -> Iterator[VisitBench]:
    usual = bench.estate.visiting
    here = VisitBench(bench)
    yield here
    object.__setattr__(bench.estate, "visiting", usual)
    here.clear()


def person_of(here: VisitBench, visit: str) -> Person | None:
    shown = here.visit(visit)
    with here.bench.estate.reading() as session:
        return session.get(Person, shown.person) if shown and shown.person else None


def visit_keys(here: VisitBench) -> int:
    query = select(func.count()).where(DataKey.owner.like("visit:%"))
    with here.bench.estate.reading() as session:
        return session.scalar(query) or 0


def age(here: VisitBench, seconds: int, **columns: int) -> None:
    """Let every visit be older than it is."""
    values = {"created_at": Visit.created_at - seconds} | columns
    with here.bench.estate.changer.change() as change:
        change.session.execute(update(Visit).values(values))


def by_desk(here: VisitBench, visit: str, decision: str) -> None:
    estate = here.bench.estate
    with estate.changer.change() as change:
        row = get_visit(change.session, visit, lock=True)
        if decision == "approve":
            service.approve(change, estate.visiting, row, "desk", STAFF)
        elif decision == "decline":
            service.decline(change, estate.visiting, row, "desk", STAFF)
        else:
            service.end(change, estate.visiting, row)


def test_a_resident_invites_and_gets_a_pass_and_a_pin_to_hand_on_at_once(here: VisitBench) -> None:
    page = here.page(here.resident())
    answer = here.say(page, invitation())
    assert (answer.outcome, answer.reason) == ("done", "")
    assert answer.qr_pass
    assert len(answer.pin) == 6
    assert answer.unit == "1-101"
    visitor = person_of(here, answer.visit)
    assert visitor is not None
    assert (visitor.category, visitor.unit, visitor.state) == ("visitor", "1-101", "active")
    assert answer.home is not None
    (shown,) = answer.home.visits
    assert (shown.name, shown.plate, shown.state, shown.decided_by) == (
        "Wang Xin",
        "沪A12345",
        "approved",
        "you",
    )


def test_a_visitor_who_comes_by_face_gets_an_invitation(here: VisitBench) -> None:
    page = here.page(here.resident())
    answer = here.say(page, invitation(credential="face"))
    assert len(answer.invitation) == 64
    assert (answer.qr_pass, answer.pin) == ("", "")  # by default the desk compares the photo


def test_where_the_desk_decides_a_resident_waits_for_it(here: VisitBench) -> None:
    estate = here.bench.estate
    page = here.page(here.resident())
    settings = estate.settings.model_copy(update={"visits_decided_by": "desk"})
    object.__setattr__(estate, "visiting", Visiting(estate.links, settings, frozenset()))
    answer = here.say(page, invitation())
    assert (answer.outcome, answer.qr_pass) == ("waiting", "")
    assert person_of(here, answer.visit) is None
    by_desk(here, answer.visit, "approve")
    again = here.say(page, Share(answer.visit))
    assert again.qr_pass
    assert again.home is not None
    assert [one.decided_by for one in again.home.visits] == ["desk"]


def test_an_envelope_that_comes_twice_makes_one_visit_and_gets_the_same_answer(
    here: VisitBench,
) -> None:
    page = here.page(here.resident())
    sent = here.seal(page, invitation())
    here.bench.deliver(sent.deposit)
    (first,) = here.answers(sent)
    here.bench.deliver(sent.deposit, sent.deposit)
    assert here.answers(sent) == [first] * 3
    assert len(here.visits()) == 1


@pytest.mark.parametrize("late", [-25 * HOUR, 25 * HOUR])
def test_what_was_sent_a_day_ago_takes_no_effect(here: VisitBench, late: int) -> None:
    page = here.page(here.resident())
    answer = here.say(page, invitation(), sent_at=now() + late)
    assert (answer.outcome, answer.reason) == ("refused", "request-stale")
    assert here.visits() == []


def test_what_is_forged_or_for_another_place_gets_no_answer(here: VisitBench) -> None:
    page, other = here.page(here.resident()), here.page(here.resident("Bo", "1-102"))
    assert here.send(page, invitation(), auth=other.auth) == []
    assert here.send(page, invitation(), community="other-court-0000") == []
    assert here.send(page, invitation(), purpose="enrollment") == []
    assert here.visits() == []


def test_a_withdrawn_page_and_a_suspended_resident_can_do_nothing(here: VisitBench) -> None:
    estate, resident = here.bench.estate, here.resident()
    page = here.page(resident)
    with estate.changer.change() as change:
        change.session.get_one(Person, resident).suspended = True
    assert here.say(page, Look()).reason == "host-shut-out"
    with estate.changer.change() as change:
        change.session.get_one(Person, resident).suspended = False
        assert withdraw_home_link(change, estate.links, resident)
    refused = here.say(page, Look())
    assert (refused.reason, refused.home) == ("link-withdrawn", None)


def test_a_new_page_ends_the_one_before_and_the_cloud_hears_of_both(here: VisitBench) -> None:
    resident = here.resident()
    first, second = here.page(resident), here.page(resident)
    assert here.say(first, Look()).reason == "link-withdrawn"
    assert here.say(second, Look()).outcome == "done"
    told = [
        RELAY.decode(one.kind, one.body)
        for one in here.bench.estate.links.pending("cloud", 0, limit=10_000)
    ]
    opened = [i for one in told if isinstance(one, InvitationsPublished) for i in one.invitations]
    closed = [i for one in told if isinstance(one, InvitationsWithdrawn) for i in one.ids]
    mine = {first.id, second.id}
    opened_here = [(one.id, one.kind) for one in opened if one.id in mine]
    assert opened_here == [(first.id, "home"), (second.id, "home")]
    assert [one for one in closed if one in mine] == [first.id]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"visitor": Particulars(name=" ")}, "name-missing"),
        ({"valid_until": 0}, "window-missing"),
        ({"valid_until": 1_000_000}, "time-over"),
        ({"valid_until": now() + 100 * 24 * HOUR}, "window-long"),
        ({"doors": ("e" * 32,)}, "door-unknown"),
    ],
)
def test_an_invitation_that_cannot_be_is_refused_with_the_reason_and_leaves_nothing(
    here: VisitBench, changes: dict[str, object], reason: str
) -> None:
    page = here.page(here.resident())
    answer = here.say(page, invitation(**changes))
    assert (answer.outcome, answer.reason) == ("refused", reason)
    assert answer.home is not None
    assert here.visits() == []
    assert visit_keys(here) == 0


def test_a_resident_lets_visitors_in_by_their_own_doors_alone(here: VisitBench) -> None:
    mine, other = here.door("Mine"), here.door("Other")
    resident = here.resident()
    with here.bench.estate.changer.change() as change:
        limit_to_doors(change.session, resident, [mine])
    page = here.page(resident)
    assert here.say(page, invitation(doors=(other,))).reason == "door-unknown"
    answer = here.say(page, invitation())
    visitor = person_of(here, answer.visit)
    assert visitor is not None
    with here.bench.estate.reading() as session:
        assert doors_of(session, visitor.id) == {mine}
    assert answer.home is not None
    assert [door.name for door in answer.home.doors] == ["Mine"]


def test_nobody_ends_or_extends_the_visits_of_another_home(here: VisitBench) -> None:
    page = here.page(here.resident())
    stranger = here.page(here.resident("Bo", "1-102"))
    visit = here.say(page, invitation()).visit
    for asked in (End(visit), Extend(visit, now() + 9 * HOUR), Share(visit), Approve(visit)):
        assert here.say(stranger, asked).reason == "visit-unknown"
    assert here.say(page, Approve(visit)).reason == "visit-unknown"


def test_an_extended_pass_is_a_new_one_until_then(here: VisitBench) -> None:
    page = here.page(here.resident())
    first = here.say(page, invitation())
    until = now() + 20 * HOUR
    second = here.say(page, Extend(first.visit, until))
    assert second.qr_pass
    assert second.qr_pass != first.qr_pass
    visitor = person_of(here, first.visit)
    assert visitor is not None
    assert visitor.valid_until == until


def test_a_visit_that_is_cancelled_leaves_nothing_but_a_count(here: VisitBench) -> None:
    page = here.page(here.resident())
    visit = here.say(page, invitation()).visit
    visitor = person_of(here, visit)
    assert visitor is not None
    answer = here.say(page, End(visit))
    assert answer.home is not None
    assert answer.home.visits == ()
    with here.bench.estate.reading() as session:
        assert session.get(Person, visitor.id) is None
        counts = session.execute(select(func.count()).select_from(Visit)).scalar()
        month = session.scalars(select(VisitCount.month)).one()
        assert visitor_counts(session, month) == {"1-101": 1}
    assert analyse(here.bench.estate, 7, "").visitors == {"1-101": 1}
    assert counts == 0
    assert visit_keys(here) == 0


def test_after_its_window_a_visit_goes_by_itself(here: VisitBench) -> None:
    page = here.page(here.resident())
    visit = here.say(page, invitation()).visit
    visitor = person_of(here, visit)
    assert visitor is not None
    with here.bench.estate.changer.change() as change:
        change.session.get_one(Person, visitor.id).valid_until = now() - 1
    Sweeper.of(here.bench.estate).sweep()
    assert here.visits() == []
    assert visit_keys(here) == 0


def test_a_resident_who_is_erased_takes_their_visitors_and_their_page_along(
    here: VisitBench,
) -> None:
    estate, resident = here.bench.estate, here.resident()
    page = here.page(resident)
    visitor = person_of(here, here.say(page, invitation()).visit)
    assert visitor is not None
    with estate.changer.change() as change:
        remove_person(change, estate.links, resident)
    with estate.reading() as session:
        assert session.get(Person, visitor.id) is None
        assert home_link_of(session, resident) is None
    assert here.visits() == []


def test_the_last_entry_agreed_is_the_last(here: VisitBench) -> None:
    page = here.page(here.resident())
    answer = here.say(page, invitation(uses=2))
    assert answer.pin == ""  # doors do not count PINs
    visitor = person_of(here, answer.visit)
    assert visitor is not None
    for entries in (1, 2):
        with here.bench.estate.changer.change() as change:
            count_visit_entry(change, visitor.id)
        now_there = person_of(here, answer.visit)
        assert now_there is not None
        assert now_there.suspended == (entries == 2)
    home = here.say(page, Look()).home
    assert home is not None
    assert [one.entries for one in home.visits] == [2]
    for asked in (Share(answer.visit), Extend(answer.visit, now() + 9 * HOUR)):
        refused = here.say(page, asked)
        assert (refused.reason, refused.qr_pass) == ("visitor-shut-out", "")


# Posters


def test_whoever_asks_hears_the_same_whether_or_not_anybody_lives_there(here: VisitBench) -> None:
    here.page(here.resident())
    poster = here.poster(here.door())

    def said(visiting: str) -> VisitAnswer:
        return here.say(poster, ask(visiting=visiting))

    answers = [said("1-101"), said("9-999"), said("")]
    assert [one.outcome for one in answers] == ["waiting"] * 3
    blank = {"envelope", "sent_at"}
    shown = [
        {name: getattr(one, name) for name in one.__struct_fields__ if name not in blank}
        for one in answers
    ]
    assert shown[0] == shown[1] == shown[2]
    assert sorted(one.unit for one in here.visits()) == ["", "", "1-101"]


def test_a_host_approves_and_whoever_asked_gets_a_pass_sealed_to_them(here: VisitBench) -> None:
    page = here.page(here.resident())
    asked = here.seal(here.poster(here.door()), ask(visiting=" 1\uff0d101 "))
    here.bench.deliver(asked.deposit)
    home = here.say(page, Look()).home
    assert home is not None
    (shown,) = home.visits
    assert (shown.state, shown.name, shown.asked_at) == ("asked", "Li Na", "North gate")
    done = here.say(page, Approve(shown.visit))
    assert (done.outcome, done.qr_pass, done.pin) == ("done", "", "")
    waiting, approved = here.answers(asked)
    assert waiting.outcome == "waiting"
    assert approved.outcome == "approved"
    assert approved.qr_pass
    assert approved.pin
    assert now() + HOUR < approved.valid_until <= now() + 2 * HOUR
    assert here.say(page, Decline(shown.visit)).reason == "already-decided"


def test_a_neighbour_and_the_household_see_who_decided(here: VisitBench) -> None:
    one, other = here.page(here.resident()), here.page(here.resident("Bo"))
    neighbour = here.page(here.resident("Cy", "1-102"))
    here.send(here.poster(here.door()), ask())
    (visit,) = here.visits()
    assert here.say(neighbour, Approve(visit.visit)).reason == "visit-unknown"
    here.say(one, Decline(visit.visit))
    for page, who in ((one, "you"), (other, "household")):
        home = here.say(page, Look()).home
        assert home is not None
        assert [(seen.state, seen.decided_by) for seen in home.visits] == [("declined", who)]
    home = here.say(neighbour, Look()).home
    assert home is not None
    assert home.visits == ()


def test_the_page_that_is_open_hears_by_itself(here: VisitBench) -> None:
    page = here.page(here.resident())
    look = here.seal(page, Look())
    here.bench.deliver(look.deposit)
    here.send(here.poster(here.door()), ask())
    first, second = here.answers(look)
    assert first.home is not None
    assert second.home is not None
    assert (len(first.home.visits), len(second.home.visits)) == (0, 1)
    assert (first.number, second.number) == (1, 2)


def test_a_courier_is_the_desks_who_checks_them_in_for_their_company(here: VisitBench) -> None:
    page = here.page(here.resident())
    asked = here.seal(
        here.poster(here.door()), ask(courier=True, company="SF Express", credential="face")
    )
    here.bench.deliver(asked.deposit)
    home = here.say(page, Look()).home
    assert home is not None
    assert home.visits == ()
    (visit,) = here.visits()
    assert (visit.details.company, visit.credential) == ("SF Express", "pass")
    by_desk(here, visit.visit, "approve")
    approved = here.answers(asked)[-1]
    assert approved.qr_pass
    with here.bench.estate.reading() as session:
        assert sorted(session.scalars(select(Person.category))) == ["resident", "service"]
        assert session.scalars(select(Company.name)).all() == ["SF Express"]
    with here.bench.estate.changer.change() as change:
        change.session.execute(update(Visit).values(valid_until=now() - 1))
    Sweeper.of(here.bench.estate).sweep()
    assert here.visits() == []


def test_a_courier_of_no_company_gets_two_hours_as_a_visitor(here: VisitBench) -> None:
    asked = here.seal(here.poster(here.door()), ask(courier=True))
    here.bench.deliver(asked.deposit)
    by_desk(here, here.visits()[0].visit, "approve")
    approved = here.answers(asked)[-1]
    assert approved.qr_pass
    assert now() + HOUR < approved.valid_until <= now() + 2 * HOUR


def test_the_desk_declines_and_whoever_asked_is_told(here: VisitBench) -> None:
    asked = here.seal(here.poster(here.door()), ask())
    here.bench.deliver(asked.deposit)
    by_desk(here, here.visits()[0].visit, "decline")
    assert here.answers(asked)[-1].outcome == "declined"


def test_nobody_waits_for_longer_than_a_day(here: VisitBench) -> None:
    asked = here.seal(here.poster(here.door()), ask())
    here.bench.deliver(asked.deposit)
    age(here, 25 * HOUR)
    Sweeper.of(here.bench.estate).sweep()
    answer = here.answers(asked)[-1]
    assert (answer.outcome, answer.reason) == ("declined", "unanswered")
    assert here.visits() == []
    assert visit_keys(here) == 0


def test_a_poster_takes_so_many_an_hour(here: VisitBench) -> None:
    poster = here.poster(here.door())
    sent = [here.seal(poster, ask()) for _ in range(ASKS_PER_DOOR_AND_HOUR + 1)]
    here.bench.deliver(*(one.deposit for one in sent))
    answers = [here.answers(one)[0] for one in sent]
    assert [one.outcome for one in answers[:-1]] == ["waiting"] * ASKS_PER_DOOR_AND_HOUR
    assert (answers[-1].outcome, answers[-1].reason) == ("refused", "asks-too-many")


def test_a_household_is_written_to_without_names_and_not_all_night(here: VisitBench) -> None:
    estate = here.bench.estate
    here.page(here.resident(email="ada@example.org"))
    visiting = Visiting(estate.links, estate.settings, frozenset({"mail"}))
    object.__setattr__(estate, "visiting", visiting)
    poster = here.poster(here.door())
    for _ in range(NOTICES_PER_UNIT_AND_HOUR + 2):
        here.send(poster, ask())
    with estate.reading() as session:
        assert count_messages(session) == {"queued": NOTICES_PER_UNIT_AND_HOUR}


def test_a_poster_does_nothing_but_ask(here: VisitBench) -> None:
    poster = here.poster(here.door())
    assert here.say(poster, Look()).reason == "link-wrong"
    assert here.say(poster, invitation()).reason == "link-wrong"
    assert here.say(here.page(here.resident()), ask()).reason == "link-wrong"


def test_requests_are_known_again_for_as_long_as_they_could_be_fresh(here: VisitBench) -> None:
    page = here.page(here.resident())
    sent = here.seal(page, Look())
    here.bench.deliver(sent.deposit)
    estate = here.bench.estate
    for age_s, left in ((2 * 24 * HOUR + 60, 1), (3 * 24 * HOUR + 60, 0)):
        with estate.changer.change() as change:
            change.session.execute(update(VisitRequest).values(received_at=now() - age_s))
        Sweeper.of(estate).sweep()
        with estate.reading() as session:
            rows = select(func.count()).select_from(VisitRequest)
            assert session.scalar(rows) == left
