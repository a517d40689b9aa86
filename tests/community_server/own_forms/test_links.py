"""Links that open on the estate's own network, made by staff and by programs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.estate import Estate, open_estate
from community_server.settings import Settings
from community_server.setup.community import get_community
from tests.community_server.bench import prepare
from tests.community_server.in_process import InProcess, code
from tests.community_server.own_forms.phone import Phone, outbox
from tier_link.invitations import parse_link

DESK: Final = "https://desk.example"
RESIDENT: Final = {"kind": "resident", "name": "Mei Lin", "unit": "3-1-502"}


@pytest.fixture(scope="module")
def database() -> str:
    """Where links lead asks nothing of the database."""
    return ""


@pytest.fixture
def desk(estate: Estate) -> Iterator[InProcess]:
    with InProcess(estate) as opened:
        yield opened


def test_a_link_for_the_estates_network_leads_here_and_its_end_is_nobody_elses_business(
    desk: InProcess, estate: Estate
) -> None:
    before = outbox(estate)
    made = desk.send("invitations", RESIDENT | {"origin": "estate"}).json()
    assert made["link"].startswith(f"{DESK}/c/")
    again = desk.send(f"people/{made['person']}/invitation", {"origin": "estate"}).json()
    assert again["link"].startswith(f"{DESK}/c/")
    with Phone(estate) as phone:
        ended = phone.state(parse_link(made["link"]).invitation)
        assert ended.json()["error"]["code"] == "invitation-withdrawn"
        assert phone.state(parse_link(again["link"]).invitation).is_success
    assert outbox(estate) == before
    other = desk.send(f"people/{made['person']}/invitation", {}).json()
    assert not other["link"].startswith(DESK)
    assert (
        len(outbox(estate)) == len(before) + 1
    )  # the new one is open; of the one before it never heard


def test_a_link_names_the_address_that_the_estate_says_phones_reach(
    desk: InProcess, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = estate.settings.model_copy(update={"own_address": "https://gate.example:8443"})
    monkeypatch.setitem(estate.__dict__, "settings", named)
    made = desk.send("invitations", RESIDENT | {"origin": "estate"}).json()
    assert made["link"].startswith("https://gate.example:8443/c/")


def test_where_the_forms_are_switched_off_no_link_leads_here(
    desk: InProcess, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = estate.settings.model_copy(update={"own_forms": False})
    monkeypatch.setitem(estate.__dict__, "settings", off)
    assert code(desk.send("invitations", RESIDENT | {"origin": "estate"})) == "own-forms-off"
    person = desk.send("invitations", RESIDENT).json()["person"]
    assert "enroll-at-desk" not in desk.get(f"/people/{person}").text
    refused = desk.submit(f"/people/{person}/desk-enrollment")
    assert refused.status_code == 409
    assert "own-forms-off" in refused.text


def test_the_desk_is_led_to_a_form_that_counts_for_an_hour_and_the_log_says_whose_doing(
    desk: InProcess, estate: Estate
) -> None:
    before = outbox(estate)
    made = desk.send("invitations", RESIDENT | {"origin": "estate"}).json()
    form = desk.submit(f"/people/{made['person']}/desk-enrollment")
    assert "data-at-desk" in form.text
    address = form.history[0].headers["location"]
    assert address.startswith("/c/")
    assert "?at=desk#" in address
    assert outbox(estate) == before
    with estate.reading() as session:
        noted = session.scalars(
            select(AuditRow.action).where(AuditRow.subject == made["person"])
        ).all()
    assert noted == ["invite", "enroll-at-desk"]


def test_a_server_without_a_cloud_makes_links_to_its_own_forms(
    tmp_path: Path, models: Path
) -> None:
    estate = open_estate(Settings(data=tmp_path, models=models))
    prepare(estate)
    with estate.changer.change() as change:
        community = get_community(change.session)
        community.cloud_url, community.cloud_key = "", None
    try:
        with InProcess(estate) as desk:
            assert code(desk.send("invitations", RESIDENT)) == "cloud-not-paired"
            page = desk.submit("/people", name="Mei Lin", unit="3-1-502", origin="estate")
            assert f"{DESK}/c/" in page.text
            assert 'name="origin" value="estate"' in desk.get("/visitors").text
    finally:
        estate.close()
