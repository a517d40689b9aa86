"""Trying every key that is left on every sealed value of a database and of its copies.

What somebody does who has the server's vault, its master key among it, and a copy of the database
from whatever day: open what opens, and try what comes out of it as a key on all the rest.
"""

from base64 import b64decode
from collections.abc import Callable, Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from community_server.cards.queries import place as card_place
from community_server.intake.holding import (
    WAITING_PARTICULARS,
    WAITING_TEMPLATE,
    enrollment_owner,
    photo_context,
)
from community_server.keys.certified import key_owner
from community_server.keys.named_secrets import secret_context
from community_server.link_cipher import LABEL
from community_server.people import sealed_pins
from community_server.people.particulars import owner
from community_server.people.service import template_context
from community_server.snapshots import service as snapshots
from community_server.snapshots.service import snapshot_owner
from community_server.vault.erasure_key import ErasureKeys, open_erasure_keys
from community_server.vault.master_key import KeyFile, MasterKeySource
from community_server.vault.safe import FORMAT, NONCE_SIZE, SERVER, Safe

KEY_SIZE: Final = 32
OUTBOX: Final = "outbox"
PINS: Final = sealed_pins._CONTEXT
PICTURES: Final = snapshots._CONTEXT


Place = Callable[..., tuple[str, str]]
_SEALED: Final[Sequence[tuple[str, Sequence[str], Place]]] = (
    ("data_keys", ("owner", "wrapped"), lambda name: (name, "data-key")),
    ("people", ("id", "particulars"), lambda one: (owner(one), "particulars")),
    (
        "templates",
        ("person_id", "space", "sealed"),
        lambda one, space: (owner(one), template_context(space)),
    ),
    ("enrollments", ("id", "template"), lambda one: (enrollment_owner(one), WAITING_TEMPLATE)),
    (
        "enrollments",
        ("id", "particulars"),
        lambda one: (enrollment_owner(one), WAITING_PARTICULARS),
    ),
    (
        "pending_photos",
        ("enrollment_id", "number", "sealed"),
        lambda one, number: (enrollment_owner(one), photo_context(number)),
    ),
    ("people", ("id", "pin_hash"), lambda one: (owner(one), PINS)),
    ("cards", ("person_id", "id", "number"), lambda one, card: (owner(one), card_place(card))),
    ("snapshots", ("entry", "sealed"), lambda entry: (snapshot_owner(entry), PICTURES)),
    ("named_secrets", ("name", "sealed"), lambda name: (SERVER, secret_context(name))),
    ("certified_keys", ("id", "private"), lambda one: (key_owner(one), "private")),
    ("link_outbox", ("peer", "sequence", "body"), lambda peer, one: (OUTBOX, f"{peer} {one}")),
)
"""What names or shows somebody, and every key: table, columns with the sealed one last, and the
owner and context that its value is bound to."""


@dataclass(frozen=True)
class Value:
    """One sealed value: whose, what it is bound to, and its bytes as they are stored."""

    owner: str
    context: str
    sealed: bytes


@dataclass(frozen=True)
class Opened:
    """What came out: plaintexts by value, and everything that serves as a key."""

    plain: dict[Value, bytes]
    keys: AbstractSet[bytes]

    def contexts(self, owners: Iterable[str]) -> set[str]:
        """Return what was opened of some owners."""
        return {value.context for value in self.plain if value.owner in set(owners)}

    def of(self, owner: str) -> dict[str, bytes]:
        """Return what was opened of one owner, by context."""
        return {value.context: plain for value, plain in self.plain.items() if value.owner == owner}


def values_in(address: str) -> Iterator[Value]:
    """Yield whatever a server's database holds sealed that could name or show somebody."""
    engine = sa.create_engine(address)
    try:
        with engine.connect() as database:
            yield from _values(database)
    finally:
        engine.dispose()


def _values(database: sa.Connection) -> Iterator[Value]:
    for table, columns, place in _SEALED:
        named = sa.table(table, *(sa.column(name) for name in columns))
        for *identity, sealed in database.execute(sa.select(named)):
            if sealed:
                raw = b64decode(sealed) if isinstance(sealed, str) else sealed
                yield Value(*place(*identity), raw)


def open_with_all(
    vault: Path, values: Iterable[Value], source: MasterKeySource | None = None
) -> Opened:
    """Open what opens with the keys of a vault's folder and with whatever comes out of it.

    `source` gives the master key where it does not lie in that folder.
    """
    source = source or KeyFile(vault / "master.key")
    erasure = open_erasure_keys(vault / "erasure.key", source)
    shut, plain = set(values), dict[Value, bytes]()
    keys = {erasure.master, *erasure.keys.values()}
    fresh = set(keys)
    while fresh:
        found = {
            value: opened
            for value in shut
            if (opened := _try_all(erasure, value, fresh)) is not None
        }
        plain |= found
        shut -= found.keys()
        fresh = {one for one in found.values() if len(one) == KEY_SIZE} - keys
        keys |= fresh
    return Opened(plain, keys)


def _try_all(erasure: ErasureKeys, value: Value, keys: AbstractSet[bytes]) -> bytes | None:
    if value.owner == OUTBOX:
        nonce, box, bound = value.sealed[:NONCE_SIZE], value.sealed[NONCE_SIZE:], LABEL
    else:
        begin = len(FORMAT) + NONCE_SIZE
        nonce, box = value.sealed[len(FORMAT) : begin], value.sealed[begin:]
        bound = Safe(erasure)._bound(value.owner, value.context)
    for key in keys:
        try:
            return AESGCM(key).decrypt(nonce, box, bound)
        except InvalidTag:
            continue
    return None
