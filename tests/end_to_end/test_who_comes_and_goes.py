"""Service workers and visitors at a real door: server, terminal and camera are all processes."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from community_server.doors.service import add_door, get_door
from community_server.estate import Estate, open_estate
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import add_person, issue_pin, store_template
from community_server.services.companies import CompanyWanted, add_company
from community_server.services.workers import add_worker
from community_server.settings import Settings
from community_server.setup.community import get_community
from community_server.visits import service as visits
from face_engine.enrollment import judge
from face_engine.models import load_pack
from face_engine.rotation import turn
from gatehouse.camera_feed import CameraFeed
from gatehouse.enrollment_client import EnrollmentClient
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.community_server.bench import prepare
from tests.community_server.server_process import Desk, Server, run_server
from tests.community_server.visits.bench import invitation
from tests.door_terminal.estate import eventually
from tests.door_terminal.processes import Door, gatehouse, running_door
from tier_link.envelopes import Particulars, Photo
from tier_link.invitations import invitation_link, parse_fragment

pytestmark = pytest.mark.long

WALK_S = 30.0
"""Seconds for somebody to be seen and decided on, on a busy machine."""


@pytest.fixture(scope="module")
def people(models: Path) -> Sequence[SamplePerson]:
    return sample_people(load_pack(folder=models))


@pytest.fixture
def estate(models: Path, tmp_path: Path) -> Iterator[Estate]:
    """An estate without a cloud, before its server starts."""
    opened = open_estate(Settings(data=tmp_path / "server" / "data", models=models))
    prepare(opened)
    with opened.changer.change() as change:
        community = get_community(change.session)
        community.cloud_url, community.cloud_key = "", None
    yield opened
    opened.close()


def a_door(estate: Estate) -> str:
    """Add a door that looks at the same person again at once."""
    with estate.changer.change() as change:
        door = add_door(change.session, "Gate", "in")
        get_door(change.session, door, lock=True).cooldown_s = 0.0
    return door


@dataclass
class Court:
    """The estate's server and one door of it, running."""

    server: Server
    desk: Desk
    unit: Door
    feed: CameraFeed
    seed: int = 0

    def walk(self, who: SamplePerson) -> dict[str, Any]:
        """Let somebody walk up to the door; return what became of it."""
        self.seed += 1
        decisions = self.unit.state()["decisions"]
        self.feed.show(walk_up(who.cutout, np.random.default_rng(self.seed), seconds=3))
        eventually(lambda: self.unit.state()["decisions"] > decisions, within=WALK_S)
        last: dict[str, Any] = self.unit.state()["last"]
        return last

    def in_step(self) -> None:
        """Wait until the door holds what the server wants it to hold."""
        eventually(lambda: self._row()["in_step"], within=WALK_S)

    def _row(self) -> dict[str, Any]:
        (row,) = self.desk.call("GET", "/api/v1/doors")
        found: dict[str, Any] = row
        return found


@contextmanager
def running(
    estate: Estate, door: str, models: Path, *, mode: str = "local", **settings: str
) -> Iterator[Court]:
    """Close the estate that was prepared, and run it with its door as an installer has them."""
    kept = estate.settings.data
    estate.close()
    data = kept.parent.parent / "door" / "data"
    with run_server(kept, database="", models=models, env=settings) as server:
        desk = Desk(server)
        desk.sign_in()
        code = desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"]
        paired = gatehouse(
            *("door", "pair", "--server", server.url, "--code", code, "--data", str(data)),
            cwd=kept.parent,
        )
        assert paired.returncode == 0, paired.stderr
        with CameraFeed() as feed, running_door(data, "--camera", feed.url, mode=mode) as unit:
            eventually(unit.sees, within=90)
            yield Court(server, desk, unit, feed)
            assert unit.stop() == 0
        desk.close()


def test_a_suspended_company_is_shut_out_by_face_and_pin_until_it_is_let_in_again(
    estate: Estate, models: Path, people: Sequence[SamplePerson]
) -> None:
    door, bo = a_door(estate), people[0]
    with estate.changer.change() as change:
        company = add_company(change, CompanyWanted("Swift Couriers"))
        worker = add_worker(change, company, Known(name="Bo"))
        pin, unit = issue_pin(change, worker)
        row = get_person(change.session, worker, lock=True)
        face = turn(judge(estate.pack, [bo.portrait]).template, estate.secrets.matrix)
        store_template(change, row, estate.pack.template_space, face, photos=1)
    address = f"/api/v1/companies/{company}"
    with running(estate, door, models) as court:
        eventually(lambda: court.unit.state()["people"] == 1)
        assert court.unit.pin(unit, pin)["granted"]
        assert court.walk(bo)["granted"]
        assert len(court.unit.openings()) == 2

        court.desk.call("PATCH", address, {"suspended": True})
        court.in_step()
        refused = court.unit.pin(unit, pin)
        assert (refused["granted"], refused["reason"]) == (False, "suspended")
        seen = court.walk(bo)
        assert (seen["granted"], seen["reason"]) == (False, "suspended")
        assert len(court.unit.openings()) == 2

        court.desk.call("PATCH", address, {"suspended": False})
        court.in_step()
        assert court.unit.pin(unit, pin)["granted"]
        assert court.walk(bo)["granted"]
        assert len(court.unit.openings()) == 4
        eventually(lambda: _reasons(court.desk, worker).count("suspended") >= 2)


