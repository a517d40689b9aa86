"""A cloud of three processes, three brokers and one PostgreSQL, and thousands of estates.

`python -m benchmarks.cloud_scale [ESTATES …] [--rate N] [--seconds S]`. For each number of estates
it starts everything anew, lets the estates connect, and measures an idle and a busy time:
CPU-seconds per envelope and memory per connected estate. Then processes and brokers are killed in
turn and started again while people go on uploading; last, all brokers at once while envelopes wait.
Every envelope is accounted for. It ends with status 1 where one was lost, doubled or altered.

The generators (links of all estates in one process, people in another) are told apart.
"""

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec

from benchmarks.cloud_site import GROUPS, Generator, Site, cloud_site, generator, populate
from gatehouse.local_estate import EstateFailed, wait_for
from tests.support.nats_cluster import NatsCluster

SETTLE_S: Final = 20.0
"""After the links are up, until what that took is over."""
IDLE_S: Final = 30.0
DOWN_S: Final = 8.0
"""How long a killed process or broker stays away."""
UP_S: Final = 8.0
"""How long it is left alone after it is back."""
DRAIN_S: Final = 120.0
"""How long everybody may take to be answered at the end."""
CONNECT_S: Final = 300.0


@dataclass(frozen=True)
class Spent:
    """CPU seconds by group within some time."""

    seconds: float
    cpu: dict[str, float]

    def each(self, count: int, idle: "Spent") -> str:
        """Say what one of `count` cost beyond an idle time of the same length."""
        share = self.seconds / idle.seconds
        return ", ".join(
            f"{group} {1000 * (self.cpu[group] - share * idle.cpu[group]) / count:.1f}"
            for group in GROUPS
        )

    def shares(self, count: int) -> str:
        """Say what one of `count` cost."""
        return ", ".join(f"{group} {1000 * self.cpu[group] / count:.1f}" for group in GROUPS)

    def __str__(self) -> str:
        return ", ".join(f"{group} {100 * self.cpu[group] / self.seconds:.0f}%" for group in GROUPS)


def run(estates: int, rate: float, seconds: float) -> list[str]:
    """Measure with so many estates, print the figures, and return what did not hold."""
    print(f"{estates} estates, {rate:g} uploads a second", flush=True)
    trouble_s = 7 * (DOWN_S + UP_S + 15)
    with tempfile.TemporaryDirectory() as name, cloud_site(Path(name)) as site:
        plan = populate(site, estates, int(rate * (seconds + 2 * trouble_s)), rate)
        file = Path(name) / "plan.json"
        file.write_bytes(msgspec.json.encode(plan))
        alone = site.memory()
        with generator(site, "estates", file) as links, generator(site, "people", file) as people:
            with _spending(site) as dialing:
                wait_for("the links", lambda: links.ask("up") == estates, CONNECT_S)
            print(
                f"  all connected after {dialing[0].seconds:.1f} s;"
                f" CPU milliseconds per handshake: {dialing[0].shares(estates)}",
                flush=True,
            )
            _measure(site, people, alone, estates, seconds)
            _trouble(site, people)
            _outage(site, people, links)
            people.ask("pause")
            left = _drain(people)
            complaints = [*_account(people, links), *_leftovers(site)]
            if left:
                complaints.append(f"{left} people still waited after {DRAIN_S:.0f} s")
    return complaints


def _measure(
    site: Site, people: Generator, alone: dict[str, float], estates: int, seconds: float
) -> None:
    time.sleep(SETTLE_S)
    with _spending(site) as idle:
        time.sleep(IDLE_S)
    connected = site.memory()
    each = 1024 * (connected["cloud"] - alone["cloud"]) / estates
    print(f"  idle, of one core: {idle[0]}", flush=True)
    print(f"  MiB: {_sizes(alone)} alone; {_sizes(connected)} with all links")
    print(f"  memory of the cloud's processes per connected estate: {each:.1f} KiB", flush=True)
    people.ask("go")
    time.sleep(5)
    before = people.ask("done")
    with _spending(site) as busy:
        time.sleep(seconds)
        count = people.ask("done") - before
    print(f"  busy, of one core: {busy[0]}; {count} envelopes answered in {busy[0].seconds:.0f} s")
    print(f"  CPU milliseconds per envelope: {busy[0].each(count, idle[0])}")
    print(f"  MiB: {_sizes(site.memory())} while busy", flush=True)


def _trouble(site: Site, people: Generator) -> None:
    for number, cloud in enumerate(site.clouds):
        site.kill_cloud(number)
        time.sleep(DOWN_S)
        cloud.start()
        time.sleep(UP_S)
        print(f"  killed {cloud.name}: {people.ask('open')} people wait", flush=True)
    for number, broker in enumerate(site.brokers.brokers):
        site.kill_broker(number)
        time.sleep(DOWN_S)
        site.brokers.start()
        wait_for("its copy of the stream", lambda: _in_step(site.brokers), 60)
        time.sleep(UP_S)
        print(f"  killed {broker.name}: {people.ask('open')} people wait", flush=True)


