"""A door as an installer has it: the command, its processes, its page, its gate."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import psutil

from door_terminal import command
from door_terminal.device_keys import Custody
from door_terminal.settings import Settings
from door_terminal.vision.messages import REHEARSE
from face_engine.enrollment import judge
from face_engine.models import FacePack
from face_engine.rotation import random_rotation, turn
from gatehouse.sample_people import SamplePerson
from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.samples import configured, packed, person
from tier_link.estate_messages import RosterPerson, Zone

MATRIX = random_rotation(128, seed=11)
"""The estate's secret one."""


def gatehouse(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "gatehouse", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=_environment(cwd),
        timeout=60,
    )


@dataclass
class Door:
    """One running door."""

    process: subprocess.Popen[str]
    data: Path
    url: str

    def state(self) -> dict[str, Any]:
        answer: dict[str, Any] = httpx.get(self.url + "/state", trust_env=False).json()
        return answer

    def pin(self, unit: str, pin: str) -> dict[str, Any]:
        answer = httpx.post(
            self.url + "/pin", json={"unit": unit, "pin": pin}, timeout=30, trust_env=False
        )
        answer.raise_for_status()
        outcome: dict[str, Any] = answer.json()
        return outcome

    def openings(self) -> list[str]:
        """Return the entries for which the gate opened, one for each opening."""
        file = self.data / "gate.jsonl"
        lines = file.read_text().splitlines() if file.exists() else []
        return [json.loads(line)["entry"] for line in lines]

    def wire(self, **levels: bool) -> None:
        """Give the simulated inputs their levels, all at once."""
        wire(self.data, **levels)

    def end_fire(self, pin: str) -> dict[str, Any]:
        answer = httpx.post(self.url + "/fire/end", json={"pin": pin}, timeout=30, trust_env=False)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def ring(self) -> dict[str, Any]:
        return self._call("/call", {})

    def cancel(self, call: str) -> dict[str, Any]:
        return self._call("/call/cancel", {"call": call})

    def _call(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        answer = httpx.post(self.url + path, json=body, timeout=30, trust_env=False)
        answer.raise_for_status()
        told: dict[str, Any] = answer.json()
        return told

    def vision(self) -> psutil.Process:
        children = psutil.Process(self.process.pid).children()
        lines = [(one, one.cmdline()) for one in children]
        (vision,) = [
            one for one, line in lines if "door_terminal.vision" in line and REHEARSE not in line
        ]
        return vision

    def sees(self) -> bool:
        state = self.state()
        return bool(state["vision"] == "" and state["camera"] == "")

    def stop(self) -> int:
        self.process.terminate()
        return self.process.wait(10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def pair(estate: Estate, data: Path, custody: Custody = "available") -> None:
    """Pair as the command does; in a thread, since Playwright's loop may run in this one."""
    with ThreadPoolExecutor(1) as pool:
        settings = Settings(data=data)
        code = estate.code()
        pool.submit(command._pair, settings, estate.url, code, "", custody, again=False).result()


def wire(data: Path, **levels: bool) -> None:
    """Give a door's simulated inputs their levels, running or not."""
    part = data / "inputs.part"
    part.write_text(json.dumps(levels))
    part.replace(data / "inputs.json")


def start_door(data: Path, *options: str, **settings: object) -> Door:
    environment = _environment(data.parent) | {
        f"GATEHOUSE_DOOR_{name.upper()}": str(value) for name, value in settings.items()
    }
    with _log_of(data).open("a") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "gatehouse", "door", "run"]  # noqa: RUF005 - reads as typed
            + ["--data", str(data), "--port", "0", *options],
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env=environment,
        )
    assert process.stdout is not None
    with process.stdout:
        line = process.stdout.readline()
    assert line.startswith("ready "), _log_of(data).read_text()[-3000:]
    return Door(process, data, line.split()[1])


@contextmanager
def running_door(data: Path, *options: str, **settings: object) -> Iterator[Door]:
    door = start_door(data, *options, **settings)
    try:
        yield door
    finally:
        if door.process.poll() is None:
            door.kill()


def enrolled(pack: FacePack, sample: SamplePerson, name: str, **more: object) -> RosterPerson:
    """Enroll somebody with their portrait; `name` is a hex digit."""
    template = turn(judge(pack, [sample.portrait]).template, MATRIX)
    return person(name, template=packed(template), **more)


def furnish(estate: Estate, *people: RosterPerson, **more: Any) -> None:
    """Configure the door and fill its roster."""
    # A roomy zone: these tests are about the path, and the machine may be busy.
    zone = Zone(min_face_px=40)
    fields = {"matrix": MATRIX.astype("<f4").tobytes(), "zone": zone} | more
    estate.configure(configured(**fields))
    estate.enroll(*people)


def in_step(estate: Estate) -> None:
    """Wait until the door proves that it holds the estate's roster."""
    estate.presences.clear()
    eventually(estate.in_step)


def _log_of(data: Path) -> Path:
    # Beside the disk that a test may have filled, not on it.
    return data.parent.parent / f"{data.parent.name}-door.log"


def _environment(folder: Path) -> dict[str, str]:
    return dict(os.environ) | {"GATEHOUSE_CONFIG": str(folder / "none.toml")}
