"""Starting a door on what a power cut left, and holding it against what was seen of it before."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from door_terminal.database import EntryRow, PassUseRow, PinBackoffRow
from door_terminal.identity import is_paired, load_pairing
from door_terminal.roster import unit_key
from door_terminal.settings import Settings
from door_terminal.terminal import Terminal
from door_terminal.wire import read
from tests.door_terminal.estate import SERVER
from tests.faults.power.door_life import PIN, UNIT, Told
from tests.faults.power.seen import Seen
from tier_link.estate_messages import ESTATE, AlarmChanged, EntryRecorded
from tier_link.events import DurableRecord
from tier_link.store import reading

_ALL: Final = 1_000_000
_WHOLE_LOG: Final = 2**30


@dataclass
class Verdict:
    """What is wrong with a door after a power cut; all empty for a good one.

    Attributes:
        entries: Entries that it holds.
        lost: What had been seen and is not there.
        doubled: What is there twice.
        broken: What contradicts itself, or does not go on.
    """

    entries: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not (self.lost or self.doubled or self.broken)


def judge(data: Path, seen: Seen, told: Told) -> Verdict:
    """Start the door of a folder and compare it with what was seen of it."""
    verdict = Verdict()
    if not is_paired(data):
        if seen.paired:
            verdict.lost.append("the pairing")
        return verdict
    try:
        terminal = Terminal(Settings(data=data), load_pairing(data))
    except Exception as error:  # noqa: BLE001 - whatever keeps a door from starting is the finding
        verdict.broken.append(f"it does not start: {error!r}")
        return verdict
    try:
        terminal.entries.drain_reserve()
        _compare(verdict, _Door(terminal), seen, told)
    finally:
        terminal.close()
    return verdict


class _Door:
    """What a started door holds."""

    def __init__(self, terminal: Terminal) -> None:
        self.terminal = terminal
        with Session(reading(terminal.engine)) as session:
            (self.integrity,) = session.connection().exec_driver_sql("PRAGMA integrity_check").one()
            rows = session.scalars(select(EntryRow).order_by(EntryRow.door_sequence)).all()
            self.entries = [read(EntryRecorded, row.body) for row in rows]
            self.uses = Counter({row.pass_id: row.uses for row in session.query(PassUseRow)})
            failures = session.get(PinBackoffRow, unit_key(UNIT))
            self.failures = failures.failures if failures else 0
        self.log = self._log()
        self.marks = terminal.store.marks(SERVER)

    def _log(self) -> list[DurableRecord]:
        return self.terminal.store.pending(SERVER, 0, limit=_ALL, max_bytes=_WHOLE_LOG)

    def next_entry(self) -> EntryRecorded:
        """Let somebody in and return the message that says so."""
        outcome, _ = self.terminal.enter_pin(UNIT, PIN)
        newest = self._log()[-1]
        message = read(EntryRecorded, newest.body)
        assert message.entry == outcome.entry
        assert newest.sequence >= self.marks.next_sequence
        return message


def _compare(verdict: Verdict, door: _Door, seen: Seen, told: Told) -> None:
    verdict.entries = len(door.entries)
    verdict.lost += [*_lost_entries(door, seen), *_lost_state(door, seen)]
    verdict.doubled += _doubled(door, seen)
    verdict.broken += [*_contradictions(door, told), *_goes_on(door, seen)]


def _lost_entries(door: _Door, seen: Seen) -> Iterator[str]:
    granted = {one.entry: one.granted for one in door.entries}
    for entry, was_granted in seen.entries.items():
        if granted.get(entry) is not was_granted:
            yield f"entry {entry}"
    for entry in seen.openings:
        if not granted.get(entry):
            yield f"the entry {entry} of an opening"
    log = {one.sequence: (one.kind, one.body) for one in door.log}
    for sequence, record in seen.records.items():
        if log.get(sequence) != record:
            yield f"record {sequence} that was sent"


def _lost_state(door: _Door, seen: Seen) -> Iterator[str]:
    if door.marks.seen_sequence < seen.taken:
        yield f"the server's record {seen.taken}"
    if door.terminal.roster.book.version < seen.roster_version:
        yield f"the roster of version {seen.roster_version}"
    if seen.epoch and door.marks.epoch != seen.epoch:
        yield "the epoch"
    if door.failures < seen.wrong:
        yield f"{seen.wrong} wrong PINs"


def _doubled(door: _Door, seen: Seen) -> Iterator[str]:
    # What the server has received and what it would receive from now on, as one log.
    log = dict(seen.records) | {one.sequence: (one.kind, one.body) for one in door.log}
    reported = Counter(
        message.entry
        for kind, body in log.values()
        if isinstance(message := ESTATE.decode(kind, body), EntryRecorded)
    )
    yield from (f"entry {entry} in the log" for entry, count in reported.items() if count > 1)
    openings = Counter(seen.openings)
    yield from (f"opening for {entry}" for entry, count in openings.items() if count > 1)
    numbers = Counter(one.door_sequence for one in door.entries)
    yield from (f"number {number}" for number, count in numbers.items() if count > 1)


def _contradictions(door: _Door, told: Told) -> Iterator[str]:
    if door.integrity != "ok":
        yield f"the database: {door.integrity}"
    holding = told.after(door.marks.seen_sequence)
    current = door.terminal.configuration.current
    if (current.wire.name if current else "") != holding.name:
        yield f"the configuration is not the one of record {door.marks.seen_sequence}"
    if door.terminal.lockdown.current != holding.lockdown:
        yield f"lockdown: {door.terminal.lockdown.current}, was told {holding.lockdown}"
    if door.terminal.roster.book.digest != holding.roster:
        yield f"the roster is not the one of record {door.marks.seen_sequence}"
    used = Counter(one.pass_id for one in door.entries if one.granted and one.pass_id)
    if used != door.uses:
        yield f"uses of passes: {door.uses}, by the entries {used}"
    messages = [ESTATE.decode(one.kind, one.body) for one in door.log]
    reported = {one.entry for one in messages if isinstance(one, EntryRecorded)}
    yield from (
        f"{one.entry} is in no message" for one in door.entries if one.entry not in reported
    )
    active: dict[str, str] = {}
    for message in messages:
        if isinstance(message, AlarmChanged):
            active.pop(message.kind, None)
            active |= {message.kind: message.alarm} if message.active else {}
    if active != door.terminal.alarms.active():
        yield f"alarms: {door.terminal.alarms.active()}, by the log {active}"


def _goes_on(door: _Door, seen: Seen) -> Iterator[str]:
    terminal = door.terminal
    if terminal.configuration.current is None or unit_key(UNIT) not in terminal.roster.book.units:
        return
    following = door.next_entry()
    numbers = [one.door_sequence for one in door.entries]
    if following.door_sequence != max(numbers, default=0) + 1:
        yield f"the next entry has the number {following.door_sequence}"
    locked_down = terminal.lockdown.current.active
    if following.granted is locked_down and seen.time_known:
        yield f"a resident is let in, or not: {following.reason}"
