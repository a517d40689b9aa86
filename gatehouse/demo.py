"""The main job on one machine: enroll some of six people, let all six walk up, see who gets in.

Everything is real but two things: the people come from one photo that InsightFace ships, set
in motion by `gatehouse.scenes`, and the gate's motor is `simulated`.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np

from face_engine.models import default_folder, load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.enrollment_client import EnrollmentClient, EnrollmentFailed, Submission
from gatehouse.local_estate import EstateFailed, LocalEstate, wait_for
from gatehouse.sample_people import NAMES, SamplePerson, sample_people
from gatehouse.scenes import walk_up
from gatehouse.staff_client import StaffClient
from tier_link.envelopes import Particulars, Photo
from tier_link.invitations import InvitationKind

COMMUNITY: Final = "Demo Court"
INVITED: Final[Mapping[str, InvitationKind]] = {
    "Ada": "resident",
    "Chen": "resident",
    "Dora": "resident",
    "Fang": "visitor",
}
"""Three live here, one is expected; the other two of the six are strangers."""

VISIT_SECONDS: Final = 2 * 60 * 60
REPLY_SECONDS: Final = 60.0
# A door that is going to decide has decided by then; who never faced it makes no entry.
ENTRY_SECONDS: Final = 5.0

Say = Callable[[str], None]


class DemoFailed(Exception):
    """Somebody who should have been enrolled was not."""


@dataclass
class DemoResult:
    """What `gatehouse demo --once --json` prints.

    `seconds` holds how long each step took, in wall-clock seconds.
    """

    enrolled: list[str] = field(default_factory=list)
    admitted: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: dict[str, float] = field(default_factory=dict)

    @property
    def right(self) -> bool:
        """Whether exactly the invited were admitted and everybody else was refused."""
        return set(self.admitted) == set(self.enrolled) == set(INVITED) and set(
            self.refused
        ) == set(NAMES) - set(INVITED)


@dataclass(frozen=True)
class Demo:
    """One run of the demo in an estate that has been built but not started."""

    estate: LocalEstate
    feed: CameraFeed
    say: Say
    result: DemoResult = field(default_factory=DemoResult)

    def run(self) -> str:
        """Do the whole job; return the door's id.

        Raises:
            EstateFailed: a tier did not come up or did not answer in time.
            DemoFailed: an enrollment was turned down.
        """
        people = sample_people(load_pack(folder=default_folder()))
        with self._step("cloud", "Starting the cloud"):
            self.estate.start_cloud()
        with self._step("server", "Starting the estate's server"):
            self.estate.start_server()
        with self._step("pairing", "Setting up the estate and pairing it with the cloud"):
            self.estate.set_up(COMMUNITY, sign=False)
        with self._step("door", "Pairing a door and starting its terminal"):
            door = self.estate.add_door("Main gate", self.feed.url, gate="simulated")
            self.estate.await_door(door)
        with self._step(
            "assessment", "Signing the impact assessment, without which no face is taken"
        ):
            self.estate.sign_assessment()
        with self._step("enrollment", f"Enrolling {', '.join(INVITED)} through the cloud, sealed"):
            for person in people:
                if person.name in INVITED:
                    enroll(self.estate, person, INVITED[person.name])
                    self.result.enrolled.append(person.name)
        with self._step("roster", "Waiting until the door knows them"):
            self.estate.await_door(door, people=len(INVITED))
        with self._step("walk", "All six walk up to the door, one after another"):
            for person in people:
                self._let_walk(person)
        return door

    @contextmanager
    def _step(self, name: str, sentence: str) -> Iterator[None]:
        self.say(f"{sentence} …")
        start = time.monotonic()
        yield
        self.result.seconds[name] = round(time.monotonic() - start, 2)

    def _let_walk(self, person: SamplePerson) -> None:
        random = np.random.default_rng(NAMES.index(person.name))
        with self.estate.staff() as staff:
            cursor = staff.call("GET", "entries?limit=1")["cursor"]
            self.feed.show(walk_up(person.cutout, random, seconds=2.5))
            try:
                seen = wait_for("an entry", lambda: _entry_after(staff, cursor), ENTRY_SECONDS)
            except EstateFailed:
                seen = {
                    "granted": False,
                    "name": "",
                    "reason": "never faced the camera: nobody wants in",
                }
        admitted = bool(seen["granted"]) and seen["name"] == person.name
        (self.result.admitted if admitted else self.result.refused).append(person.name)
        self.say(f"  {person.name}: {'gate opens' if admitted else seen['reason']}")


def enroll(estate: LocalEstate, person: SamplePerson, kind: InvitationKind) -> None:
    """Invite one person, send their photo as their phone would, and approve them at the desk.

    Raises:
        DemoFailed: the community's last reply was not "enrolled".
    """
    with estate.staff() as staff, estate.public() as http:
        invitation: dict[str, object] = {"kind": kind, "name": person.name, "unit": "1-101"}
        if kind == "visitor":
            invitation["valid_until"] = int(time.time()) + VISIT_SECONDS
        link = staff.call("POST", "invitations", invitation)["link"]
        client = EnrollmentClient(http)
        submission = submit_when_known(client, link, person)
        replies = client.replies(submission, seconds=REPLY_SECONDS)
        reply = next(replies)
        if reply.outcome == "received":
            waiting = staff.call("GET", "approvals")
            own = next(row for row in waiting if row["name"] == person.name)
            staff.call("POST", f"approvals/{own['id']}", {"decision": "approve"})
            reply = next(replies)
    if reply.outcome != "enrolled":
        raise DemoFailed(f"{person.name} was not enrolled: {reply.outcome} {reply.reason}")


def submit_when_known(client: EnrollmentClient, link: str, person: SamplePerson) -> Submission:
    """Submit as soon as news of the invitation has reached the cloud.

    Raises:
        EnrollmentFailed: the cloud refused for another reason.
        EstateFailed: the news did not reach it in time.
    """
    photos = [Photo("front", person.portrait)]

    def attempt() -> Submission | None:
        try:
            return client.submit(link, photos, particulars=Particulars(name=person.name))
        except EnrollmentFailed as refused:
            if refused.code != "invitation-unknown":
                raise
            return None

    return wait_for("the invitation at the cloud", attempt)


def _entry_after(staff: StaffClient, cursor: int) -> Mapping[str, Any] | None:
    rows = staff.call("GET", f"entries?after={cursor}&limit=10")["entries"]
    return rows[0] if rows else None
