"""A PostgreSQL of a test's own, with a log that is archived and a replica that follows.

PostgreSQL refuses to run as root; a test that does lets the system's user `postgres` run it.
"""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from gatehouse.local_estate import EstateFailed, free_port, tail, wait_for

DEBIAN: Final = Path("/usr/lib/postgresql")
"""Where Debian keeps each version's programs, away from the path."""
USER: Final = "postgres"
AUTHENTICATION: Final = "local all all trust\nhost all,replication all 127.0.0.1/32 trust\n"
"""A cluster that listens on the loopback interface, for as long as one test runs."""


@dataclass
class Cluster:
    """One PostgreSQL: its data folder, its port and, while it runs, its process."""

    data: Path
    log: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    def address(self, database: str) -> str:
        """Return the address of one of its databases, as a tier's settings take it."""
        return f"postgresql+psycopg://{USER}@127.0.0.1:{self.port}/{database}"

    def ask(self, query: str, database: str = "postgres") -> list[Any]:
        """Return the first column of what a statement outside any transaction gives."""
        engine = sa.create_engine(
            self.address(database),
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": 3},
        )
        try:
            with engine.connect() as connection:
                result = connection.execute(sa.text(query))
                return list(result.scalars()) if result.returns_rows else []
        finally:
            engine.dispose()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [program("postgres"), "-D", self.data, "-p", str(self.port), "-k", ""],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **_as_postgres(),
            )
        wait_for(f"PostgreSQL (log: {self.log})", self._answers)

    def stop(self) -> None:
        """End it as a system that shuts down does: what is in memory is written first."""
        if self.process is not None:
            self.process.send_signal(signal.SIGINT)  # "fast": see postgres(1)
            self.process.wait(60)
            self.process = None

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise EstateFailed(f"PostgreSQL ended: {tail(self.log)}")
        try:
            return self.ask("SELECT 1") == [1]
        except sa.exc.OperationalError:
            return False


@dataclass(frozen=True)
class OwnPostgresql:
    """A primary whose log is archived, the replica that follows it, and what was copied of both."""

    folder: Path
    primary: Cluster
    replica: Cluster

    @property
    def archive(self) -> Path:
        """The log's segments that were archived."""
        return self.folder / "archive"

    def base_backup(self, name: str) -> Path:
        """Copy the primary's files and the log they need, as an administrator would at night."""
        copy = self.folder / name
        _base_backup(self.primary, copy)
        return copy

    def write_out(self) -> None:
        """Have all that the primary has in memory on its disk, in the archive and the replica."""
        self.primary.ask("CHECKPOINT")
        (switched,) = self.primary.ask("SELECT pg_switch_wal()")
        segment = self.primary.ask(f"SELECT pg_walfile_name('{switched}')")[0]
        wait_for("the log in the archive", (self.archive / segment).exists)
        (written,) = self.primary.ask("SELECT pg_current_wal_lsn()")
        reached = f"SELECT pg_last_wal_replay_lsn() >= '{written}'::pg_lsn"
        wait_for("the replica", lambda: self.replica.ask(reached) == [True])
        self.replica.ask("CHECKPOINT")

    @contextmanager
    def recovered(self, base: Path, to: str) -> Iterator[Cluster]:
        """Start a copy of a base backup, brought forward by the archive to a named moment.

        What `pg_create_restore_point` named; see "Continuous Archiving and Point-in-Time Recovery".
        """
        copy = Path(tempfile.mkdtemp(dir=self.folder)) / "data"
        shutil.copytree(base, copy)
        with (copy / "postgresql.auto.conf").open("a") as settings:
            settings.write(f"restore_command = 'cp {self.archive}/%f %p'\n")
            settings.write(f"recovery_target_name = '{to}'\nrecovery_target_action = 'promote'\n")
            settings.write("archive_mode = off\n")
        (copy / "recovery.signal").touch()
        _hand_over(copy.parent)
        cluster = Cluster(copy, self.folder / "recovered.log")
        cluster.start()
        try:
            wait_for("its promotion", lambda: cluster.ask("SELECT pg_is_in_recovery()") == [False])
            yield cluster
        finally:
            cluster.stop()
            shutil.rmtree(copy.parent)


@contextmanager
def own_postgresql() -> Iterator[OwnPostgresql]:
    """Start a primary and its replica in a folder that goes afterwards."""
    # Below the system's own temporary folder: pytest's is closed to other users.
    with tempfile.TemporaryDirectory(prefix="gatehouse-postgresql-") as name:
        folder = Path(name)
        (folder / "archive").mkdir()
        _hand_over(folder)
        primary = Cluster(folder / "primary", folder / "primary.log")
        _run("initdb", "--pgdata", primary.data, "--username", USER, "--encoding", "UTF8")
        (primary.data / "pg_hba.conf").write_text(AUTHENTICATION)
        with (primary.data / "postgresql.conf").open("a") as settings:
            settings.write(
                f"listen_addresses = '127.0.0.1'\nwal_level = replica\narchive_mode = on\n"
                f"archive_command = 'cp %p {folder}/archive/%f'\nwal_keep_size = '1GB'\n"
            )
        replica = Cluster(folder / "replica", folder / "replica.log")
        both = OwnPostgresql(folder, primary, replica)
        primary.start()
        try:
            _base_backup(primary, replica.data, "--write-recovery-conf")
            replica.start()
            yield both
        finally:
            replica.stop()
            primary.stop()


@contextmanager
def lone_postgresql(settings: str = "") -> Iterator[Cluster]:
    """Start one PostgreSQL with its usual settings and these, in a folder that goes afterwards."""
    with tempfile.TemporaryDirectory(prefix="gatehouse-postgresql-") as name:
        folder = Path(name)
        _hand_over(folder)
        cluster = Cluster(folder / "data", folder / "postgresql.log")
        _run("initdb", "--pgdata", cluster.data, "--username", USER, "--encoding", "UTF8")
        (cluster.data / "pg_hba.conf").write_text(AUTHENTICATION)
        with (cluster.data / "postgresql.conf").open("a") as file:
            file.write(f"listen_addresses = '127.0.0.1'\n{settings}")
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


def program(name: str) -> str:
    """Return one of PostgreSQL's programs; skip the test where there is none."""
    versions = sorted(DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name))
    path = os.pathsep.join([*map(str, reversed(versions)), os.environ.get("PATH", "")])
    found = shutil.which(name, path=path)
    if found is None:
        pytest.skip(f"PostgreSQL's {name} is not installed")
    return found


def _base_backup(of: Cluster, to: Path, *options: str) -> None:
    where = ["--host", "127.0.0.1", "--port", str(of.port), "--username", USER]
    copying = ["--pgdata", str(to), "--wal-method", "stream", "--checkpoint", "fast"]
    _run("pg_basebackup", *where, *copying, *options)


def _run(name: str, *arguments: str | Path) -> None:
    done = subprocess.run(
        [program(name), *arguments], check=False, capture_output=True, text=True, **_as_postgres()
    )
    assert done.returncode == 0, done.stderr


def _as_postgres() -> Mapping[str, Any]:
    if os.geteuid():
        return {}
    return {"user": USER, "group": USER, "extra_groups": [], "cwd": "/"}


def _hand_over(folder: Path) -> None:
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, USER, USER)
