"""Several cloud processes over one database, as behind a load balancer."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.enrollment_cloud.cloud_process import CloudProcess


@contextmanager
def cloud_replicas(
    folder: Path, database: str, relay: str, count: int = 3, extra: dict[str, str] | None = None
) -> Iterator[list[CloudProcess]]:
    """Run so many, started at the same moment.

    Args:
        folder: for their files.
        database: the address of an empty or migrated PostgreSQL database.
        relay: what `GATEHOUSE_CLOUD_RELAY` says.
        count: how many.
        extra: further variables.
    """
    replicas = []
    for number in range(count):
        own = folder / f"cloud-{number}"
        own.mkdir(parents=True)
        settings = {"GATEHOUSE_CLOUD_RELAY": relay, **(extra or {})}
        replicas.append(CloudProcess(own, database, f"cloud-{number}", settings))
    try:
        with ThreadPoolExecutor(count) as pool:
            for _ in pool.map(CloudProcess.start, replicas):
                continue
        yield replicas
    finally:
        for one in replicas:
            one.kill()
