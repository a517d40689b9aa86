"""A door's way to its gate, which looks at each opening whether it was recorded before."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from sqlalchemy import Engine

from access_rules.decision import Shown
from access_rules.people import Credential, Person
from door_terminal.clock import EffectiveClock
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.entries import EntryLog
from door_terminal.errors import GateFailed
from door_terminal.gate import Opening
from door_terminal.reserve import Reserve
from door_terminal.wire import read
from tests.door_terminal.samples import configured
from tier_link.estate_messages import ESTATE, EntryRecorded
from tier_link.events import DurableRecord
from tier_link.store import LinkStore


@dataclass
class Watched:
    """A gate that looks whether the entry was there before it opened."""

    store: LinkStore
    openings: list[Opening] = field(default_factory=list)
    fails: bool = False

    def open(self, opening: Opening) -> None:
        kept = self.store.pending("server", 0, limit=100)
        assert any(opening.entry.encode() in one.body for one in kept)
        if self.fails:
            raise GateFailed("no answer")
        self.openings.append(opening)

    def close(self) -> None: ...


class Door:
    def __init__(self, engine: Engine, clock: EffectiveClock, folder: Path) -> None:
        self.engine = engine
        self.store = LinkStore(engine, keep_acknowledged=timedelta(days=7))
        self.gate = Watched(self.store)
        self.configuration: Configuration | None = Configuration.of(configured(gate_open_s=7))
        self.published: list[Outcome] = []
        reserve = Reserve(folder / "reserve", slots=0)
        self.log = EntryLog(engine, self.store, "server", clock, reserve)
        self.decider = Decider(
            configuration=lambda: self.configuration,
            clock=clock,
            entries=self.log,
            gate=self.gate,
            publish=self.published.append,
        )

    def show(self, person: Person | None, credential: Credential = Credential.FACE) -> Outcome:
        return self.decider.attempt(Shown(credential, person), needed_ns=time.monotonic_ns())

    def records(self) -> Sequence[DurableRecord]:
        return self.store.pending("server", 0, limit=100)

    def told(self) -> list[EntryRecorded]:
        entries = ESTATE.kind(EntryRecorded)
        return [read(EntryRecorded, one.body) for one in self.records() if one.kind == entries]

    def entries(self) -> int:
        return len(self.told())
