"""An estate without a cloud: every link that it makes leads to its own forms, and works there."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import pytest

from community_server.change import CLOUD
from community_server.cloud_news import publish_open_invitations
from community_server.estate import Estate, open_estate
from community_server.settings import Settings
from community_server.setup.community import get_community
from tests.community_server.bench import Bench, prepare
from tests.community_server.in_process import InProcess, code
from tests.community_server.own_forms.phone import Asked, Phone, at_home, outbox
from tests.community_server.own_forms.visits_by_phone import answer_to, asked
from tests.community_server.visits.bench import VisitBench, ask, invitation
from tier_link.invitations import InvitationSecret, parse_fragment, parse_link
from tier_link.relay_messages import RELAY, InvitationsPublished
from tier_link.visits import Look, Share

DESK: Final = "https://desk.example"


@dataclass(frozen=True)
class Alone:
    """An estate that never had a cloud, its desk, and a phone in its Wi-Fi."""

    estate: Estate
    desk: InProcess
    phone: Phone

    @property
    def bench(self) -> Bench:
        return Bench(self.estate)

    @property
    def visits(self) -> VisitBench:
        return VisitBench(self.bench)

    def page(self, resident: str) -> InvitationSecret:
        made = self.desk.send(f"people/{resident}/page", {})
        assert made.is_success, made.text
        assert made.json()["link"].startswith(f"{DESK}/c/")
        return parse_link(made.json()["link"]).invitation

    def poster(self, door: str) -> InvitationSecret:
        link = self.desk.send(f"doors/{door}/poster", {}).json()["link"]
        assert link.startswith(f"{DESK}/c/")
        return parse_link(link).invitation


@pytest.fixture
def alone(tmp_path: Path, models: Path) -> Iterator[Alone]:
    estate = open_estate(Settings(data=tmp_path, models=models))
    prepare(estate)
    with estate.changer.change() as change:
        community = get_community(change.session)
        community.cloud_url, community.cloud_key = "", None
    try:
        with InProcess(estate) as desk, Phone(estate) as phone:
            yield Alone(estate, desk, phone)
    finally:
        estate.close()


def test_many_are_invited_by_links_that_open_here(alone: Alone) -> None:
    for name, unit in (("Ada", "1-101"), ("Bo", "1-102")):
        alone.visits.resident(name, unit)
    made = alone.desk.send("invitations/bulk", {}).json()["made"]
    assert len(made) == 2
    for one in made:
        assert one["link"].startswith(f"{DESK}/c/")
        assert alone.phone.state(parse_link(one["link"]).invitation).json()["kind"] == "resident"
    letters = alone.desk.submit("/invitations", way="letters", again="yes").text
    assert len(set(re.findall(rf"{DESK}/c/[^<\s]+", letters))) == 2
    assert outbox(alone.estate) == []


def test_a_residents_page_invites_by_face_and_shares_once_more(alone: Alone) -> None:
    page = alone.page(alone.visits.resident())
    wish = alone.visits.seal(page, invitation(credential="face"))
    assert alone.phone.put(asked(wish)).status_code == 202
    first = answer_to(alone.phone, wish)
    assert alone.phone.state(parse_fragment(first.invitation)).json()["kind"] == "visitor"
    once_more = alone.visits.seal(page, Share(first.visit))
    assert alone.phone.put(asked(once_more)).status_code == 202
    second = answer_to(alone.phone, once_more)
    assert code(alone.phone.state(parse_fragment(first.invitation))) == "invitation-withdrawn"
    assert alone.phone.state(parse_fragment(second.invitation)).is_success
    assert outbox(alone.estate) == []


def test_whoever_asks_at_a_poster_is_let_on_to_the_form_by_the_desk(alone: Alone) -> None:
    alone.visits.resident()
    poster = alone.poster(alone.visits.door())
    sent = alone.visits.seal(poster, ask(credential="face"))
    assert alone.phone.put(asked(sent)).status_code == 202
    (visit,) = alone.desk.call("visits")
    done = alone.desk.send(f"visits/{visit['visit']}/decision", {"decision": "approve"})
    assert done.status_code == 204, done.text
    answer = answer_to(alone.phone, sent)
    assert alone.phone.state(parse_fragment(answer.invitation)).json()["kind"] == "visitor"
    assert outbox(alone.estate) == []


def test_a_page_is_withdrawn_without_a_word_to_anybody(alone: Alone) -> None:
    resident = alone.visits.resident()
    page = alone.page(resident)
    alone.desk.submit(f"/people/{resident}/page/withdrawal")
    assert code(alone.phone.state(page)) == "invitation-withdrawn"
    assert outbox(alone.estate) == []


def test_a_resident_who_enrolled_here_hears_of_their_page_here(alone: Alone) -> None:
    wanted = {"kind": "resident", "name": "Mei", "unit": "3-1", "origin": "estate"}
    made = alone.desk.send("invitations", wanted)
    draft = alone.bench.draft(parse_link(made.json()["link"]).invitation, ())
    draft = at_home(replace(draft, alternative="pin"))
    assert alone.phone.put(Asked.of(draft)).status_code == 202
    alone.bench.decide(draft.envelope, "approve")
    home = parse_fragment(alone.phone.replies(draft)[-1].home)
    look = alone.visits.seal(home, Look())
    assert alone.phone.put(asked(look)).status_code == 202
    assert answer_to(alone.phone, look).outcome == "done"
    assert outbox(alone.estate) == []


def test_a_pass_is_shown_by_a_page_here_also_a_residents(alone: Alone) -> None:
    given = alone.desk.send(f"people/{alone.visits.resident()}/pass", {})
    assert given.json()["link"].startswith(f"{DESK}/pass#")
    assert alone.phone.get("/pass").is_success


def test_a_cloud_that_is_paired_later_hears_of_pages_and_posters(alone: Alone) -> None:
    page, poster = alone.page(alone.visits.resident()), alone.poster(alone.visits.door())
    with alone.estate.changer.change() as change:
        publish_open_invitations(change, alone.estate.links)
    told = [
        RELAY.decode(one.kind, one.body)
        for one in alone.estate.links.pending(CLOUD, 0, limit=10_000)
    ]
    opened = {
        i.id for one in told if isinstance(one, InvitationsPublished) for i in one.invitations
    }
    assert opened == {page.id, poster.id}


def test_where_no_forms_are_served_either_there_is_nowhere_to_lead_to(
    alone: Alone, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = alone.estate.settings.model_copy(update={"own_forms": False})
    monkeypatch.setitem(alone.estate.__dict__, "settings", off)
    resident = alone.visits.resident()
    for path in ("invitations/bulk", f"people/{resident}/page", f"people/{resident}/pass"):
        assert code(alone.desk.send(path, {})) == "cloud-not-paired", path