def _outage(site: Site, people: Generator, links: Generator) -> None:
    """All brokers lose their memory while envelopes wait for estates that are away."""
    links.ask("hang-up")
    time.sleep(DOWN_S)
    site.cpu()
    site.brokers.kill()
    waited = people.ask("open")
    site.brokers.start()
    time.sleep(DOWN_S)
    links.ask("dial")
    time.sleep(UP_S)
    print(f"  killed all brokers with {waited} people waiting, estates away", flush=True)


def _in_step(brokers: NatsCluster) -> bool:
    """Say whether every broker has a stream whose copies are up to date."""
    seen = [one.ask("healthz") for one in brokers.brokers]
    return all(one is not None and one.get("status") == "ok" for one in seen)


def _drain(people: Generator) -> int:
    try:
        wait_for("everybody's reply", lambda: people.ask("open") == 0, DRAIN_S)
    except EstateFailed:
        return int(people.ask("open"))
    return 0


def _account(people: Generator, links: Generator) -> Iterator[str]:
    everybody: list[dict[str, Any]] = people.ask("report")
    seen: dict[str, Any] = links.ask("report")
    arrived: dict[str, list[float]] = seen["arrived"]
    taken = [one for one in everybody if one["taken_at"]]
    lost = [one for one in taken if one["envelope"] not in arrived]
    doubled = [envelope for envelope, times in arrived.items() if len(times) > 1]
    altered = [
        one
        for one in taken
        if one["envelope"] in arrived and seen["digests"][one["envelope"]] != one["digest"]
    ]
    refused = [one["refused"] for one in everybody if one["refused"]]
    waited = [
        arrived[one["envelope"]][0] - one["taken_at"] for one in taken if one["envelope"] in arrived
    ]
    whole = [one["answered_at"] - one["begun_at"] for one in taken if one["answered_at"]]
    print(
        f"  uploaded {len(taken)}, delivered {len(arrived)}, lost {len(lost)},"
        f" doubled {len(doubled)}, altered {len(altered)}, refused {len(refused)}"
    )
    print(
        f"  put off and tried again {sum(one['put_off'] for one in everybody)} times, sent again"
        f" because the envelope was gone {sum(one['sent_again'] for one in everybody)} times;"
        f" links dialed {seen['dials']} times, ended by {seen['failures']}"
    )
    print(
        f"  from taken to delivered: median {1000 * statistics.median(waited):.0f} ms,"
        f" 99th percentile {statistics.quantiles(waited, n=100)[98]:.1f} s,"
        f" longest {max(waited):.1f} s; from the first try to the reply read: median"
        f" {statistics.median(whole):.1f} s, longest {max(whole):.1f} s",
        flush=True,
    )
    for what, some in (("lost", lost), ("doubled", doubled), ("altered", altered)):
        if some:
            yield f"{len(some)} envelopes were {what}"
    if refused:
        yield f"{len(refused)} uploads were refused: {refused[0]}"


def _leftovers(site: Site) -> Iterator[str]:
    uncollected, pointers = (
        site.postgresql.ask(query, "gatehouse")[0]
        for query in (
            "SELECT count(*) FROM envelopes WHERE collected_at IS NULL",
            "SELECT count(*) FROM link_outbox",
        )
    )
    held = [(one.ask("jsz") or {}).get("messages") for one in site.brokers.brokers]
    print(
        f"  at the end: {uncollected} envelopes not collected (none can have expired: 24 h),"
        f" {pointers} pointers, bodies at the brokers {held}",
        flush=True,
    )
    if uncollected or pointers:
        yield "something was left over"


@contextmanager
def _spending(site: Site) -> Iterator[list[Spent]]:
    """Yield a list that holds what was spent inside, once it is over."""
    found: list[Spent] = []
    before, began = site.cpu(), time.monotonic()
    yield found
    after, passed = site.cpu(), time.monotonic() - began
    found.append(Spent(passed, {group: after[group] - before[group] for group in GROUPS}))


def _sizes(memory: dict[str, float]) -> str:
    return ", ".join(f"{group} {size:.0f}" for group, size in memory.items())


def main() -> int:
    """Run for each number of estates; return the status."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("estates", type=int, nargs="*", default=[250, 500, 1000, 2000])
    parser.add_argument("--rate", type=float, default=5.0, help="uploads a second")
    parser.add_argument("--seconds", type=float, default=60.0, help="of the busy time")
    chosen = parser.parse_args()
    complaints = [
        f"{estates} estates: {complaint}"
        for estates in chosen.estates
        for complaint in run(estates, chosen.rate, chosen.seconds)
    ]
    for complaint in complaints:
        print(complaint)
    return bool(complaints)


if __name__ == "__main__":
    sys.exit(main())
