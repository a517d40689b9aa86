"""An estate with people to lose, its backups, and empty places to put them back into."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from community_server.backups.making import Made, make_backup
from community_server.backups.recovery_key import RecoveryKey, recovery_key
from community_server.backups.restoring import Restored, restore
from community_server.cards.service import give_card
from community_server.database import now
from community_server.doors.service import add_door
from community_server.doors.tables import Door
from community_server.erasure import remove_person
from community_server.estate import Estate, open_estate
from community_server.keys.root import make_recovery_kit, root_key
from community_server.people.particulars import Known
from community_server.people.service import add_person, store_template
from community_server.settings import Settings
from tests.community_server.bench import Bench

KEEP: Final = 3


@dataclass(frozen=True)
class Somebody:
    """A resident, and what names them."""

    person: str
    known: Known
    template: bytes


def settle(bench: Bench, name: str, phone: str, card: str) -> Somebody:
    """Add a resident with a face, a PIN and a card."""
    estate, known = bench.estate, Known(name=name, phone=phone)
    vector = np.random.default_rng(int(phone)).normal(size=estate.pack.encoder.dimension)
    turned = (vector / np.linalg.norm(vector)).astype("<f4")
    with estate.changer.change() as change:
        row = add_person(change, category="resident", unit="1-101", known=known)
        store_template(change, row, estate.pack.template_space, turned, photos=3)
        give_card(change, estate.secrets.card_key, row.id, card)
        return Somebody(row.id, known, turned.tobytes())


def pair_door(bench: Bench) -> str:
    """Add a door that a terminal was paired with."""
    estate = bench.estate
    with estate.changer.change() as change:
        door = add_door(change.session, "North gate", "both")
        row = change.session.get_one(Door, door)
        estate.configurer.welcome(change, row, secrets.token_bytes(32))
    return door


def erase(bench: Bench, somebody: Somebody) -> None:
    with bench.estate.changer.change() as change:
        remove_person(change, bench.estate.links, somebody.person)


def kit_of(estate: Estate) -> RecoveryKey:
    """Return what the recovery kit gives."""
    with estate.reading() as session:
        return recovery_key(root_key(session, estate.safe))


def secret_of(estate: Estate) -> str:
    """Return what stands on the recovery kit."""
    with estate.reading() as session:
        return make_recovery_kit(root_key(session, estate.safe), "Sunny Court", now()).secret


def back_up(bench: Bench, folder: Path) -> Made:
    estate = bench.estate
    return make_backup(estate.engine, lambda: estate.safe, folder, keep=KEEP)


@contextmanager
def put_back(
    settings: Settings, made: Made, kit: RecoveryKey, *, keys: Path | None = None
) -> Iterator[tuple[Restored, Bench]]:
    """Restore, and open what came of it."""
    restored = restore(settings, made.data, keys or made.keys, kit)
    estate = open_estate(settings)
    try:
        yield restored, Bench(estate)
    finally:
        estate.close()
