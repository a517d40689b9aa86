"""An estate's own work, done for some rounds; each line says what the outside has been told.

Everything goes through what a running server does it with: the link's receiving, the desk's and
the sweeper's transactions. A line stands for an answer to staff or an acknowledgement on a link,
which go out once these have returned. The last argument says how it ends: `kill` or `close`.
"""

import json
import os
import secrets
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy.orm import Session

from community_server.doors.service import add_door, get_door
from community_server.erasure import remove_person
from community_server.estate import Estate, open_estate
from community_server.people.particulars import Known
from community_server.people.service import add_person, issue_pin, store_template
from community_server.settings import Settings
from gatehouse.sample_people import sample_people
from tests.community_server.bench import Bench, prepare
from tier_link.estate_messages import ESTATE, EntryRecorded
from tier_link.events import DurableRecord

DOOR_EPOCH: Final = 1
ENTRIES: Final = 3
_TEMPLATES: Final = np.eye(128, dtype=np.float32)


def told(fact: str, **more: Any) -> None:
    print(json.dumps({"fact": fact} | more), flush=True)


@dataclass
class Work:
    """One estate at work."""

    estate: Estate
    bench: Bench
    taken: int = 0

    def rounds(self, count: int) -> None:
        door = self._door()
        erasable = ""
        for number in range(count):
            self._take_entries(door)
            person = self._person(number)
            if erasable:
                self._erase(erasable)
            erasable = person if number % 2 else ""
            self._told_doors(door)
            self._renew_key()

    def enroll(self) -> None:
        """Let one resident enroll through the cloud, and approve them at the desk."""
        sample = sample_people(self.estate.pack)[0]
        invitation, person = self.bench.invite(name="Ada")
        told("person", person=person, name="Ada")
        draft = self.bench.draft(invitation, [sample.portrait])
        self.bench.deliver(draft.deposit())
        told("received", envelope=draft.envelope)
        self.bench.decide(draft.envelope, "approve")
        told("enrolled", person=person)

    def _door(self) -> str:
        with self.estate.changer.change() as change:
            door = add_door(change.session, "Gate", "both")
            self.estate.configurer.welcome(
                change, get_door(change.session, door, lock=True), b"k" * 32
            )
        told("door", door=door)
        return door

    def _take_entries(self, door: str) -> None:
        first = self.taken + 1
        self.taken += ENTRIES
        entries = [_entry(number) for number in range(first, first + ENTRIES)]
        records = [
            DurableRecord(one.door_sequence, ESTATE.kind(one), ESTATE.encode(one))
            for one in entries
        ]
        self.estate.links.take(door, DOOR_EPOCH, records, self.estate.doors._records.apply)
        told(
            "entries",
            door=door,
            sequence=self.taken,
            entries=[one.entry for one in entries],
        )

    def _person(self, number: int) -> str:
        name = f"Person {number}"
        with self.estate.changer.change() as change:
            row = add_person(change, category="resident", unit=f"{number}", known=Known(name=name))
            space = self.estate.pack.template_space
            store_template(change, row, space, _TEMPLATES[number % 128], photos=1)
            person = row.id
        told("person", person=person, name=name)
        told("enrolled", person=person)
        with self.estate.changer.change() as change:
            pin, _ = issue_pin(change, person)
        told("pin", person=person, pin=pin)
        return person

    def _erase(self, person: str) -> None:
        told("erasing", person=person)
        with self.estate.changer.change() as change:
            remove_person(change, self.estate.links, person)
        told("erased", person=person)

    def _told_doors(self, door: str) -> None:
        marks = self.estate.links.marks(door)
        told("log", door=door, next=marks.next_sequence, epoch=marks.epoch)

    def _renew_key(self) -> None:
        """Go one step on, as the sweeper does every day."""
        safe = self.estate.safe
        if not safe.renewing:
            safe.begin_renewal()
        with Session(self.estate.engine) as session, session.begin():
            if not safe.rewrap(session):
                safe.finish_renewal(session)


def _entry(number: int) -> EntryRecorded:
    return EntryRecorded(
        entry=secrets.token_hex(16),
        door_sequence=number,
        at=int(time.time() * 1000),
        time_known=True,
        direction="in",
        person="",
        category="",
        credential="face",
        granted=False,
        reason="not-recognized",
        matched="local",
        took_ms=40,
        frames=2,
    )


def main() -> None:
    folder, rounds, ending = sys.argv[1:]
    estate = open_estate(Settings(data=Path(folder)))
    bench = Bench(estate)
    if ending == "kill":
        prepare(estate)
        told("set-up")
    work = Work(estate, bench)
    if ending == "kill":
        work.enroll()
    work.rounds(int(rounds))
    if ending == "kill":
        os._exit(0)
    estate.close()


if __name__ == "__main__":
    main()
