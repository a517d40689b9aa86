"""QR passes: from the text of a code before the camera to a decision, without any link."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from access_rules.decision import DecisionReason, PassUse, Shown
from access_rules.people import Category, Credential, Person
from access_rules.schedules import Validity
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.roster import RosterBook, as_person
from door_terminal.vision.messages import PassSeen
from door_terminal.vision.pass_reader import REPEAT_S
from tier_link.errors import PassRefused
from tier_link.passes import (
    STEPS_OFF,
    PassTrust,
    RotatingCode,
    SignedPass,
    door_tag,
    read_pass,
    step_at,
    verify_code,
    verify_pass,
)

_log = logging.getLogger(__name__)

NOT_A_PASS: Final = "not-a-pass"  # noqa: S105 - a code, no password
_REASONS: Final = {
    "pass-malformed": DecisionReason.PASS_MALFORMED,
    "pass-foreign": DecisionReason.PASS_FOREIGN,
    "pass-forged": DecisionReason.PASS_FORGED,
    "pass-key-unknown": DecisionReason.CREDENTIAL_UNKNOWN,
}
_LEAST_HOLD_S: Final = 2 * REPEAT_S
"""Vision says once a second that a code is still there; one gap may be a blurred picture."""
_NOBODY: Final = ""


class PassDesk:
    """Takes what vision reads, one code after the other. Not thread-safe."""

    def __init__(
        self,
        *,
        door: str,
        book: Callable[[], RosterBook],
        configuration: Callable[[], Configuration | None],
        clock: EffectiveClock,
        decider: Decider,
    ) -> None:
        self._tag = door_tag(door)
        self._book = book
        self._configuration = configuration
        self._clock = clock
        self._decider = decider
        self._held: dict[str, float] = {}

    def seen(self, seen: PassSeen) -> Outcome | None:
        """Take one code to its end; None when it is no pass, or still the one of just before."""
        configuration = self._configuration()
        if configuration is None:
            return None
        try:
            shown = self._judge(read_pass(seen.text), configuration.passes)
        except PassRefused as refused:
            if refused.code == NOT_A_PASS:
                return None
            shown = Shown(Credential.PASS, None, _REASONS[refused.code])
        # All codes that name no pass of ours share one hold, or inventing them would fill the log.
        whole = shown.use.pass_id if shown.use else _NOBODY
        this_code = f"{whole}/{shown.use.step}" if shown.use else _NOBODY
        if self._holds_back((whole, this_code), configuration.wire.zone.cooldown_s):
            return None
        outcome = self._decider.attempt(shown, needed_ns=seen.seen_ns)
        # After a refusal the phone's next code is another try; after an opening it is none.
        self._held[whole if outcome.granted else this_code] = time.monotonic()
        return outcome

    def _holds_back(self, names: tuple[str, str], cooldown_s: float) -> bool:
        """Say whether this has been in view ever since it was dealt with; then its hold goes on."""
        now, hold_s = time.monotonic(), max(cooldown_s, _LEAST_HOLD_S)
        self._held = {one: at for one, at in self._held.items() if now - at < hold_s}
        held = [name for name in names if name in self._held]
        self._held.update(dict.fromkeys(held, now))
        return bool(held)

    def _judge(self, found: SignedPass | RotatingCode, trust: PassTrust) -> Shown:
        if isinstance(found, SignedPass):
            return self._fixed(found, trust)
        return self._code(found, trust)

    def _fixed(self, signed: SignedPass, trust: PassTrust) -> Shown:
        claim = verify_pass(signed, trust)
        use = PassUse(claim.pass_id, claim.uses)
        row = self._book().with_pass(claim.pass_id)
        validity = Validity(claim.begins, claim.ends)
        if claim.pass_id in trust.revoked:
            return _refused(DecisionReason.PASS_REVOKED, use)
        if claim.doors and self._tag not in claim.doors:
            return _refused(DecisionReason.NOT_FOR_THIS_DOOR, use)
        if row is not None:
            person = as_person(row)
            person = replace(person, validity=_within(person.validity, validity))
            return Shown(Credential.PASS, person, use=use)
        if not claim.alone:
            return _refused(DecisionReason.CREDENTIAL_UNKNOWN, use)
        # The estate's word for one day: the roster did not reach this door, or never will.
        bearer = Person("", Category(claim.category), validity)
        return Shown(Credential.PASS, bearer, use=use)

    def _code(self, code: RotatingCode, trust: PassTrust) -> Shown:
        row = self._book().with_pass(code.pass_id)
        use = PassUse(code.pass_id, step=code.step)
        if row is None or not row.pass_key:
            revoked = code.pass_id in trust.revoked
            reason = DecisionReason.PASS_REVOKED if revoked else DecisionReason.CREDENTIAL_UNKNOWN
            foreign = code.community != trust.fingerprint[: len(code.community)]
            # Nothing was verified, so there is no pass to count.
            return _refused(DecisionReason.PASS_FOREIGN if foreign else reason)
        verify_code(code, row.pass_key, trust)
        now = self._clock.moment().unix
        if now is None:
            # How old a code is, is all that tells it from a photograph of it.
            return _refused(DecisionReason.TIME_UNKNOWN, use)
        if abs(code.step - step_at(now)) > STEPS_OFF:
            return _refused(DecisionReason.PASS_STALE, use)
        return Shown(Credential.PASS, as_person(row), use=use)


def _refused(reason: DecisionReason, use: PassUse | None = None) -> Shown:
    return Shown(Credential.PASS, None, reason, use=use)


def _within(first: Validity, second: Validity) -> Validity:
    """Return the time in which both hold."""
    ends = min((one.ends for one in (first, second) if one.ends), default=0)
    return Validity(max(first.begins, second.begins), ends)
