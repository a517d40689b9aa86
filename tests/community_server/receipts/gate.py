"""A paired door, played by hand: it takes what it is told when a test says so, and proves it."""

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from community_server.doors.service import get_door
from community_server.doors.tables import Door
from tests.community_server.bench import Bench
from tests.community_server.rosters.told import pair
from tier_link.certificates import root_public_bytes
from tier_link.estate_messages import (
    ESTATE,
    DoorPresence,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    roster_hash,
)

NOTHING = DoorPresence(
    roster_version=0,
    roster_hash=bytes(32),
    mode="local",
    template_space="",
    software="test",
    camera="",
    uptime_s=1,
    queue=0,
    detect_ms=1,
    encode_ms=1,
    time_known=True,
)


@dataclass
class Gate:
    """One terminal and the roster that it holds."""

    bench: Bench
    door: str
    version: int = 0
    people: dict[str, RosterPerson] | None = None

    @classmethod
    def paired(cls, bench: Bench, name: str) -> "Gate":
        gate = cls(bench, pair(bench, name))
        gate.take()
        return gate

    def take(self) -> None:
        """Take everything there is, durably, and say so."""
        links = self.bench.estate.links
        self.people = {} if self.people is None else self.people
        records = links.pending(self.door, 0, limit=10_000)
        for record in records:
            match ESTATE.decode(record.kind, record.body):
                case RosterSnapshot() as snapshot:
                    if snapshot.part == 0:
                        self.people = {}
                    self.people |= {one.person: one for one in snapshot.people}
                    self.version = snapshot.version
                case RosterDelta() as delta:
                    self.people |= {one.person: one for one in delta.upserts}
                    for person in delta.removed:
                        self.people.pop(person, None)
                    self.version = delta.version
        if records:
            links.acknowledge(self.door, links.epoch, records[-1].sequence)

    def presence(self) -> DoorPresence:
        people = (self.people or {}).values()
        return replace_presence(self.version, roster_hash(people))

    def show(self) -> None:
        """Prove what it holds, as its heartbeat does."""
        self.bench.estate.watch.take(self.door, self.presence())

    def heard_at(self, moment: int) -> None:
        with Session(self.bench.estate.engine) as session, session.begin():
            session.get_one(Door, self.door).heard_at = moment

    def replace_terminal(self) -> None:
        """Pair another terminal in this one's place."""
        estate = self.bench.estate
        with estate.changer.change() as change:
            key = root_public_bytes(Ed25519PrivateKey.generate())
            door = get_door(change.session, self.door, lock=True)
            estate.configurer.welcome(change, door, key)
        self.people = None


def replace_presence(version: int, held: bytes) -> DoorPresence:
    fields = {name: getattr(NOTHING, name) for name in NOTHING.__struct_fields__}
    return DoorPresence(**(fields | {"roster_version": version, "roster_hash": held}))
