"""The three tiers as separate processes on this machine, set up and paired.

The demo and the end-to-end and fault tests drive the product through this: real processes,
real links, nothing in between. Data lies below one folder.
"""

import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx

from gatehouse.lan import write_certificate
from gatehouse.staff_client import StaffClient

# A cold start loads Python, the databases and the models; slow boards and a busy CI need it.
START_SECONDS: Final = 90.0
STOP_SECONDS: Final = 10.0
POLL_SECONDS: Final = 0.05

_LOOPBACK: Final = "127.0.0.1"
_SERVERS_PORTS: Final = range(20_000, 32_000)
"""Below 32,768, where Linux begins with the ports of clients; other systems begin higher."""
_DRAWS: Final = 100
USERNAME: Final = "manager"
DETAILS: Final = {"controller": "The operator of this machine", "contact": "whoever started it"}
"""Who answers for the data here, as the impact assessment names them."""

T = TypeVar("T")


class EstateFailed(Exception):
    """A tier did not start, or something did not come about in time."""


def wait_for(what: str, look: Callable[[], T | None], seconds: float = START_SECONDS) -> T:
    """Call `look` until it returns something truthy, and return that.

    Raises:
        EstateFailed: it did not within `seconds`; the message names `what`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if found := look():
            return found
        time.sleep(POLL_SECONDS)
    raise EstateFailed(f"{what}: not within {seconds:.0f} s")


def free_port(preferred: int = 0) -> int:
    """Return `preferred` if it is given and nothing listens there, else a port that is free now.

    Not one that the system hands to clients: one of them might take it before it is listened on,
    or while what listens there is started anew.
    """
    drawn = (secrets.choice(_SERVERS_PORTS) for _ in range(_DRAWS))
    for port in (preferred, *drawn) if preferred else drawn:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((_LOOPBACK, port))
            except OSError:
                continue
            return port
    raise EstateFailed("no free port")


def run_command(
    arguments: Sequence[str], environment: Mapping[str, str], release: Path | None = None
) -> str:
    """Run one `gatehouse` command to its end and return what it printed.

    Args:
        arguments: of the command.
        environment: added to this process's.
        release: a clone of another release that has been set up; None for this one.

    Raises:
        EstateFailed: it failed; the message is what it wrote.
    """
    done = subprocess.run(
        [python_of(release), "-m", "gatehouse", *arguments],
        cwd=release,
        env={**os.environ, **environment},
        check=False,
        capture_output=True,
        text=True,
        timeout=START_SECONDS,
    )
    if done.returncode:
        raise EstateFailed(f"gatehouse {arguments[0]} {arguments[1]}: {done.stderr.strip()}")
    return done.stdout


def python_of(release: Path | None) -> str:
    """Return the interpreter in which a release's packages are installed."""
    return str(release / ".venv" / "bin" / "python") if release else sys.executable


@dataclass
class TierProcess:
    """One tier as a process: `gatehouse ARGUMENTS…` with an environment and a log file.

    `release` is as in `run_command`.
    """

    arguments: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    release: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process in a session of its own; `wait_for` readiness is the caller's."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [python_of(self.release), "-m", "gatehouse", *self.arguments],
                cwd=self.release,
                env={**os.environ, **self.environment},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    @property
    def running(self) -> bool:
        """Whether the process lives."""
        return self.process is not None and self.process.poll() is None

    def stop(self) -> None:
        """Ask the process to end, and its children; insist after a while."""
        if self.process is None:
            return
        self._signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """SIGKILL the whole tier at once, as a power switch would."""
        if self.process is None:
            return
        self._signal(signal.SIGKILL)
        self.process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, number)


