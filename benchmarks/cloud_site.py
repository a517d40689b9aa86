"""A cloud at scale on this machine: replicas, brokers, PostgreSQL, and what they cost.

CPU time and memory are the kernel's accounts of the processes: of PostgreSQL the whole family,
whose shared pages count once.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import psutil
from sqlalchemy import insert
from sqlalchemy.orm import Session

from benchmarks.cloud_plan import Plan, community, link_key
from enrollment_cloud.communities.service import cloud_key
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.database import open_cloud_database
from enrollment_cloud.invitations.tables import Invitation
from enrollment_cloud.settings import Settings
from gatehouse.local_estate import EstateFailed, free_port
from tests.enrollment_cloud.cloud_process import CloudProcess
from tests.enrollment_cloud.replicas import cloud_replicas
from tests.enrollment_cloud.samples import CommunityKeys
from tests.support.nats_cluster import NatsCluster, nats_cluster
from tests.support.own_postgresql import Cluster, lone_postgresql
from tier_link.relay_messages import RELAY

GROUPS: Final = ("cloud", "brokers", "PostgreSQL", "generators")
DATABASE: Final = "gatehouse"
_MANY: Final = "1000000"
"""Everybody shares one address here, so the limits of addresses are set out of the way."""
_DAY: Final = 24 * 3600


@dataclass
class Generator:
    """One generator process; see `benchmarks.cloud_plan`."""

    process: subprocess.Popen[str]

    def ask(self, word: str) -> Any:
        """Ask it something."""
        asked, answered = self.process.stdin, self.process.stdout
        if asked is None or answered is None:
            raise EstateFailed("a generator without pipes")
        asked.write(word + "\n")
        asked.flush()
        return json.loads(answered.readline())


@dataclass
class Site:
    """Everything that runs."""

    clouds: list[CloudProcess]
    brokers: NatsCluster
    postgresql: Cluster
    database: str
    generators: dict[str, Generator] = field(default_factory=dict)
    _spent: dict[tuple[str, int], float] = field(default_factory=dict)

    def cpu(self) -> dict[str, float]:
        """Return CPU seconds so far by group; look before a process is killed, too."""
        for group in GROUPS:
            for process in self._processes(group):
                with suppress(psutil.NoSuchProcess):
                    times = process.cpu_times()
                    waited_for = times.children_user + times.children_system
                    own = times.user + times.system
                    # Backends that ended are in the account of the postmaster, who waited for them.
                    self._spent[group, process.pid] = own + waited_for
        alive = {process.pid for process in self._processes("PostgreSQL")}
        for group, pid in list(self._spent):
            if group == "PostgreSQL" and pid not in alive:
                del self._spent[group, pid]
        return {
            group: sum(spent for (whose, _), spent in self._spent.items() if whose == group)
            for group in GROUPS
        }

    def memory(self) -> dict[str, float]:
        """Return resident MiB by group; what processes of PostgreSQL share counts once."""
        found = {}
        for group in GROUPS:
            size = 0
            for process in self._processes(group):
                with suppress(psutil.NoSuchProcess):
                    shares = group == "PostgreSQL"
                    size += process.memory_full_info().pss if shares else process.memory_info().rss
            found[group] = size / 2**20
        return found

    def kill_cloud(self, number: int) -> None:
        """End a process by SIGKILL, its account noted."""
        self.cpu()
        self.clouds[number].kill()

    def kill_broker(self, number: int) -> None:
        """End a broker by SIGKILL, its account noted."""
        self.cpu()
        self.brokers.brokers[number].kill()

    def _processes(self, group: str) -> Iterator[psutil.Process]:
        pids: list[int] = []
        if group == "cloud":
            pids = [one.pid for one in self.clouds if one._process is not None]  # noqa: SLF001
        elif group == "brokers":
            pids = [one.process.pid for one in self.brokers.brokers if one.process is not None]
        elif group == "generators":
            pids = [one.process.pid for one in self.generators.values()]
        elif self.postgresql.process is not None:
            postmaster = psutil.Process(self.postgresql.process.pid)
            yield postmaster
            yield from postmaster.children(recursive=True)
        for pid in pids:
            with suppress(psutil.NoSuchProcess):
                yield psutil.Process(pid)


@contextmanager
def cloud_site(folder: Path) -> Iterator[Site]:
    """Start PostgreSQL, three brokers and three processes of the cloud."""
    ports = [str(free_port()) for _ in range(3)]
    with (
        lone_postgresql() as postgresql,
        nats_cluster(folder / "nats") as brokers,
    ):
        postgresql.ask(f"CREATE DATABASE {DATABASE}")
        database = postgresql.address(DATABASE)
        extra = {
            f"GATEHOUSE_CLOUD_{name}_PER_MINUTE": _MANY for name in ("READS", "UPLOADS", "REQUESTS")
        }
        extra["GATEHOUSE_CLOUD_RELAY_MEMORY_MIB"] = "512"
        with cloud_replicas(folder, database, brokers.address, 3, extra) as clouds:
            for cloud, port in zip(clouds, ports, strict=True):
                cloud.kill()  # to stand at the same address whenever it is started again
                cloud.extra["GATEHOUSE_CLOUD_PORT"] = port
                cloud.start()
            yield Site(clouds, brokers, postgresql, database)


def populate(site: Site, estates: int, uploads: int, rate: float) -> Plan:
    """Register estates that have paired and published, and an invitation for each upload."""
    opened = open_cloud_database(Settings(database=site.database))
    profile, now = RELAY.encode(CommunityKeys().profile()), int(time.time())
    invitations = tuple(os.urandom(16).hex() for _ in range(uploads))
    with opened.write.begin() as session:
        _insert(session, Community, [_community(number, profile, now) for number in range(estates)])
        rows = [
            {
                "community": community(number % estates),
                "id": invitation,
                "kind": "resident",
                "expires_at": now + _DAY,
            }
            for number, invitation in enumerate(invitations)
        ]
        _insert(session, Invitation, rows)
        key = cloud_key(session).public_key().public_bytes_raw()
    opened.engine.dispose()
    return Plan(tuple(one.address for one in site.clouds), key, estates, rate, invitations)


def _community(number: int, profile: bytes, now: int) -> dict[str, Any]:
    return {
        "id": community(number),
        "name": community(number),
        "created_at": now,
        "paired_at": now - 1,
        "link_key": link_key(number).public_key().public_bytes_raw(),
        "profile": profile,
    }


def _insert(session: Session, table: type[Any], rows: list[dict[str, Any]]) -> None:
    session.execute(insert(table), rows)


@contextmanager
def generator(site: Site, name: str, plan: Path) -> Iterator[Generator]:
    """Run a generator's module as a process beside the site."""
    process = subprocess.Popen(
        [sys.executable, "-m", f"benchmarks.cloud_{name}", str(plan)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    site.generators[name] = Generator(process)
    try:
        yield site.generators[name]
    finally:
        process.kill()
        process.communicate()
        del site.generators[name]
