"""Which brokers a cloud uses, and what their stream of envelopes is like."""

import ssl
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from nats.js import api

STREAM: Final = "GATEHOUSE_ENVELOPES"
SUBJECTS: Final = "gatehouse.envelopes"
"""Below it a subject per community, and below that one per envelope."""

STREAM_FULL: Final = 10077
"""JetStream's number for a stream that takes no more (`JSStreamStoreFailedF`)."""

_DUPLICATES_S: Final = 1.0
"""The window in which message ids are remembered: none are sent, and brokers want some window."""


@dataclass(frozen=True)
class BrokerAccess:
    """Which brokers, and how much they keep for how long.

    `memory` is in bytes, of the bodies of all communities; each broker needs as much.
    """

    servers: tuple[str, ...]
    replicas: int
    memory: int
    lifetime: timedelta
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: ssl.SSLContext | None = None

    @property
    def stream(self) -> api.StreamConfig:
        """The stream: in memory, one body a subject, full rather than forgetful."""
        lifetime_s = self.lifetime.total_seconds()
        return api.StreamConfig(
            name=STREAM,
            subjects=[f"{SUBJECTS}.*.*"],
            storage=api.StorageType.MEMORY,
            num_replicas=self.replicas,
            max_age=lifetime_s,
            max_bytes=self.memory,
            max_msgs_per_subject=1,
            discard=api.DiscardPolicy.NEW,
            duplicate_window=min(_DUPLICATES_S, lifetime_s),
            allow_direct=True,
        )
