"""PostgreSQL clusters of a test's own: a primary and a replica, on free ports, ended with the test.

The one that belongs to the machine is never touched.
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from gatehouse.local_estate import free_port, wait_for

OWNER: Final = "postgres"
"""PostgreSQL does not run as root: where tests do, this user owns its files."""
DATABASE: Final = "gatehouse"
ROLE: Final = "gatehouse"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "32MB",
    "max_wal_senders": "4",
    "wal_keep_size": "64MB",
    "logging_collector": "off",
}


@dataclass
class Cluster:
    """One cluster; `folder` holds data, socket and log."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where tiers reach its database, as a user with no more rights than the docs give."""
        return f"postgresql+psycopg://{ROLE}@127.0.0.1:{self.port}/{DATABASE}"

    def make(self) -> None:
        """Make a primary with an empty database, as docs/operations.md has it."""
        self._run("initdb", "-D", "data", "-U", OWNER, "-A", "trust", "--no-sync", "-E", "UTF8")
        self.start()
        self.execute(f"CREATE ROLE {ROLE} LOGIN", "postgres")
        self.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}", "postgres")
        self.execute(f"GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO {ROLE}")

    def follow(self, other: "Cluster") -> None:
        """Make this a replica of another, and start it."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        source = f"host=127.0.0.1 port={other.port} user={OWNER}"
        self._run("pg_basebackup", "-d", source, "-D", "data", "-R", "-X", "stream", "-c", "fast")
        self.start()

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = _SETTINGS | {
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        arguments = [item for name in settings for item in ("-c", f"{name}={settings[name]}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [_binary("postgres"), "-D", str(self.folder / "data"), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **_as_owner(),
            )
        wait_for(f"PostgreSQL on port {self.port} (log: {self.folder / 'log'})", self._answers)

    def kill(self) -> None:
        """SIGKILL all of it, as a power switch would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it without waiting for whoever is connected."""
        self._end(signal.SIGINT)

    def execute(self, statement: str, database: str = DATABASE) -> Any:
        """Run one statement as the superuser; return its first value, if it has any."""
        address = f"postgresql+psycopg://{OWNER}@127.0.0.1:{self.port}/{database}"
        engine = sa.create_engine(address, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
        with engine.connect() as connection:
            result = connection.execute(sa.text(statement))
            return result.scalar() if result.returns_rows else None

    def cut_off(self) -> None:
        """Let this replica receive nothing more."""
        self.execute("ALTER SYSTEM SET primary_conninfo = ''")
        self.execute("SELECT pg_reload_conf()")
        wait_for(
            "the replica to be cut off",
            lambda: not self.execute("SELECT count(*) FROM pg_stat_wal_receiver"),
        )

    def _answers(self) -> bool:
        if self.process is None or self.process.poll() is not None:
            raise AssertionError((self.folder / "log").read_text("utf-8")[-2000:])
        try:
            return bool(self.execute("SELECT 1", "postgres"))
        except sa.exc.OperationalError:
            return False

    def _end(self, number: signal.Signals) -> None:
        if self.process is None or self.process.poll() is not None:
            return
        # Children are in sessions of their own, and notice a killed parent only when they look.
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        self.process.send_signal(number)
        if number == signal.SIGKILL:
            for child in children.split():
                try:
                    os.kill(int(child), number)
                except ProcessLookupError:
                    continue
        self.process.wait(60)

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            [_binary(program), *arguments],
            cwd=self.folder,
            check=True,
            capture_output=True,
            timeout=120,
            **_as_owner(),
        )


@contextmanager
def clusters(count: int) -> Iterator[list[Cluster]]:
    """Yield so many clusters, not made yet; skip the test where PostgreSQL is not installed."""
    if reason := _why_not():
        pytest.skip(reason)
    # Not below pytest's own folder, into which nobody but its owner may look.
    top = Path(tempfile.mkdtemp(prefix="gatehouse-pg-"))
    made = []
    try:
        for number in range(count):
            folder = top / str(number)
            folder.mkdir()
            made.append(Cluster(folder, free_port()))
        if os.geteuid() == 0:
            for folder in (top, *top.iterdir()):
                shutil.chown(folder, OWNER)
        yield made
    finally:
        for cluster in made:
            cluster.stop()
        shutil.rmtree(top, ignore_errors=True)


def _why_not() -> str:
    if not _binary("initdb") or not _binary("pg_basebackup"):
        return "PostgreSQL's own programs are not installed here"
    if os.geteuid() == 0 and not _has_owner():
        return f"PostgreSQL does not run as root, and there is no user {OWNER}"
    return ""


def _has_owner() -> bool:
    try:
        return bool(pwd.getpwnam(OWNER))
    except KeyError:
        return False


@cache
def _binary(name: str) -> str:
    newest = sorted(Path("/usr/lib/postgresql").glob(f"*/bin/{name}"), key=_release)
    return str(newest[-1]) if newest else shutil.which(name) or ""


def _release(path: Path) -> int:
    name = path.parent.parent.name
    return int(name) if name.isdigit() else 0


def _as_owner() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    return {"user": OWNER, "group": pwd.getpwnam(OWNER).pw_gid, "extra_groups": []}
