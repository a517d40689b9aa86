"""Some minutes in the life of a door, recorded: paired, used, full, killed, stopped, started."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import Any, Final

import httpx
import psutil

from access_rules.lockdown import NO_LOCKDOWN, Lockdown
from tests.door_terminal.estate import DOOR, Estate, eventually
from tests.door_terminal.processes import wire
from tests.door_terminal.samples import QUICK, configured, person
from tests.faults.power.recording import Recording, traced
from tests.support.passes import PassMaker
from tests.support.small_disks import fill
from tier_link.estate_messages import (
    DoorConfigured,
    EstateMessage,
    LockdownDeclared,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    Zone,
    roster_hash,
)
from tier_link.passes import door_tag

UNIT: Final = "3-1-1201"
PIN: Final = "482915"
PASSES: Final = 5
USES: Final = 2
IN_RESERVE: Final = 4
_TRACED_DOOR: Final = Path(__file__).with_name("traced_door.py")


@dataclass
class Told:
    """What the server told the door, in the order of its log."""

    estate: Estate
    messages: list[EstateMessage] = field(default_factory=list)
    lock: Lock = field(default_factory=Lock)

    def configure(self, name: str, passes: PassMaker) -> None:
        wire = configured(
            name=name, pass_allowed=True, passes=passes.rules(), zone=Zone(cooldown_s=0)
        )
        with self.lock:
            self.messages.append(wire)
            self.estate.configure(wire)

    def enroll(self, *people: RosterPerson) -> None:
        with self.lock:
            self.estate.enroll(*people)
            self.messages.append(RosterDelta(self.estate.roster_version, people))

    def snapshot(self, parts: Sequence[Sequence[RosterPerson]]) -> None:
        with self.lock:
            self.estate.snapshot(parts)
            self.messages += [
                RosterSnapshot(self.estate.roster_version, number, len(parts), tuple(part))
                for number, part in enumerate(parts)
            ]

    def declare(self, word: Lockdown) -> None:
        with self.lock:
            message = LockdownDeclared(word.number, word.active)
            self.messages.append(message)
            self.estate._put(message)
        eventually(lambda: self.estate.presences[-1].lockdown == word.number)

    def after(self, count: int) -> "Holding":
        """Return what a door holds with so many of them."""
        name, people, lockdown = "", dict[str, RosterPerson](), NO_LOCKDOWN
        coming = dict[str, RosterPerson]()
        for message in self.messages[:count]:
            match message:
                case DoorConfigured():
                    name = message.name
                case RosterDelta():
                    people |= {one.person: one for one in message.upserts}
                case RosterSnapshot():
                    coming = {} if message.part == 0 else coming
                    coming |= {one.person: one for one in message.people}
                    people = dict(coming) if message.part + 1 == message.parts else people
                case LockdownDeclared():
                    lockdown = Lockdown(message.number, message.active)
        return Holding(name, roster_hash(people.values()), lockdown)


@dataclass(frozen=True)
class Holding:
    """What a door holds of what it was told."""

    name: str
    roster: bytes
    lockdown: Lockdown


@dataclass
class Life(Recording):
    """A door's recorded life, `door` its folder on the disk, and what the server `told` it."""

    told: Told = field(kw_only=True)


