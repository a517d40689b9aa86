"""What is read off when somebody asks: links and what waits for communities.

Nothing here tells one community from another: whose queue it is stands in the log.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from enrollment_cloud.clock import unix_now
from enrollment_cloud.context import Cloud
from tier_kit.metrics import gauge

FRESH_S: Final = 10.0
"""For so long what was counted in the database is answered again."""


@dataclass(eq=False)
class Readings(Collector):
    """A collector of one process's gauges."""

    cloud: Cloud
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock, init=False)
    _waiting: tuple[int, int] = field(default=(0, 0), init=False)
    _asked_at: float | None = field(default=None, init=False)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all gauges as they stand.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        count, oldest = self._ask()
        yield gauge(
            "gatehouse_cloud_communities_connected",
            "Communities whose links are up in this process.",
            len(self.cloud.hub.peers()),
        )
        yield gauge(
            "gatehouse_cloud_relay_available",
            "1 while this process can hand envelopes to its relay's brokers; always with none.",
            int(self.cloud.relay.available),
        )
        yield gauge(
            "gatehouse_cloud_outbox_records",
            "Records that communities have not acknowledged, of all processes.",
            count,
        )
        yield gauge(
            "gatehouse_cloud_outbox_oldest_age_seconds",
            "Since the oldest of them was put there; 0 without any.",
            max(0, unix_now() - oldest) if oldest else 0,
        )

    def _ask(self) -> tuple[int, int]:
        with self._lock:
            moment = self.clock()
            if self._asked_at is None or moment - self._asked_at >= FRESH_S:
                with self.cloud.database.read() as session:
                    self._waiting = self.cloud.relay.store.backlog(session)
                self._asked_at = moment
            return self._waiting
