"""Whoever is let in by face and PIN may be asked once; pictures go nowhere without their Yes."""

import hashlib
from dataclasses import replace
from typing import Any

import pytest

from access_rules.decision import DecisionReason
from access_rules.people import Credential
from door_terminal.configuration import Configuration
from door_terminal.decisions import renewal
from door_terminal.decisions.decider import SECOND_CREDENTIAL_S, Outcome
from door_terminal.decisions.renewal import RenewalDesk
from door_terminal.vision.messages import Sighting
from tests.door_terminal.samples import RENEWAL, SPACE, configured
from tier_link.errors import LinkDown
from tier_link.estate_messages import (
    ESTATE,
    MAX_CROP,
    EstateMessage,
    RenewalAnswer,
    RenewalDeclined,
    RenewalRequest,
)

ADA, BAO = "a" * 32, "b" * 32
CROPS = (b"\xff\xd8 first", b"\xff\xd8 second", b"\xff\xd8 third")


class Server:
    def __init__(self, answer: str = "renewed") -> None:
        self.answer: str | Exception = answer
        self.asked: list[EstateMessage] = []

    def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        assert deadline == renewal.DEADLINE_S
        self.asked.append(ESTATE.decode(kind, body))
        if isinstance(self.answer, Exception):
            raise self.answer
        return ESTATE.encode(RenewalAnswer(self.answer))


class Desk:
    def __init__(self, **more: Any) -> None:
        self.now = 1000.0
        self.server = Server()
        self.linked = True
        configuration = Configuration.of(configured(renewal=RENEWAL, **more))
        self.desk = RenewalDesk(
            configuration=lambda: configuration,
            link=lambda: self.server if self.linked else None,
            clock=lambda: self.now,
        )

    def opens(self, person: str = ADA, **more: Any) -> None:
        """Let a face be seen, then the PIN typed, and the door open."""
        self.desk.hold(person, seen())
        self.desk.decided(replace(NEEDS_PIN, person=person))
        self.desk.decided(replace(OPENED, person=person, **more))

    def answer(self, language: str = "en", *, agreed: bool = True) -> str:
        offer = self.desk.offer
        assert offer is not None
        return self.desk.answer(offer.id, language, agreed=agreed)

    def asks(self) -> bool:
        return self.desk.offer is not None

    def holds_nothing(self) -> bool:
        return not self.desk._held and self.desk._offer is None


def seen(crops: tuple[bytes, ...] = CROPS, liveness: str = "") -> Sighting:
    return Sighting("s", 0, 0, len(crops), crops=crops, liveness=liveness)


OPENED = Outcome(
    "e" * 32, True, DecisionReason.WITHIN_RULES, Credential.PIN, person=ADA, first=Credential.FACE
)
NEEDS_PIN = Outcome(
    "d" * 32, False, DecisionReason.SECOND_CREDENTIAL_NEEDED, Credential.FACE, person=ADA
)
STRANGER = Outcome("f" * 32, False, DecisionReason.NOT_RECOGNIZED, Credential.FACE)


def test_on_a_yes_the_pictures_go_to_the_server_with_entry_and_consent() -> None:
    desk = Desk()
    desk.opens()
    assert desk.server.asked == []
    assert desk.answer("zh-CN") == "renewed"
    (asked,) = desk.server.asked
    assert isinstance(asked, RenewalRequest)
    assert (asked.entry, asked.crops, asked.template_space) == (OPENED.entry, CROPS, SPACE)
    text = next(one for one in RENEWAL if one.language == "zh-CN")
    assert asked.consent.sha256 == hashlib.sha256(text.text.encode()).hexdigest()
    assert (asked.consent.id, asked.consent.version) == (text.id, text.version)
    assert desk.holds_nothing()


def test_on_a_no_the_server_hears_that_alone_and_the_pictures_are_gone() -> None:
    desk = Desk()
    desk.opens()
    assert desk.answer(agreed=False) == "declined"
    assert desk.server.asked == [RenewalDeclined(OPENED.entry)]
    assert desk.holds_nothing()


def test_an_offer_lapses_and_its_pictures_with_it() -> None:
    desk = Desk()
    desk.opens()
    offer = desk.desk.offer
    assert offer is not None
    desk.now += renewal.OFFER_S
    assert desk.desk.offer is None
    assert desk.desk.answer(offer.id, "en", agreed=True) == "lapsed"
    desk.desk.tidy()
    assert desk.holds_nothing()
    assert desk.server.asked == []