def test_a_visitors_face_opens_beside_the_pin_first_and_then_alone(
    estate: Estate, models: Path, people: Sequence[SamplePerson]
) -> None:
    door, chen = a_door(estate), people[0]
    strict = estate.settings.model_copy(update={"first_opening": "pin"})
    object.__setattr__(estate.visiting, "settings", strict)
    with estate.changer.change() as change:
        host = add_person(change, category="resident", unit="1-101", known=Known(name="Ada"))
        visit, handed = visits.invite(change, estate.visiting, host, invitation(credential="face"))
        assert handed is not None
        assert (len(handed.pin), handed.unit) == (6, "1-101")
        visitor = visit.person_id
        community = get_community(change.session).slug
    with running(estate, door, models, GATEHOUSE_SERVER_FIRST_OPENING="pin") as court:
        # The visitor's phone is in the estate's Wi-Fi.
        link = invitation_link(
            court.server.url, community, "visitor", parse_fragment(handed.invitation)
        )
        with court.server.client() as phone:
            client = EnrollmentClient(phone)
            sent = client.submit(
                link, [Photo("front", chen.portrait)], particulars=Particulars(name="Chen")
            )
            reply = next(client.replies(sent, seconds=WALK_S))
        assert (reply.outcome, reply.pin) == ("enrolled", "")  # the PIN went by the host
        eventually(lambda: court.unit.state()["people"] == 1 and court._row()["in_step"])

        alone = court.walk(chen)
        assert (alone["granted"], alone["reason"]) == (False, "second-credential-needed")
        assert court.unit.openings() == []
        assert court.unit.pin(handed.unit, handed.pin)["granted"]
        assert len(court.unit.openings()) == 1

        eventually(lambda: not _person(court.desk, visitor)["second_credential"])
        court.in_step()
        assert court.walk(chen)["granted"]
        assert len(court.unit.openings()) == 2
        (shown,) = court.desk.call("GET", "/api/v1/visits")
        assert shown["entries"] == 2


def test_a_picture_of_a_refusal_comes_from_a_terminal_that_matches_at_the_server(
    estate: Estate, models: Path, people: Sequence[SamplePerson]
) -> None:
    door, stranger = a_door(estate), people[1]
    with running(estate, door, models, mode="remote") as court:
        court.desk.call("PATCH", f"/api/v1/doors/{door}", {"mode": "remote", "snapshots": True})
        court.in_step()
        seen = court.walk(stranger)
        assert (seen["granted"], seen["reason"]) == (False, "not-recognized")
        eventually(lambda: _entries(court.desk))
        entry = _entries(court.desk)[-1]
        assert (entry["matched"], entry["person"]) == ("remote", "")

        picture = f"/api/v1/entries/{entry['entry']}/snapshot"
        eventually(lambda: court.desk.http.get(picture).status_code == 200)
        shown = court.desk.http.get(picture)
        assert shown.headers["content-type"] == "image/jpeg"
        image = cv2.imdecode(np.frombuffer(shown.content, np.uint8), cv2.IMREAD_COLOR)
        assert image is not None
        assert max(image.shape[:2]) <= 200  # small, and of one face

        court.desk.call("PATCH", f"/api/v1/doors/{door}", {"snapshots": False})
        court.in_step()
        court.walk(stranger)
        eventually(lambda: len(_entries(court.desk)) > 1)
        other = _entries(court.desk)[-1]["entry"]
        assert court.desk.http.get(f"/api/v1/entries/{other}/snapshot").status_code == 404


def _entries(desk: Desk) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.call("GET", "/api/v1/entries")["entries"]
    return found


def _reasons(desk: Desk, person: str) -> list[str]:
    return [one["reason"] for one in _entries(desk) if one["person"] == person]


def _person(desk: Desk, person: str | None) -> dict[str, Any]:
    (found,) = [one for one in desk.call("GET", "/api/v1/people") if one["person"] == person]
    row: dict[str, Any] = found
    return row
