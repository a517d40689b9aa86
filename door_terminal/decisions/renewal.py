"""A face renewed at the door: its pictures held for a moment, the offer, the answer.

While the estate changes its model, whoever is still known by the one before may be asked, once the
door has opened for face and PIN. The pictures of that sighting are in this process's memory and
nowhere else: until the second credential is late, until the offer lapses or anybody else is
decided about, or until the server has answered.
"""

import hashlib
import logging
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from access_rules.decision import DecisionReason, Liveness
from access_rules.people import Credential
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import SECOND_CREDENTIAL_S, Outcome
from door_terminal.decisions.recognition import MatchLink
from door_terminal.vision.messages import Sighting
from door_terminal.wire import read
from tier_link.envelopes import GivenConsent
from tier_link.errors import MalformedMessage, RequestError
from tier_link.estate_messages import (
    ESTATE,
    LEAST_RENEWAL_CROPS,
    MAX_CROP,
    MAX_CROPS,
    EstateMessage,
    RenewalAnswer,
    RenewalDeclined,
    RenewalRequest,
)
from tier_link.relay_messages import ConsentText

_log = logging.getLogger(__name__)

OFFER_S: Final = 20.0
"""How long an offer stands: to read five lines; who has not answered by then has walked on."""
ASK_AGAIN_S: Final = 24 * 3600.0
"""Whoever was asked here and gave no answer is not asked again here on the same day; a restart
forgets it. A refusal is told to the server, which keeps it longer, and for all doors."""
DEADLINE_S: Final = 8.0
"""How long the server may take: two models look at four pictures, after others'."""
MOST_HELD: Final = 8
"""People whose pictures wait for the second credential; the oldest go first."""

LAPSED: Final = "lapsed"
DECLINED: Final = "declined"
NOT_NOW: Final = "not-now"
_ONCE_MORE: Final = frozenset({NOT_NOW, "face-unsure", "too-late", "consent-changed"})
"""What another sighting may change: whoever agreed is asked again then."""


@dataclass(frozen=True, slots=True)
class _Held:
    """One sighting's pictures."""

    crops: tuple[bytes, ...] = field(repr=False)
    liveness: str
    until: float


@dataclass(frozen=True, slots=True)
class Offer:
    """What somebody who was just let in is asked.

    Attributes:
        id: Names it to the page; an answer to another one counts for nothing.
        person: Who is asked.
        entry: The opening.
        texts: What they would agree to, by language, as the server has it.
        until: Monotonic seconds.
        held: The pictures.
    """

    id: str
    person: str
    entry: str
    texts: tuple[ConsentText, ...]
    until: float
    held: _Held = field(repr=False)


class RenewalDesk:
    """One offer at a time. Thread-safe."""

    def __init__(
        self,
        *,
        configuration: Callable[[], Configuration | None],
        link: Callable[[], MatchLink | None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._configuration = configuration
        self._link = link
        self._clock = clock
        self._lock = Lock()
        self._held: dict[str, _Held] = {}
        self._asked: dict[str, float] = {}
        self._offer: Offer | None = None

    def hold(self, person: str, sighting: Sighting) -> None:
        """Hold the pictures of somebody whose face may be renewed, before it is decided."""
        now = self._clock()
        with self._lock:
            self._held.pop(person, None)
            if not self._is_fit(sighting) or self._asked.get(person, 0.0) > now:
                return
            crops = sighting.crops[:MAX_CROPS]
            self._held[person] = _Held(crops, sighting.liveness, now + SECOND_CREDENTIAL_S)
            while len(self._held) > MOST_HELD:
                del self._held[next(iter(self._held))]

    def decided(self, outcome: Outcome) -> None:
        """Take a decision about what was shown: one about anybody else ends the offer.

        So nobody answers for the person before them. The same person's may begin one.
        """
        with self._lock:
            if self._offer is not None and self._offer.person != outcome.person:
                self._offer = None
            if outcome.reason is DecisionReason.SECOND_CREDENTIAL_NEEDED:
                return
            held = self._held.pop(outcome.person, None)
            both = {outcome.credential, outcome.first} == {Credential.FACE, Credential.PIN}
            if held is not None and outcome.granted and both and not outcome.gate:
                self._offer = self._make_offer(outcome, held)

    def tidy(self) -> None:
        """Let go of whatever nobody has wanted in time."""
        now = self._clock()
        with self._lock:
            self._held = {who: one for who, one in self._held.items() if one.until > now}
            self._asked = {who: until for who, until in self._asked.items() if until > now}
            if self._offer is not None and self._offer.until <= now:
                self._offer = None

    @property
    def offer(self) -> Offer | None:
        """What is being asked now."""
        offer = self._offer
        return offer if offer is not None and offer.until > self._clock() else None

    def answer(self, offer_id: str, language: str, *, agreed: bool) -> str:
        """Take the answer to an offer; on a worker thread, since it waits for the server.

        Returns:
            `renewed`, `declined`, `lapsed`, `not-now`, or why the server did not renew it.
        """
        with self._lock:
            offer = self.offer
            if offer is None or offer.id != offer_id:
                return LAPSED
            self._offer = None
        if not agreed:
            self._ask(RenewalDeclined(offer.entry))
            return DECLINED
        reason = self._renew(offer, language)
        if reason in _ONCE_MORE:
            with self._lock:
                self._asked.pop(offer.person, None)
        _log.info("renewal entry=%s reason=%s", offer.entry, reason)
        return reason

    def _renew(self, offer: Offer, language: str) -> str:
        configuration = self._configuration()
        text = next((one for one in offer.texts if one.language == language), None)
        if configuration is None or text is None:
            return NOT_NOW
        shown = hashlib.sha256(text.text.encode()).hexdigest()
        return self._ask(
            RenewalRequest(
                template_space=configuration.wire.template_space,
                entry=offer.entry,
                crops=offer.held.crops,
                liveness=offer.held.liveness,
                consent=GivenConsent(text.id, text.version, text.language, shown),
            )
        )

    def _ask(self, question: EstateMessage) -> str:
        link = self._link()
        if link is None:
            return NOT_NOW
        try:
            answer = link.request(ESTATE.kind(question), ESTATE.encode(question), DEADLINE_S)
            return read(RenewalAnswer, answer).reason
        except (RequestError, MalformedMessage) as error:
            _log.warning("server did not answer a renewal code=%s", error.code)
            return NOT_NOW

    def _is_fit(self, sighting: Sighting) -> bool:
        """Say whether the server could take these pictures at all."""
        configuration = self._configuration()
        if configuration is None or not configuration.wire.renewal:
            return False
        crops = sighting.crops
        if len(crops) < LEAST_RENEWAL_CROPS or any(len(one) > MAX_CROP for one in crops):
            return False
        if configuration.rules.liveness.required:
            return sighting.liveness == Liveness.LIVE
        return sighting.liveness != Liveness.SPOOF

    def _make_offer(self, outcome: Outcome, held: _Held) -> Offer | None:
        configuration, now = self._configuration(), self._clock()
        if configuration is None or self._link() is None or held.until <= now:
            return None
        texts = configuration.wire.renewal
        if not texts:
            return None
        self._asked[outcome.person] = now + ASK_AGAIN_S
        offer = secrets.token_hex(8)
        return Offer(offer, outcome.person, outcome.entry, texts, now + OFFER_S, held)
