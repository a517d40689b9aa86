"""What a door on the bench was told, as the door would take it."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from community_server.doors.service import add_door, get_door
from tests.community_server.bench import Bench
from tier_link.certificates import root_public_bytes
from tier_link.estate_messages import (
    ESTATE,
    EstateMessage,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    roster_hash,
)


def pair(bench: Bench, name: str, direction: str = "both") -> str:
    with bench.estate.changer.change() as change:
        door = add_door(change.session, name, direction)
    with bench.estate.changer.change() as change:
        key = root_public_bytes(Ed25519PrivateKey.generate())
        bench.estate.configurer.welcome(change, get_door(change.session, door, lock=True), key)
    return door


def told(bench: Bench, door: str) -> list[EstateMessage]:
    records = bench.estate.links.pending(door, 0, limit=10_000)
    return [ESTATE.decode(record.kind, record.body) for record in records]


def roster(bench: Bench, door: str) -> dict[str, RosterPerson]:
    """Put together what a door holds, and check that the server thinks so, too."""
    people: dict[str, RosterPerson] = {}
    for message in told(bench, door):
        match message:
            case RosterSnapshot():
                people = {one.person: one for one in message.people}
            case RosterDelta():
                people |= {one.person: one for one in message.upserts}
                for person in message.removed:
                    people.pop(person, None)  # never told of them: they were taken out meanwhile
    assert bench.estate.rosters.state(door).hash == roster_hash(people.values())
    return people
