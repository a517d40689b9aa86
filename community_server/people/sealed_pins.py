"""Hashes of PINs at rest, sealed under their owner's data key.

Six digits fall to whoever has their hash and a day of computing; nobody is to have it who took the
disk alone. The column holds text, so the sealed hash stands in it as base64.
"""

from base64 import b64decode, b64encode
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.database import Sealed
from community_server.people.particulars import Opens, owner
from community_server.people.tables import Person
from community_server.vault.safe import Safe

_CONTEXT: Final = "pin"
_PLAIN: Final = "$"
"""Begins every hash in PHC form, as release 0.1 stored it."""


def seal_pin(session: Session, safe: Safe, person: str, hashed: str) -> str:
    """Return what is stored of a PIN's hash."""
    return b64encode(safe.seal(session, owner(person), _CONTEXT, hashed.encode())).decode()


def open_pin(opens: Opens, person: str, stored: str) -> str:
    """Return the hash of what `seal_pin` made, empty for no PIN.

    Raises:
        SafeBroken: altered, moved, or its owner was erased.
    """
    if not stored:
        return ""
    return opens(owner(person), _CONTEXT, Sealed(b64decode(stored))).decode()


def seal_pins_of_0_1(session: Session, safe: Safe) -> None:
    """Seal the hashes that release 0.1 has left in the clear."""
    for row in session.scalars(select(Person).where(Person.pin_hash.startswith(_PLAIN))).all():
        row.pin_hash = seal_pin(session, safe, row.id, row.pin_hash)
    session.flush()
