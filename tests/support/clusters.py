"""PostgreSQL clusters of a test's own: a primary and a replica, on free ports, ended with the test.

The one that belongs to the machine is never touched.
"""

import contextlib
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
import sqlalchemy as sa

from gatehouse.lan import write_certificate
from gatehouse.local_estate import free_port, wait_for

OWNER: Final = "postgres"
"""PostgreSQL does not run as root: where tests do, this user owns its files."""
DATABASE: Final = "gatehouse"
ROLE: Final = "gatehouse"
_SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "shared_buffers": "32MB",
    "logging_collector": "off",
    "ssl": "on",
}
_HOST: Final = "127.0.0.1"
_PASSWORD: Final = secrets.token_urlsafe(12)


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
        """Make a primary with an empty database, and prepare it as docs/operations.md has it."""
        self._run("initdb", "-D", "data", "-U", OWNER, "-A", "trust", "--no-sync", "-E", "UTF8")
        write_certificate(_HOST, self.folder / "server.crt", self.folder / "server.key")
        self._give("server.crt", "server.key")
        self._admit()
        self.start()
        self.execute(f"CREATE ROLE {ROLE} LOGIN", "postgres")
        self.execute(f"CREATE DATABASE {DATABASE} OWNER {ROLE}", "postgres")
        self.execute(f"CREATE ROLE standby REPLICATION LOGIN PASSWORD '{_PASSWORD}'")
        self.execute(f"GRANT EXECUTE ON FUNCTION pg_promote(boolean, integer) TO {ROLE}")
        self.execute("ALTER SYSTEM SET wal_keep_size = '64MB'")

    def follow(self, other: "Cluster") -> None:
        """Make this a replica of another, and start it."""
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        source = f"host={_HOST} port={other.port} user=standby sslmode=require"
        arguments = ("-D", "data", "-R", "-X", "stream", "-c", "fast")
        self._run("pg_basebackup", "-d", source, *arguments, environment={"PGPASSWORD": _PASSWORD})
        for name in ("server.crt", "server.key"):
            shutil.copy(other.folder / name, self.folder / name)
        self._give("server.crt", "server.key")
        self.start()

    def _admit(self) -> None:
        """Let a standby in by its password over TLS alone, and this test's own tiers by name."""
        rules = (
            "local all all trust",
            f"host all all {_HOST}/32 trust",
            f"hostssl replication standby {_HOST}/32 scram-sha-256",
        )
        (self.folder / "data" / "pg_hba.conf").write_text("\n".join(rules) + "\n")

    def _give(self, *names: str) -> None:
        if os.geteuid() == 0:
            for name in names:
                shutil.chown(self.folder / name, OWNER)

    def start(self) -> None:
        """Start it, and wait until it takes connections."""
        settings = _SETTINGS | {
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
            "ssl_cert_file": str(self.folder / "server.crt"),
            "ssl_key_file": str(self.folder / "server.key"),
        }
        arguments = [item for name in settings for item in ("-c", f"{name}={settings[name]}")]
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [_binary("postgres"), "-D", str(self.folder / "data"), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=self._environment,
                **_as_owner(),
            )
        wait_for(f"PostgreSQL on port {self.port} (log: {self.folder / 'log'})", self._answers)

    def kill(self) -> None:
        """SIGKILL all of it, as a power switch would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """End it without waiting for whoever is connected."""
        self._end(signal.SIGINT)

    def freeze(self) -> None:
        """Let it take and give nothing, as a machine that hangs."""
        self._signal_all(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on where it was."""
        self._signal_all(signal.SIGCONT)

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
        if number == signal.SIGKILL:
            self._signal_all(number)
        else:
            self.process.send_signal(number)
        self.process.wait(60)

    def _signal_all(self, number: signal.Signals) -> None:
        """Children are in sessions of their own, and see what befell their parent too late."""
        if self.process is None:
            return
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        self.process.send_signal(number)
        for child in children.split():
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(child), number)

    def _run(
        self, program: str, *arguments: str, environment: Mapping[str, str] | None = None
    ) -> None:
        done = subprocess.run(
            [_binary(program), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            env={**self._environment, **(environment or {})},
            **_as_owner(),
        )
        if done.returncode:
            raise AssertionError(f"{program}: {done.stderr}")

    @property
    def _environment(self) -> Mapping[str, str]:
        """Return whose home it is: PostgreSQL's client looks for certificates there."""
        return {**os.environ, "HOME": str(self.folder)}


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
