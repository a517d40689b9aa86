"""A machine of the guide's below one folder: its folders, its command, its services.

Commands and files are those of the guide and of `deploy/`, with other folders. `sudo` and
`runuser` hand on to what they are given, as they do for root; services are started as their units
say, and a unit that waits for word of its process (`Type=notify`) is waited for.
"""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from face_engine.models import default_folder
from tests.support.guides import ROOT

START_S: Final = 120.0
FOLDERS: Final = ("/opt/gatehouse", "/etc/gatehouse", "/usr/local/bin", "/var/lib", "/mnt/backups")
UNITS: Final = "/etc/systemd/system"
OWNERS: Final = (" -o gatehouse", " -g gatehouse")
"""The service's user, whom nobody made here: files are the test's own."""

_SUDO: Final = '#!/bin/sh\n[ "$1" = -- ] && shift\nexec "$@"\n'
_RUNUSER: Final = '#!/bin/sh\n[ "$1 $2 $3" = "-u gatehouse --" ] || exit 64\nshift 3\nexec "$@"\n'


class CommandFailed(Exception):
    """A command of the guide ended with another status than 0; the message is what it wrote."""


@dataclass
class Machine:
    """One machine.

    Attributes:
        root: what stands for `/`.
        replaced: what else is another here, by what the guide has: addresses, ports.
        environment: settings of the services that the guide leaves as they are, such as ports.
    """

    root: Path
    replaced: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: str = "/"
    services: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for one in (*FOLDERS, UNITS, "/usr/bin"):
            if one not in ("/etc/gatehouse", "/mnt/backups"):  # the guide makes those
                (self.root / one[1:]).mkdir(parents=True)
        opt = self.root / "opt/gatehouse"
        (opt / ".venv").symlink_to(sys.prefix)
        (opt / "models").symlink_to(default_folder())
        for file in (ROOT / "deploy/systemd").iterdir():
            copy = opt / "deploy/systemd" / file.name
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(self.placed(file.read_text()))
            shutil.copymode(file, copy)
        for name, text in (("sudo", _SUDO), ("runuser", _RUNUSER)):
            shim = self.root / "usr/bin" / name
            shim.write_text(text)
            shim.chmod(0o755)

    def placed(self, text: str) -> str:
        """Return a text of the guide's with this machine's folders and addresses."""
        for owner in OWNERS:
            text = text.replace(owner, "")
        for folder in (*FOLDERS, UNITS):
            text = text.replace(folder, f"{self.root}{folder}")
        for guide, here in self.replaced.items():
            text = text.replace(guide, here)
        return text

    def run(self, line: str, **secrets: str) -> str:
        """Run one line in the shell, in the folder where the last one left it; return its words.

        Raises:
            CommandFailed: it ended with another status than 0.
        """
        words = self.placed(line)
        if words.startswith("cd "):
            self.folder = words.removeprefix("cd ")
            return ""
        done = subprocess.run(
            ["bash", "-c", words],
            cwd=self.folder,
            env=self._environment() | secrets,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=START_S,
            check=False,
        )
        if done.returncode:
            raise CommandFailed(f"{line}: {done.stdout}{done.stderr}")
        return done.stdout

    def write(self, file: str, text: str) -> None:
        """Write a file of the guide's, as its reader does with an editor."""
        (self.root / file[1:]).write_text(self.placed(text))

    def start(self, service: str) -> None:
        """Start a service as its unit says, in place of systemd."""
        unit = self._unit(service)
        data = Path(unit["WorkingDirectory"])
        assert data == self.root / "var/lib" / unit["StateDirectory"]
        data.mkdir(mode=0o700, exist_ok=True)
        file = Path(unit["EnvironmentFile"]).read_text().splitlines()
        settings = dict(line.split("=", 1) for line in file if not line.startswith("#"))
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as word:
            word.bind("\0" + service + str(self.root)[-60:])
            word.settimeout(START_S)
            address = str(word.getsockname()[1:], "ascii")
            heard = {"NOTIFY_SOCKET": f"@{address}"} if unit.get("Type") == "notify" else {}
            with (self.root / f"{service}.log").open("ab") as log:
                self.services[service] = subprocess.Popen(
                    unit["ExecStart"].split(),
                    cwd=data,
                    env=self._environment() | settings | heard,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            if heard:
                assert b"READY=1" in word.recv(1000)

    def stop(self) -> None:
        """Stop its services."""
        for process in self.services.values():
            process.terminate()
        for process in self.services.values():
            process.wait(START_S)

    def log_of(self, service: str) -> str:
        """Return what a service has written."""
        return (self.root / f"{service}.log").read_text()

    def _unit(self, service: str) -> dict[str, str]:
        text = (self.root / UNITS[1:] / f"{service}.service").read_text()
        lines = [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
        return dict(line.split("=", 1) for line in lines)

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if "GATEHOUSE" not in name}
        places = [self.root / "usr/bin", self.root / "usr/local/bin"]
        path = os.pathsep.join([*map(str, places), os.environ["PATH"]])
        return {**kept, **self.environment, "PATH": path}
