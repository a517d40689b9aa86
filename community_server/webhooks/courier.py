"""Delivers what is due, webhook by webhook, so that a slow receiver holds up no other."""

import asyncio
import logging
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.change import Change, Changer
from community_server.database import now
from community_server.events.service import ShownEvent, find_event
from community_server.vault.safe import Safe
from community_server.webhooks.addresses import Undelivered
from community_server.webhooks.queue import (
    next_due,
    note_delivered,
    note_failed,
    wait_after,
    webhooks_due,
)
from community_server.webhooks.sender import Refused, Sender
from community_server.webhooks.service import add_test, get_webhook, open_secret, show_webhook
from community_server.webhooks.tables import Delivery
from tier_link.store import reading

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
AT_ONCE: Final = 4
"""Receivers that are sent to at the same time."""
LONGEST_HOLD_S: Final = 600
"""A receiver that fails is left alone for a while, but asked again within this."""


@dataclass(frozen=True)
class Attempt:
    """One delivery ready to be sent; without an event, what it was about is gone."""

    delivery: int
    url: str
    secret: bytes = field(repr=False)
    event: ShownEvent | None


@dataclass(frozen=True)
class Outcome:
    """What came of an attempt; `trouble` is empty when it was taken, `answer` 0 for none."""

    answer: int
    trouble: str = ""


class Courier:
    """Sends the queue's deliveries; safe to use from one thread per webhook."""

    def __init__(
        self,
        engine: Engine,
        changer: Changer,
        safe: Safe,
        sender: Sender,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._engine = engine
        self._changer = changer
        self._safe = safe
        self._sender = sender
        self._clock = clock
        self._failures: dict[str, tuple[int, float]] = {}
        """By webhook: failures in a row, and until when it is left alone."""

    async def run(self) -> None:
        """Deliver for ever; what fails is logged and tried again."""
        loop, busy = asyncio.get_running_loop(), dict[str, asyncio.Future[None]]()
        # Threads of its own: those that links and pages wait for must not wait for receivers.
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="courier") as threads:
            try:
                while True:
                    busy = {one: task for one, task in busy.items() if not task.done()}
                    for webhook in await asyncio.to_thread(self.due):
                        if webhook not in busy:
                            busy[webhook] = loop.run_in_executor(threads, self._work, webhook)
                    await asyncio.sleep(LOOK_EVERY_S)
            finally:
                threads.shutdown(wait=False, cancel_futures=True)

    def due(self) -> list[str]:
        """Return the webhooks that something is to be sent to now."""
        with Session(reading(self._engine)) as session:
            webhooks = webhooks_due(session)
        moment = self._clock()
        return [one for one in webhooks if self._failures.get(one, (0, 0.0))[1] <= moment]

    def deliver(self, webhook: str) -> None:
        """Send a webhook all that is due, until something fails."""
        while (attempt := self._next(webhook)) is not None:
            outcome = self._try(attempt)
            with self._changer.change() as change:
                self._note(change, attempt.delivery, outcome)
            if outcome.trouble:
                count = self._failures.get(webhook, (0, 0.0))[0] + 1
                hold = min(wait_after(count), LONGEST_HOLD_S)
                self._failures[webhook] = (count, self._clock() + hold)
                _log.warning("webhook=%s delivered=no code=%s", webhook, outcome.trouble)
                return
            self._failures.pop(webhook, None)

    def test(self, webhook: str) -> Outcome:
        """Send a test, once and now.

        Raises:
            NotFound: `webhook-unknown`.
        """
        with self._changer.change() as change:
            row = get_webhook(change.session, webhook)
            delivery, event = add_test(change.session, webhook)
            attempt = Attempt(
                delivery.id,
                show_webhook(change.session, self._safe, row).url,
                open_secret(change.session, self._safe, row),
                event,
            )
        outcome = self._try(attempt)
        with self._changer.change() as change:
            self._note(change, attempt.delivery, outcome)
        return outcome

    def _work(self, webhook: str) -> None:
        try:
            self.deliver(webhook)
        except Exception:  # noqa: BLE001 -- logged, and tried again
            _log.exception("webhook=%s delivered=no action=retry", webhook)

    def _next(self, webhook: str) -> Attempt | None:
        with Session(reading(self._engine)) as session:
            row = next_due(session, webhook)
            if row is None:
                return None
            target = get_webhook(session, webhook)
            return Attempt(
                row.id,
                show_webhook(session, self._safe, target).url,
                open_secret(session, self._safe, target),
                find_event(session, row.number),
            )

    def _try(self, attempt: Attempt) -> Outcome:
        if attempt.event is None:
            return Outcome(0, "event-gone")
        try:
            return Outcome(self._sender.send(attempt.url, attempt.secret, attempt.event, now()))
        except Refused as refused:
            return Outcome(refused.status, refused.code)
        except Undelivered as failed:
            return Outcome(0, failed.code)

    @staticmethod
    def _note(change: Change, delivery: int, outcome: Outcome) -> None:
        row = change.session.get(Delivery, delivery, with_for_update=True)
        if row is None:  # its webhook was removed meanwhile
            return
        if outcome.trouble:
            note_failed(change.session, row, outcome.answer, outcome.trouble)
        else:
            note_delivered(row, outcome.answer)
