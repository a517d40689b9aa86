"""A recorded life of an estate's server, and what must hold after a power cut in it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import argon2
from sqlalchemy import select

from community_server.entries.tables import Entry
from community_server.erasure import remove_person
from community_server.estate import Estate, open_estate
from community_server.people.particulars import owner
from community_server.settings import Settings
from community_server.setup.community import find_community
from tests.community_server.bench import Bench
from tests.faults.power.recording import Happened, Recording, Sent, traced
from tests.faults.power.verdict import Verdict

_TRACED_SERVER: Final = Path(__file__).with_name("traced_server.py")
_LINES: Final = b"\n"


def live(disk: Path, *, rounds: int) -> Recording:
    """Let a server work, be killed, work again and stop."""
    recording = Recording(disk)
    log = disk.with_name("strace.log")
    for ending in ("kill", "close"):
        command = [sys.executable, str(_TRACED_SERVER), str(disk / "server"), str(rounds), ending]
        done = subprocess.run(
            traced(command, log),
            capture_output=True,
            text=True,
            check=False,
            env=dict(os.environ) | {"GATEHOUSE_CONFIG": str(disk.with_name("none.toml"))},
            timeout=600,
        )
        assert done.returncode == 0, done.stderr[-3000:]
        recording.add(log)
    return recording


@dataclass
class Answered:
    """What an estate's server had told before a cut, by what it is about."""

    is_set_up: bool = False
    entries: set[str] = field(default_factory=set)
    taken: dict[str, int] = field(default_factory=dict)
    logs: dict[str, tuple[int, int]] = field(default_factory=dict)
    names: dict[str, str] = field(default_factory=dict)
    pins: dict[str, str] = field(default_factory=dict)
    enrolled: set[str] = field(default_factory=set)
    erasing: set[str] = field(default_factory=set)
    erased: set[str] = field(default_factory=set)
    envelopes: set[str] = field(default_factory=set)

    def take(self, told: dict[str, Any]) -> None:
        match told["fact"]:
            case "set-up":
                self.is_set_up = True
            case "entries":
                self.entries.update(told["entries"])
                self.taken[told["door"]] = told["sequence"]
            case "log":
                self.logs[told["door"]] = (told["epoch"], told["next"])
            case "person":
                self.names[told["person"]] = told["name"]
            case "pin":
                self.pins[told["person"]] = told["pin"]
            case "enrolled":
                self.enrolled.add(told["person"])
            case "erasing":
                self.erasing.add(told["person"])
            case "erased":
                self.erased.add(told["person"])
            case "received":
                self.envelopes.add(told["envelope"])


class Listener:
    """Follows a recording up to a line."""

    def __init__(self, events: Sequence[Happened]) -> None:
        self._events = iter(events)
        self._next = next(self._events, None)
        self._said = bytearray()
        self.seen = Answered()

    def advance(self, line: int) -> None:
        """Listen to everything before a line of the recording."""
        while self._next is not None and self._next.begin < line:
            if isinstance(self._next, Sent):
                self._said += self._next.data
            self._next = next(self._events, None)
        *whole, rest = bytes(self._said).split(_LINES)
        self._said = bytearray(rest)
        for one in whole:
            if one.startswith(b"{"):
                self.seen.take(json.loads(one))


def judge(data: Path, seen: Answered) -> Verdict:
    """Open the estate of a folder and compare it with what was told."""
    verdict = Verdict()
    try:
        estate = open_estate(Settings(data=data))
    except Exception as error:  # noqa: BLE001 - whatever keeps a server from starting is the finding
        verdict.broken.append(f"it does not start: {error!r}")
        return verdict
    try:
        with estate.reading() as session:
            kept = session.scalars(select(Entry.entry)).all()
            (integrity,) = session.connection().exec_driver_sql("PRAGMA integrity_check").one()
        verdict.entries = len(kept)
        verdict.lost += [*_lost(estate, seen), *_lost_people(estate, seen)]
        verdict.lost += [f"entry {one}" for one in seen.entries - set(kept)]
        verdict.doubled += [f"entry {one}" for one in set(kept) if kept.count(one) > 1]
        verdict.broken += [*_returned(estate, seen), *_goes_on(estate, seen)]
        verdict.broken += [f"the database: {integrity}"] * (integrity != "ok")
    finally:
        estate.close()
    return verdict


def _lost(estate: Estate, seen: Answered) -> Iterator[str]:
    with estate.reading() as session:
        if seen.is_set_up and find_community(session) is None:
            yield "the set-up"
    for door, sequence in seen.taken.items():
        if estate.links.marks(door).seen_sequence < sequence:
            yield f"the mark {sequence} of a door's log"
    for door, (epoch, following) in seen.logs.items():
        marks = estate.links.marks(door)
        if (marks.epoch, marks.next_sequence) < (epoch, following):
            yield f"the log to a door: {marks} for {epoch}, {following}"
        if len(estate.links.pending(door, 0, limit=following, max_bytes=2**30)) < following - 1:
            yield "records for a door"
    bench = Bench(estate)
    yield from (f"the answer to {one}" for one in seen.envelopes if not bench.sealed_replies(one))


def _lost_people(estate: Estate, seen: Answered) -> Iterator[str]:
    for person in seen.names.keys() - seen.erased:
        row = estate.book.find(person)
        if row is None:
            if person not in seen.erasing:
                yield f"person {person}"
            continue
        if row.name != seen.names[person]:
            yield f"the name of {person}"
        if person in seen.enrolled and not row.roster.template:
            yield f"the face of {person}"
        if person in seen.pins and not _fits(row.roster.pin, seen.pins[person]):
            yield f"the PIN of {person}"


def _fits(stored: str, pin: str) -> bool:
    try:
        return argon2.PasswordHasher().verify(stored, pin)
    except argon2.exceptions.Argon2Error:
        return False


def _returned(estate: Estate, seen: Answered) -> Iterator[str]:
    with estate.reading() as session:
        for person in seen.erased:
            if estate.book.find(person) or estate.safe.has_owner(session, owner(person)):
                yield f"erased {person} is back"


def _goes_on(estate: Estate, seen: Answered) -> Iterator[str]:
    """Erase everybody: which opens and changes all there is, up to the doors' log."""
    for person in seen.names.keys() - seen.erased:
        if estate.book.find(person) is None:
            continue
        with estate.changer.change() as change:
            remove_person(change, estate.links, person)
        if estate.book.find(person) is not None:
            yield f"{person} cannot be erased"
