"""Cards: from what a reader writes to a decision, without camera or link."""

import logging
import time
from collections.abc import Callable
from typing import Final

from access_rules.decision import DecisionReason, Shown
from access_rules.people import Credential
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.credentials.backoff import CARDS, Backoff
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.roster import RosterBook, as_person
from tier_link.cards import card_tag, read_number
from tier_link.errors import CardRefused

_log = logging.getLogger(__name__)

REPEAT_S: Final = 3.0
"""A card that lies on the reader is read again and again; a hand takes this long to come back."""
_NOBODYS: Final = b""


class CardDesk:
    """Takes what the reader writes, one card after the other. Not thread-safe."""

    def __init__(
        self,
        *,
        hexadecimal: bool,
        book: Callable[[], RosterBook],
        configuration: Callable[[], Configuration | None],
        clock: EffectiveClock,
        decider: Decider,
        backoff: Backoff,
    ) -> None:
        """Take the parts; `hexadecimal` is how the reader writes digits alone."""
        self._hexadecimal = hexadecimal
        self._book = book
        self._configuration = configuration
        self._clock = clock
        self._decider = decider
        self._backoff = backoff
        self._held: dict[bytes, float] = {}
        self._last_unknown = _NOBODYS

    def read(self, text: str, read_ns: int) -> Outcome | None:
        """Take one reading to its end; None when it is no number, or still the one of just before.

        Args:
            text: What the reader wrote.
            read_ns: `time.monotonic_ns()` when it had.
        """
        configuration = self._configuration()
        if configuration is None:
            return None
        try:
            number = read_number(text, hexadecimal=self._hexadecimal)
        except CardRefused:
            # Not what it says: it may be half of somebody's number.
            _log.warning("the card reader wrote what is no number, %d characters", len(text))
            return None
        shown, hold = self._judge(number, configuration)
        if self._holds_back(hold, configuration.wire.zone.cooldown_s):
            return None
        outcome = self._decider.attempt(shown, needed_ns=read_ns)
        self._held[hold] = time.monotonic()
        return outcome

    def _judge(self, number: int, configuration: Configuration) -> tuple[Shown, bytes]:
        """Say whose card it is, and what holds it back. Cards that name nobody share one hold.

        Numbers can be guessed, by a machine in the place of a card: so unknown ones make everybody
        wait, as wrong PINs do, also where they are held back and make no entry.
        """
        if Credential.CARD not in configuration.rules.accepts:
            return _refused(DecisionReason.CREDENTIAL_NOT_ACCEPTED), _NOBODYS
        tag = card_tag(configuration.wire.card_key, number)
        now = self._clock.powered_s()
        if self._backoff.locked_for(CARDS, now) > 0:
            return _refused(DecisionReason.CARDS_LOCKED), _NOBODYS
        row = self._book().with_card(tag)
        if row is None:
            if tag != self._last_unknown:  # one that lies on the reader is one try
                self._backoff.failed(CARDS, now)
            self._last_unknown = tag
            return _refused(DecisionReason.CREDENTIAL_UNKNOWN), _NOBODYS
        self._backoff.succeeded(CARDS)
        return Shown(Credential.CARD, as_person(row)), tag

    def _holds_back(self, hold: bytes, cooldown_s: float) -> bool:
        """Say whether this has been read ever since it was dealt with; then its hold goes on."""
        now, hold_s = time.monotonic(), max(cooldown_s, REPEAT_S)
        self._held = {one: at for one, at in self._held.items() if now - at < hold_s}
        if hold not in self._held:
            return False
        self._held[hold] = now
        return True


def _refused(reason: DecisionReason) -> Shown:
    return Shown(Credential.CARD, None, reason)
