"""What runs beside the server for other systems: events are numbered, queued and published."""

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from community_server.estate import Estate
from community_server.events.service import has_new, number_events
from community_server.webhooks.queue import queue_events

_log = logging.getLogger(__name__)

LOOK_EVERY_S: Final = 1.0
"""News is on its way to other systems this long after it was committed, at the latest."""
RETRY_S: Final = 10.0


@dataclass(frozen=True)
class Herald:
    """Tells other systems the news of one estate."""

    estate: Estate

    async def run(self) -> None:
        """Tell for ever; what fails is logged and tried again."""
        self.estate.publisher.start()
        try:
            while True:
                wait = LOOK_EVERY_S
                try:
                    await asyncio.to_thread(self.step)
                except Exception:  # noqa: BLE001 -- logged, and tried again
                    _log.exception("events=untold action=retry")
                    wait = RETRY_S
                await asyncio.sleep(wait)
        finally:
            self.estate.publisher.close()

    def step(self) -> None:
        """Number what is new, queue it for webhooks, and publish it."""
        with self.estate.reading() as session:
            is_new = has_new(session)
        if is_new:
            with Session(self.estate.engine) as session, session.begin():
                queue_events(session, number_events(session))
        if self.estate.publisher.state.wanted:
            with Session(self.estate.engine) as session, session.begin():
                self.estate.publisher.pump(session)