@dataclass
class LocalEstate:
    """A cloud, one estate's server and its doors. Use as a context manager.

    Attributes:
        folder: where the tiers keep data and logs.
        cloud_database: SQLAlchemy URL; empty for the default.
        server_database: the same for the server.
        cloud_port: port to prefer; any free one when taken.
        server_port: the same for the server.
        server_host: where doors and desks reach the server.
        lan: address of this machine at which phones reach the forms over HTTPS; empty for
            plain HTTP on the loopback interface.
        releases: clones of other releases that have been set up, by the tier that is to run from
            one: `cloud`, `server`, `door`.
    """

    folder: Path
    cloud_database: str = ""
    server_database: str = ""
    cloud_port: int = 0
    server_port: int = 0
    server_host: str = _LOOPBACK
    lan: str = ""
    password: str = field(default_factory=lambda: secrets.token_urlsafe(12), repr=False)
    environment: Mapping[str, str] = field(default_factory=dict)
    releases: Mapping[str, Path] = field(default_factory=dict)
    community: str = ""
    recovery_secret: str = field(default="", repr=False)
    """What stands on the recovery kit, once the estate has been set up."""
    cloud: TierProcess = field(init=False)
    server: TierProcess = field(init=False)
    doors: dict[str, TierProcess] = field(default_factory=dict)
    door_ports: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.lan:
            write_certificate(self.lan, self._certificate, self._certificate_key)
        self.cloud_port = free_port(self.cloud_port)
        self.server_port = free_port(self.server_port)
        self.cloud = self._tier("cloud", ["cloud", "run"], self.cloud_environment)
        self.server = self._tier("server", ["server", "run"], self.server_environment)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for tier in (*self.doors.values(), self.server, self.cloud):
            tier.stop()

    @property
    def cloud_address(self) -> str:
        """Address of the public forms."""
        if self.lan:
            return f"https://{self.lan}:{self.cloud_port}"
        return f"http://{_LOOPBACK}:{self.cloud_port}"

    @property
    def server_address(self) -> str:
        """Address of the estate's console."""
        return f"https://{self.server_host}:{self.server_port}"

    @property
    def cloud_environment(self) -> dict[str, str]:
        """What the cloud's commands need to find their data."""
        settings: dict[str, object] = {"host": _LOOPBACK, "port": self.cloud_port}
        if self.lan:
            settings |= {
                "host": "0.0.0.0",  # noqa: S104 - phones on the network are to reach it
                "tls_certificate": self._certificate,
                "tls_key": self._certificate_key,
            }
        return self._environment("CLOUD", "cloud", self.cloud_database, **settings)

    @property
    def server_environment(self) -> dict[str, str]:
        """What the server's commands need to find their data."""
        settings: dict[str, object] = {"host": _LOOPBACK, "port": self.server_port}
        if self.server_host != _LOOPBACK:
            settings |= {
                "host": "0.0.0.0",  # noqa: S104 - doors are to reach it
                "names": json.dumps([self.server_host]),
            }
        environment = self._environment("SERVER", "server", self.server_database, **settings)
        if self.lan:
            environment["SSL_CERT_FILE"] = str(self._certificate)
        return environment

    def start_cloud(self) -> None:
        """Start the cloud and wait until it answers."""
        self.cloud.start()
        self.await_health(self.cloud, self.cloud_address)

    def start_server(self) -> None:
        """Start the server and wait until it answers."""
        self.server.start()
        self.await_health(self.server, self.server_address)

    def set_up(self, name: str, *, sign: bool = True) -> None:
        """Do what the installer does: first-run set-up, then pairing server and cloud.

        With `sign`, the impact assessment is signed at the end, without which faces are off.
        """
        paired = json.loads(self._run(["cloud", "pair", name, "--json"], self.cloud_environment))
        code = (self.folder / "server" / "setup-code").read_text().strip()
        with self._staff() as staff:
            kit = staff.call(
                "POST",
                "setup",
                {
                    "code": code,
                    "community_name": name,
                    "username": USERNAME,
                    "password": self.password,
                },
            )
        self.community, self.recovery_secret = paired["community"], kit["recovery_secret"]
        with self.staff() as staff:
            staff.call("POST", "cloud", {"url": self.cloud_address, "code": paired["code"]})
        wait_for("the community's keys at the cloud", self._profile_published)
        if sign:
            self.sign_assessment()

    def sign_assessment(self) -> None:
        """Sign the impact assessment as the privacy officer does, and so switch faces on."""
        with self.staff() as staff:
            staff.call("PUT", "privacy/details", DETAILS)
            staff.call("POST", "session/proof", {"password": self.password})
            staff.call("POST", "privacy/assessments", {"name": USERNAME})

    def add_door(self, name: str, camera: str, *, keys: str = "available", **settings: str) -> str:
        """Create, pair and start a door; return its id.

        Args:
            name: what staff call it.
            camera: an index, an address, a video file or a folder.
            keys: where the door's key is.
            **settings: further `GATEHOUSE_DOOR_…` settings, by their names in lower case.
        """
        with self.staff() as staff:
            door: str = staff.call("POST", "doors", {"name": name, "direction": "in"})["door"]
            pairing = staff.call("POST", f"doors/{door}/pairing")
        self.door_ports[door] = free_port()
        environment = {
            **self._environment("DOOR", f"door-{door}", "", port=self.door_ports[door]),
            "GATEHOUSE_DOOR_CAMERA": camera,
            **{f"GATEHOUSE_DOOR_{key.upper()}": value for key, value in settings.items()},
        }
        where = ["--server", self.server_address, "--code", pairing["code"]]
        self._run(["door", "pair", "--keys", keys, *where], environment)
        self.doors[door] = self._tier(f"door-{door}", ["door", "run"], environment)
        self.doors[door].start()
        return door

    def staff(self) -> StaffClient:
        """Return a signed-in client of the console's API; a context manager."""
        client = self._staff()
        client.sign_in(USERNAME, self.password)
        return client

    def await_door(self, door: str, people: int = 0) -> Mapping[str, Any]:
        """Wait until a door holds the server's roster; return what the console says of it.

        Args:
            door: which.
            people: how many the roster has at least.

        Raises:
            EstateFailed: it did not in time.
        """
        with self.staff() as staff:

            def look() -> Mapping[str, Any] | None:
                rows = {row["door"]: row for row in staff.call("GET", "doors")}
                row: Mapping[str, Any] = rows[door]
                known = row["connected"] and row["in_step"] and row["people"] >= people
                return row if known else None

            return wait_for(f"door {door} to know {people} people", look)

    def public(self) -> httpx.Client:
        """Return a client of the cloud, as a person's device would be; a context manager."""
        trust = ssl.create_default_context(cafile=str(self._certificate) if self.lan else None)
        return httpx.Client(timeout=30.0, trust_env=False, verify=trust)

    @property
    def _certificate(self) -> Path:
        return self.folder / "lan.pem"

    @property
    def _certificate_key(self) -> Path:
        return self.folder / "lan.key"

    def _profile_published(self) -> bool:
        with self.public() as http:
            answer = http.get(f"{self.cloud_address}/api/v1/communities/{self.community}")
        return answer.is_success and bool(answer.json()["certificates"])

    def _staff(self) -> StaffClient:
        authority = (self.folder / "server" / "ca.pem").read_text()
        return StaffClient.connect(self.server_address, authority_pem=authority)

    def _tier(
        self, name: str, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> TierProcess:
        return TierProcess(
            arguments,
            {**environment, **self.environment},
            self.folder / f"{name}.log",
            self.releases.get(arguments[0]),
        )

    def _run(self, arguments: Sequence[str], environment: Mapping[str, str]) -> str:
        return run_command(arguments, environment, self.releases.get(arguments[0]))

    def _environment(
        self, tier: str, folder: str, database: str, **settings: object
    ) -> dict[str, str]:
        values = {"data": self.folder / folder, **settings}
        if database:
            values["database"] = database
        return {
            "GATEHOUSE_CONFIG": str(self.folder / "none.toml"),
            **{f"GATEHOUSE_{tier}_{key.upper()}": str(value) for key, value in values.items()},
        }

    def await_health(self, tier: TierProcess, address: str) -> None:
        """Wait until a tier answers at its address.

        Raises:
            EstateFailed: it ended, or did not answer in time.
        """

        def look() -> bool:
            if not tier.running:
                raise EstateFailed(f"{tier.arguments[0]} ended: {tail(tier.log)}")
            try:
                # Readiness only: whom to trust is settled by the calls that follow.
                return httpx.get(f"{address}/health", verify=False, trust_env=False).is_success  # noqa: S501 - no secret travels
            except httpx.TransportError:
                return False

        wait_for(f"{tier.arguments[0]} at {address} (log: {tier.log})", look)


def tail(log: Path, lines: int = 12) -> str:
    """Return the last lines of a log file."""
    return "\n".join(log.read_text("utf-8", errors="replace").splitlines()[-lines:])
