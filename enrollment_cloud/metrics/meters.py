"""What one process counts as it happens; from zero at each start."""

from prometheus_client import Counter

from tier_kit.metrics import new_registry


class Meters:
    """The counters of one cloud process. Safe to use from any thread."""

    def __init__(self) -> None:
        self.registry = new_registry("cloud")
        self.envelopes = Counter(
            "gatehouse_cloud_envelopes",
            "Uploads that were taken, repetitions too.",
            ("sealed_by",),
            registry=self.registry,
        )
        self.refusals = Counter(
            "gatehouse_cloud_refusals",
            "Requests that were refused, by the code that was answered.",
            ("code",),
            registry=self.registry,
        )
