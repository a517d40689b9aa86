"""What a visit changes for whoever enrolls by its link, and what a resident gets with an answer."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from community_server.people.particulars import open_known
from community_server.people.queries import get_person
from community_server.visits.visiting import Visiting
from tests.community_server.bench import Bench, Draft
from tests.community_server.visits.bench import VisitBench, invitation
from tier_link.envelopes import Particulars
from tier_link.invitations import parse_fragment
from tier_link.visits import Look


@pytest.fixture
def here(bench: Bench) -> Iterator[VisitBench]:
    usual = bench.estate.visiting
    here = VisitBench(bench)
    yield here
    object.__setattr__(bench.estate, "visiting", usual)
    here.clear()


def without_face(here: VisitBench, fragment: str) -> Draft:
    draft = here.bench.draft(parse_fragment(fragment), (), kind="visitor")
    wrote = Particulars(name="Mallory", phone="13800000000")
    return replace(draft, alternative="pin", particulars=wrote)


def test_an_expected_visitor_without_a_face_is_let_in_at_once_under_their_hosts_name_for_them(
    here: VisitBench,
) -> None:
    page = here.page(here.resident())
    visit = here.say(page, invitation(credential="face"))
    (reply,) = here.bench.send(without_face(here, visit.invitation))
    assert reply.outcome == "enrolled"
    assert reply.pin
    assert reply.qr_pass
    shown = here.visit(visit.visit)
    assert shown is not None
    with here.bench.estate.reading() as session:
        person = get_person(session, shown.person)
        known = open_known(session, here.bench.estate.safe, person)
    assert (known.name, known.phone) == ("Wang Xin", "13800000000")


def test_a_visitor_of_so_many_entries_gets_a_pass_that_counts_and_no_pin(here: VisitBench) -> None:
    page = here.page(here.resident())
    visit = here.say(page, invitation(credential="face", uses=1))
    (reply,) = here.bench.send(without_face(here, visit.invitation))
    assert (reply.outcome, reply.pin) == ("enrolled", "")
    assert reply.qr_pass


def test_where_the_first_opening_needs_a_pin_the_host_has_it_to_hand_on(here: VisitBench) -> None:
    estate = here.bench.estate
    settings = estate.settings.model_copy(update={"first_opening": "pin"})
    object.__setattr__(estate, "visiting", Visiting(estate.links, settings, frozenset()))
    answer = here.say(here.page(here.resident()), invitation(credential="face"))
    assert answer.invitation
    assert (len(answer.pin), answer.unit) == (6, "1-101")


def test_a_resident_whom_the_desk_approves_hears_of_their_own_page_once(here: VisitBench) -> None:
    bench = here.bench
    secret, person = bench.invite()
    draft = replace(bench.draft(secret, ()), alternative="pin")
    (received,) = bench.send(draft)
    assert (received.outcome, received.home) == ("received", "")
    bench.decide(draft.envelope, "approve")
    enrolled = bench.replies(draft)[-1]
    home = here.say(parse_fragment(enrolled.home), Look()).home
    assert home is not None
    assert home.name == "Ada"
    assert bench.estate.book.find(person) is not None