def test_pictures_wait_for_the_second_credential_no_longer_than_the_decision() -> None:
    desk = Desk()
    desk.desk.hold(ADA, seen())
    desk.desk.decided(NEEDS_PIN)
    desk.now += SECOND_CREDENTIAL_S
    desk.desk.decided(OPENED)
    assert desk.desk.offer is None
    desk.desk.hold(BAO, seen())
    desk.now += SECOND_CREDENTIAL_S
    desk.desk.tidy()
    assert desk.holds_nothing()


def test_nobody_answers_for_the_person_before_them() -> None:
    desk = Desk()
    desk.opens()
    offer = desk.desk.offer
    assert offer is not None
    desk.desk.decided(replace(OPENED, person=ADA, credential=Credential.FACE, first=None))
    assert desk.desk.offer == offer  # still the same person
    desk.desk.decided(STRANGER)
    assert desk.desk.answer(offer.id, "en", agreed=True) == "lapsed"
    assert desk.holds_nothing()


@pytest.mark.parametrize(
    "change",
    [
        {"granted": False, "reason": DecisionReason.SUSPENDED},
        {"first": None},
        {"first": Credential.PASS},
        {"credential": Credential.PASS},
        {"gate": "gate-unreachable"},
        {"person": BAO},
    ],
)
def test_only_an_opening_by_face_and_pin_is_followed_by_the_question(
    change: dict[str, Any],
) -> None:
    desk = Desk()
    desk.desk.hold(ADA, seen())
    desk.desk.decided(NEEDS_PIN)
    desk.desk.decided(replace(OPENED, **change))
    assert desk.desk.offer is None


def test_a_pin_before_the_face_counts_as_well_and_a_wrong_one_in_between_does_not_matter() -> None:
    desk = Desk()
    desk.desk.hold(ADA, seen())
    desk.desk.decided(replace(OPENED, credential=Credential.FACE, first=Credential.PIN))
    assert desk.desk.offer is not None
    desk = Desk()
    desk.desk.hold(ADA, seen())
    desk.desk.decided(NEEDS_PIN)
    desk.desk.decided(replace(STRANGER, credential=Credential.PIN))
    desk.desk.decided(OPENED)
    assert desk.desk.offer is not None


@pytest.mark.parametrize(
    ("policy", "sighting", "held"),
    [
        ("off", seen(CROPS[:1]), False),
        ("off", seen((*CROPS[:2], b"x" * (MAX_CROP + 1))), False),
        ("off", seen(liveness="spoof"), False),
        ("observe", seen(liveness="not-enough-evidence"), True),
        ("second", seen(liveness="not-enough-evidence"), False),
        ("second", seen(liveness="live"), True),
    ],
)
def test_only_pictures_that_the_server_could_take_are_held(
    policy: str, sighting: Sighting, *, held: bool
) -> None:
    desk = Desk(liveness=policy)
    desk.desk.hold(ADA, sighting)
    assert bool(desk.desk._held) is held


def test_without_a_text_or_a_link_nobody_is_asked() -> None:
    configuration = Configuration.of(configured())
    desk = RenewalDesk(configuration=lambda: configuration, link=Server)
    desk.hold(ADA, seen())
    assert not desk._held
    linkless = Desk()
    linkless.linked = False
    linkless.opens()
    assert linkless.desk.offer is None


def test_nobody_is_asked_twice_a_day_unless_they_agreed_in_vain() -> None:
    desk = Desk()
    desk.opens()
    desk.opens()
    assert desk.asks()  # the first offer still stands
    desk.now += renewal.OFFER_S
    desk.opens()
    assert not desk.asks()
    desk.now += renewal.ASK_AGAIN_S
    desk.opens()
    desk.server.answer = "face-unsure"
    assert desk.answer() == "face-unsure"
    desk.opens()
    desk.server.answer = LinkDown("gone")
    assert desk.answer() == "not-now"
    desk.opens()
    desk.server.answer = "resembles"
    assert desk.answer() == "resembles"
    desk.opens()
    assert not desk.asks()


def test_a_crowd_does_not_fill_the_memory() -> None:
    desk = Desk()
    for number in range(3 * renewal.MOST_HELD):
        desk.desk.hold(f"{number:032x}", seen())
    assert len(desk.desk._held) == renewal.MOST_HELD
