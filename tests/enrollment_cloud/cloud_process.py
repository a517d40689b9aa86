"""A cloud as its operator runs it: `gatehouse cloud run` in a process of its own."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import httpx

from enrollment_cloud.communities.service import create_community
from enrollment_cloud.database import open_cloud_database
from enrollment_cloud.settings import Settings
from tier_link.store import PairingCodes

T = TypeVar("T")

START_SECONDS = 60.0


@dataclass
class CloudProcess:
    """One cloud process over a database; several may share one."""

    folder: Path
    database: str = ""
    name: str = "cloud"
    extra: dict[str, str] = field(default_factory=dict)
    address: str = ""
    _process: subprocess.Popen[str] | None = None

    @property
    def environment(self) -> dict[str, str]:
        """What the cloud's commands need."""
        return {
            **os.environ,
            "GATEHOUSE_CONFIG": str(self.folder / "none.toml"),
            "GATEHOUSE_CLOUD_DATA": str(self.folder / "data"),
            "GATEHOUSE_CLOUD_DATABASE": self.database,
            "GATEHOUSE_CLOUD_PORT": "0",
            "TMPDIR": str(self.temporary),
            "PYTHONUNBUFFERED": "1",
            **self.extra,
        }

    @property
    def temporary(self) -> Path:
        """The process's temporary folder, to be searched for what must not be there."""
        folder = self.folder / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    @property
    def log(self) -> Path:
        """What the process wrote to standard error."""
        return self.folder / f"{self.name}.log"

    @property
    def pid(self) -> int:
        """The running process's id."""
        assert self._process is not None
        return self._process.pid

    @property
    def api(self) -> str:
        """Base of the JSON API."""
        return f"{self.address}/api/v1/communities"

    @property
    def link_address(self) -> str:
        """Base of the WebSocket addresses."""
        return self.address.replace("http://", "ws://")

    def start(self) -> None:
        """Start it and wait until it says that it serves."""
        with self.log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "gatehouse", "cloud", "run"],
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        found = re.fullmatch(r"ready (http://127\.0\.0\.1:\d+)\n", line)
        assert found, f"{line!r}\n{self.log.read_text()}"
        self.address = found[1]

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._close()

    def stop(self) -> int:
        """Ask it to end; return its exit code."""
        if self._process is None:
            return 0
        self._process.send_signal(signal.SIGTERM)
        code = self._process.wait(20)
        self._close()
        return code

    def _close(self) -> None:
        assert self._process is not None
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def command(self, *arguments: str) -> str:
        """Run another `gatehouse cloud` command on the same database."""
        done = subprocess.run(
            [sys.executable, "-m", "gatehouse", "cloud", *arguments],
            env=self.environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=START_SECONDS,
        )
        return done.stdout

    def pair(self, *arguments: str) -> dict[str, Any]:
        """Run `gatehouse cloud pair` and return what it says."""
        facts: dict[str, Any] = json.loads(self.command("pair", *arguments, "--json"))
        return facts

    def register(self, name: str) -> dict[str, Any]:
        """Do what `pair` does without starting a process."""
        database = open_cloud_database(Settings(database=self.database))
        with database.write.begin() as session:
            community = create_community(session, name, 1)
            code = PairingCodes(database.engine).issue(session, role="server", subject=community.id)
            facts = {"community": community.id, "code": code.code}
        database.engine.dispose()
        return facts

    def get(self, path: str, **arguments: Any) -> httpx.Response:
        """Ask this process."""
        return httpx.get(self.address + path, trust_env=False, **arguments)

    def memory(self) -> Iterator[bytes]:
        """Yield the writable memory of the running process, region by region."""
        maps = Path(f"/proc/{self.pid}/maps").read_text().splitlines()
        with Path(f"/proc/{self.pid}/mem").open("rb", buffering=0) as memory:
            for line in maps:
                span, rights, *_ = line.split()
                start, end = (int(edge, 16) for edge in span.split("-"))
                if "rw" not in rights:
                    continue
                memory.seek(start)
                try:
                    yield memory.read(end - start)
                except OSError:
                    continue  # a guard page, or gone meanwhile
