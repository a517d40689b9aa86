"""What becomes of a sighting: recognised, held back by the cooldown, or one entry."""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock

from access_rules.decision import DecisionReason, Liveness, LivenessPolicy, Shown
from access_rules.people import Credential
from door_terminal.configuration import Configuration
from door_terminal.decisions.cooldown import Cooldown
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.decisions.recognition import Recognised, Recogniser
from door_terminal.errors import RecognitionFailed
from door_terminal.roster import as_person
from door_terminal.settings import Mode
from door_terminal.vision.messages import Sighting, Unclear
from face_engine.liveness.challenge import ask

_log = logging.getLogger(__name__)

_USUAL_COOLDOWN_S = 5.0  # while the server has not said otherwise


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of a probe.

    Attributes:
        settled: Whether the sighting is over; else more frames may still tell.
        outcome: The entry; None when there is none yet, or the sighting was the last one over
            again.
        again_s: After how many seconds the same face, if it stays, counts once more; None for
            never.
        turn: Which way the face is asked to turn before it is decided; empty when it is not asked.
    """

    settled: bool
    outcome: Outcome | None = None
    again_s: float | None = None
    turn: str = ""


class FaceDesk:
    """Takes sightings from vision, on any thread; one sighting makes at most one entry."""

    def __init__(
        self,
        *,
        recogniser: Recogniser,
        decider: Decider,
        configuration: Callable[[], Configuration | None],
        mode: Callable[[], Mode],
        hold: Callable[[str, Sighting], None] = lambda *_: None,
        wanted: Callable[[int], bool] = lambda _: True,
    ) -> None:
        """Take the parts.

        `hold` takes whose face may be renewed from a sighting, `wanted` says whether somebody
        wanted in at a time (`time.monotonic_ns`): at some doors a face alone says nothing.
        """
        self._recogniser = recogniser
        self._decider = decider
        self._configuration = configuration
        self._mode = mode
        self._hold = hold
        self._wanted = wanted
        self._cooldown = Cooldown()
        self._lock = Lock()

    def sighting(self, sighting: Sighting) -> Verdict:
        """Deal with one probe of a sighting; only the final one may find nobody."""
        if not self._wanted(sighting.needed_ns):
            return Verdict(settled=True)  # it was on its way when the time was over
        problem: DecisionReason | None = None
        found = Recognised(None, "", None)
        try:
            found = self._recogniser.recognise(sighting, self._mode())
        except RecognitionFailed as failed:
            _log.warning("a face could not be matched code=%s", failed.code)
            problem = DecisionReason.MATCHING_UNAVAILABLE
        person, probe = found.person, found.probe
        if not sighting.final and (person is None or self._wants_more(sighting)):
            return Verdict(settled=False)
        name = person.person if person else ""
        with self._lock:
            now = time.monotonic()
            if self._cooldown.holds_back(name, probe, now, self._cooldown_s()):
                if not name:
                    self._cooldown.note(name, probe, now)  # who loiters goes on being one stranger
                return Verdict(settled=True, again_s=self._cooldown_s() if name else None)
            if person is not None and self._wants_a_turn(sighting):
                return Verdict(settled=False, turn=str(ask()))
            self._cooldown.note(name, probe, now)
        if person is not None and found.renewable:
            self._hold(name, sighting)
        liveness = Liveness(sighting.liveness)
        shown = Shown(Credential.FACE, as_person(person) if person else None, problem, liveness)
        outcome = self._decider.attempt(
            shown, needed_ns=sighting.needed_ns, matched=found.where, frames=sighting.frames
        )
        if outcome.granted or outcome.reason is DecisionReason.SECOND_CREDENTIAL_NEEDED:
            found.learn()  # once for a sighting; at some doors the PIN comes after it
        again_s = self._open_s() + self._cooldown_s() if outcome.granted else None
        return Verdict(settled=True, outcome=outcome, again_s=again_s)

    def unclear(self, unclear: Unclear) -> Outcome | None:
        """Record that somebody wanted in and could not be seen well enough."""
        if not self._wanted(unclear.needed_ns):
            return None
        shown = Shown(Credential.FACE, None, DecisionReason.FACE_UNCLEAR)
        return self._decider.attempt(shown, needed_ns=unclear.needed_ns, frames=unclear.frames)

    def _policy(self) -> LivenessPolicy:
        configuration = self._configuration()
        return configuration.rules.liveness if configuration else LivenessPolicy.OFF

    def _wants_more(self, sighting: Sighting) -> bool:
        """Say whether further frames may still tell a face from a picture, and that matters."""
        undecided = sighting.liveness not in {Liveness.LIVE, Liveness.SPOOF}
        return undecided and self._policy().required

    def _wants_a_turn(self, sighting: Sighting) -> bool:
        challenges = self._policy() is LivenessPolicy.CHALLENGE
        return challenges and not sighting.challenged and self._wants_more(sighting)

    def _open_s(self) -> float:
        configuration = self._configuration()
        return configuration.wire.gate_open_s if configuration else 0.0

    def _cooldown_s(self) -> float:
        configuration = self._configuration()
        return configuration.wire.zone.cooldown_s if configuration else _USUAL_COOLDOWN_S
