"""Residents' pages and posters on the estate's own network, without the cloud."""

from dataclasses import replace
from typing import Final

import pytest

from community_server.estate import Estate
from community_server.visits.links import withdraw_home_link
from tests.community_server.bench import Bench
from tests.community_server.own_forms.phone import Phone, code, outbox
from tests.community_server.own_forms.visits_by_phone import answer_to, asked
from tests.community_server.visits.bench import VisitBench, ask, invitation
from tier_link.visits import Look

ANOTHER: Final = bytes(32)


@pytest.fixture(scope="module")
def database() -> str:
    """Both databases are another file's."""
    return ""


@pytest.fixture
def visits(estate: Estate) -> VisitBench:
    return VisitBench(Bench(estate))


def test_a_resident_invites_a_visitor_and_hears_of_it_here(
    visits: VisitBench, phone: Phone
) -> None:
    page = visits.page(visits.resident())
    assert phone.state(page).json()["kind"] == "home"
    before = outbox(visits.bench.estate)
    look = visits.seal(page, Look())
    assert phone.put(asked(look)).status_code == 202
    assert answer_to(phone, look).outcome == "done"
    wish = visits.seal(page, invitation())
    assert phone.put(asked(wish)).status_code == 202
    first = answer_to(phone, wish)
    assert first.qr_pass
    assert phone.put(asked(wish)).status_code == 202
    assert answer_to(phone, wish) == first
    assert len(visits.visits()) == 1
    assert outbox(visits.bench.estate) == before
    visits.clear()


def test_whoever_asks_at_a_poster_is_answered_here(visits: VisitBench, phone: Phone) -> None:
    visits.resident()
    poster = visits.poster(visits.door())
    assert phone.state(poster).json()["kind"] == "poster"
    sent = visits.seal(poster, ask())
    assert phone.put(asked(sent)).status_code == 202
    assert answer_to(phone, sent).outcome == "waiting"
    visits.clear()


def test_a_page_that_was_withdrawn_and_a_guessed_one_lead_nowhere(
    visits: VisitBench, phone: Phone
) -> None:
    person = visits.resident()
    page = visits.page(person)
    guessed = visits.seal(page, Look(), auth=ANOTHER)
    assert code(phone.put(asked(guessed))) == (400, "envelope-unreadable")
    nobodys = replace(asked(guessed), invitation="0" * 32)
    assert code(phone.put(nobodys)) == (404, "invitation-unknown")
    with visits.bench.estate.changer.change() as change:
        withdraw_home_link(change, visits.bench.estate.links, person)
    assert code(phone.state(page)) == (410, "invitation-withdrawn")
    visits.clear()
