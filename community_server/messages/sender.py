"""Sends what is in the outbox, slowly enough, for as long as the server runs.

A message is marked as sent after the gateway has taken it. If the server dies in between, the
gateway gets it once more, under the same id.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.change import Changer
from community_server.database import now
from community_server.messages.gateways import Channel, Gateway, NotSent
from community_server.messages.service import due, note_failed, note_sent, open_letter
from tier_link.store import reading

_log = logging.getLogger(__name__)

LOOK_EVERY: Final = 2.0
"""Seconds between two looks into the outbox."""
_MINUTE: Final = 60.0
_MOST_AT_ONCE: Final = 20


@dataclass
class Sender:
    """Sends by the gateways that there are, at most so many a minute by each."""

    engine: Engine
    changer: Changer
    gateways: Mapping[Channel, Gateway]
    per_minute: int
    _sent: dict[Channel, deque[float]] = field(default_factory=dict)

    async def run(self) -> None:
        """Send for ever; what fails is logged and tried again."""
        while self.gateways:
            try:
                await asyncio.to_thread(self.send_due)
            except Exception:  # noqa: BLE001 -- logged, and tried again
                _log.exception("messages=unsent action=retry")
            await asyncio.sleep(LOOK_EVERY)

    def send_due(self) -> None:
        """Send what is due now, as far as the rate allows."""
        for channel, gateway in self.gateways.items():
            room = self._room(channel)
            with Session(reading(self.engine)) as session:
                messages = due(session, channel, now(), min(room, _MOST_AT_ONCE))
            for message in messages:
                self._sent[channel].append(time.monotonic())
                self._send(gateway, message)

    def _send(self, gateway: Gateway, message: str) -> None:
        with Session(reading(self.engine)) as session:
            letter = open_letter(session, self.changer.safe, message)
        if letter is None:
            return
        try:
            gateway.send(letter)
        except NotSent as failure:
            _log.warning("message=%s sent=no reason=%s", message, failure.code)
            with self.changer.change() as change:
                note_failed(change, message, failure.code, final=failure.final)
            return
        with self.changer.change() as change:
            note_sent(change, message)
        _log.info("message=%s sent=yes", message)

    def _room(self, channel: Channel) -> int:
        """Return how many more may be sent at this moment."""
        sent, moment = self._sent.setdefault(channel, deque()), time.monotonic()
        while sent and sent[0] <= moment - _MINUTE:
            sent.popleft()
        return max(0, self.per_minute - len(sent))
