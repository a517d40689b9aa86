"""What all tiers' metrics share: how a registry is written out, and labels that stay few.

Names follow Prometheus' conventions (`gatehouse_…`, base units, `_total`). No label holds anything
of a person; what another program sends becomes a label only if it is among known values.
"""

from collections.abc import Collection, Iterable, Iterator
from importlib.metadata import version
from typing import Final

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from prometheus_client.registry import Collector

CONTENT_TYPE: Final = CONTENT_TYPE_PLAIN_0_0_4
OTHER: Final = "other"
"""Stands for every value that is not among the known ones."""


def new_registry(tier: str) -> CollectorRegistry:
    """Return a registry of one process: what it runs, its memory, its time, its open files."""
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    build = GaugeMetricFamily(
        "gatehouse_build_info", "Which release runs here.", labels=("tier", "version")
    )
    build.add_metric((tier, version("gatehouse-access")), 1)
    registry.register(Standing((build,)))
    return registry


class Standing(Collector):
    """A collector of families that do not change."""

    def __init__(self, families: Iterable[GaugeMetricFamily]) -> None:
        self._families = tuple(families)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield them."""
        yield from self._families


def gauge(name: str, help_: str, value: float) -> GaugeMetricFamily:
    """Return a gauge without labels, in the unit that its name ends with."""
    return GaugeMetricFamily(name, help_, value=value)


def known(value: str, values: Collection[str]) -> str:
    """Return a value if it is among the known ones, else `OTHER`: labels stay few."""
    return value if value in values else OTHER


def write_out(registry: CollectorRegistry, *more: Collector) -> bytes:
    """Return everything in Prometheus' text format, version 0.0.4; `more` is read off now."""
    passing = CollectorRegistry()
    for collector in more:
        passing.register(collector)
    return generate_latest(registry) + generate_latest(passing)
