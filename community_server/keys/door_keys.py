"""Keys of confidential doors: each door's own, which it holds in memory alone."""

import os
from typing import Final

from sqlalchemy.orm import Session

from community_server.keys.named_secrets import keep_secret
from community_server.keys.tables import NamedSecret
from community_server.vault.safe import Safe

_SIZE: Final = 32


def door_key(session: Session, safe: Safe, door: str) -> bytes:
    """Return the key under which a door keeps what it holds, made at the first call; 32 bytes."""
    return keep_secret(session, safe, _name(door), lambda: os.urandom(_SIZE))


def forget_door_key(session: Session, door: str) -> None:
    """Delete a door's key: what a terminal still holds under it can be opened by nobody."""
    row = session.get(NamedSecret, _name(door))
    if row is not None:
        session.delete(row)


def _name(door: str) -> str:
    return f"door-key/{door}"