class TracedDoor:
    """One running door under strace."""

    def __init__(self, life: Life, *, unsafe: bool = False) -> None:
        self._life = life
        self._log = life.disk.with_name("strace.log")
        self.data = life.disk / "door"
        with life.disk.with_name("door.log").open("a") as errors:
            self._process = subprocess.Popen(
                traced(
                    [sys.executable, str(_TRACED_DOOR), str(self.data), *["--unsafe"] * unsafe],
                    self._log,
                ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                env=_environment(life.disk),
            )
        line = self._stdout.readline()
        assert line.startswith("ready "), life.disk.with_name("door.log").read_text()[-3000:]
        self.url = line.split()[1]
        self._http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    @property
    def _stdout(self) -> Any:
        return self._process.stdout

    def state(self) -> dict[str, Any]:
        answer: dict[str, Any] = self._http.get("/state").json()
        return answer

    def pin(self, pin: str = PIN, unit: str = UNIT) -> dict[str, Any]:
        answer = self._http.post("/pin", json={"unit": unit, "pin": pin})
        answer.raise_for_status()
        outcome: dict[str, Any] = answer.json()
        return outcome

    def show(self, code: str) -> dict[str, Any]:
        stdin = self._process.stdin
        assert stdin is not None
        stdin.write(code + "\n")
        stdin.flush()
        outcome: dict[str, Any] = json.loads(self._stdout.readline())
        return outcome

    def end(self, *, kill: bool) -> None:
        """Stop the door as systemd does, or kill it."""
        self._http.close()
        (door,) = psutil.Process(self._process.pid).children()
        if kill:
            door.kill()
        else:
            door.terminate()
        assert self._process.stdin is not None
        with self._process.stdin, self._stdout:
            self._process.wait(20)
        self._life.add(self._log)

    def abandon(self) -> None:
        if self._process.poll() is None:
            assert self._process.stdin is not None
            with self._process.stdin, self._stdout:
                pass
            for one in psutil.Process(self._process.pid).children():
                one.kill()
            self._process.wait(10)


@contextmanager
def _living(life: Life, *, unsafe: bool) -> Iterator[TracedDoor]:
    door = TracedDoor(life, unsafe=unsafe)
    try:
        yield door
    finally:
        door.abandon()


def live(estate: Estate, disk: Path, *, rounds: int = 1, unsafe: bool = False) -> Life:
    """Pair a door whose folder lies on a small disk, use it, and return its recording."""
    life = Life(disk, told=Told(estate))
    passes = PassMaker(int(estate.time()))
    codes = [
        passes.fixed(f"{number:02x}" * 8, uses=USES, doors=(door_tag(DOOR),), alone=True)
        for number in range(1, PASSES + 1)
    ]
    _pair(life, estate)
    life.told.configure("gate 0", passes)
    life.told.enroll(person("a", unit=UNIT, pin=QUICK.hash(PIN)))
    with _living(life, unsafe=unsafe) as door:
        eventually(estate.in_step)
        for number in range(rounds):
            with ThreadPoolExecutor(1) as beside:
                news = beside.submit(_tell, life.told, passes, number)
                _enter(door, codes)
                news.result()
        eventually(estate.in_step)
        life.told.declare(Lockdown(1, active=True))
        assert not door.pin()["granted"]
        life.told.declare(Lockdown(2))
        estate.down()
        filler = fill(disk)
        # First the database's log uses up the room that it has already.
        while door.state()["reserve"] < IN_RESERVE:
            assert door.pin()["granted"]
        door.end(kill=True)
    filler.unlink()
    with _living(life, unsafe=unsafe) as door:
        assert door.state()["reserve"] == 0
        estate.up()
        _enter(door, codes)
        eventually(lambda: door.state()["unsent"] == 0)
        door.end(kill=False)
    with _living(life, unsafe=unsafe) as door:
        for _ in range(4):
            door.pin()
        door.end(kill=True)
    return life


def _enter(door: TracedDoor, codes: Sequence[str]) -> None:
    """Let people come: with the right PIN, with a wrong one, with passes."""
    for number, code in enumerate(codes):
        assert door.pin()["granted"]
        door.show(code)
        for _ in range(number % 3):
            assert not door.pin("000000")["granted"]
    wire(door.data, tamper=len(door.state()["alarms"]) == 0)


def _tell(told: Told, passes: PassMaker, number: int) -> None:
    """Let the server have news meanwhile."""
    names = "bcdef"
    for name in names:
        told.enroll(person(name, unit=f"{number}-{name}"))
    told.configure(f"gate {number + 1}", passes)
    resident = told.estate.roster["a" * 32]
    told.snapshot([[resident], [person("7", unit=f"{number}")], [person("8")]])
    told.enroll(person("9", unit=f"{number}-9"))


def _pair(life: Life, estate: Estate) -> None:
    log = life.disk.with_name("strace.log")
    pairing = ["door", "pair", "--server", estate.url, "--code", estate.code()]
    done = subprocess.run(
        traced(
            [sys.executable, "-m", "gatehouse", *pairing, "--data", str(life.disk / "door")], log
        ),
        capture_output=True,
        text=True,
        check=False,
        env=_environment(life.disk),
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    life.add(log)


def _environment(disk: Path) -> dict[str, str]:
    return dict(os.environ) | {"GATEHOUSE_CONFIG": str(disk.with_name("none.toml"))}
