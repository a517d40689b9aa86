"""What is counted as it happens; from zero at each start of the server."""

from typing import Final

from prometheus_client import Counter, Histogram

from access_rules.decision import DecisionReason
from tier_kit.metrics import OTHER, known, new_registry
from tier_link.estate_messages import EntryRecorded

GATE_BUCKETS_S: Final = (0.05, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0)
"""From a fast unit to where people press the button again; half a second is what doors promise."""
MATCH_BUCKETS_S: Final = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0)
ENVELOPE_BUCKETS_S: Final = (0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

_REASONS: Final = frozenset(DecisionReason)


class Meters:
    """The counters of one server. Safe to use from any thread."""

    def __init__(self) -> None:
        self.registry = new_registry("server")
        self.entries = Counter(
            "gatehouse_entries",
            "Decisions at doors, as they arrive here.",
            ("door", "credential", "granted", "reason"),
            registry=self.registry,
        )
        self.frame_to_gate = Histogram(
            "gatehouse_frame_to_gate_seconds",
            "From the last needed frame to the gate, as the door measured it; granted by face.",
            ("door", "matched"),
            buckets=GATE_BUCKETS_S,
            registry=self.registry,
        )
        self.enrollments = Counter(
            "gatehouse_enrollments",
            "Envelopes that were opened, by what they came to.",
            ("outcome", "reason"),
            registry=self.registry,
        )
        self.looking = Histogram(
            "gatehouse_enrollment_look_seconds",
            "Looking at one enrollment's photos.",
            buckets=ENVELOPE_BUCKETS_S,
            registry=self.registry,
        )
        self.matching = Histogram(
            "gatehouse_match_seconds",
            "Matching a face for a door that asks.",
            buckets=MATCH_BUCKETS_S,
            registry=self.registry,
        )

    def count_entry(self, door: str, message: EntryRecorded) -> None:
        """Count an entry that was kept."""
        reason = known(message.reason, _REASONS)
        granted = "yes" if message.granted else "no"
        self.entries.labels(door, message.credential, granted, reason).inc()
        if message.granted and message.credential == "face":
            seconds = message.took_ms / 1000
            self.frame_to_gate.labels(door, message.matched or OTHER).observe(seconds)

    def count_enrollment(self, outcome: str, reason: str) -> None:
        """Count an envelope; `reason` is this server's own code, empty for none."""
        self.enrollments.labels(outcome, reason or "none").inc()
