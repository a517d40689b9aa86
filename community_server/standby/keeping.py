"""The standby keeps its vault in step: it holds the keys that the replica needs, and no others."""

import logging
from dataclasses import dataclass, field
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, select, text
from sqlalchemy.orm import Session

from community_server.errors import LetterRefused, StartRefused, VaultLocked
from community_server.keys.root import root_key
from community_server.standby.asking import fetch_keys
from community_server.standby.letters import KeyRing
from community_server.standby.notes import StandsBy
from community_server.vault.erasure_key import ErasureKeys
from community_server.vault.safe import Safe, SafeBroken
from community_server.vault.tables import DataKey
from tier_link.store import reading

_log = logging.getLogger(__name__)

FETCH_EVERY: Final = 15.0
"""Seconds between two looks for keys: a key that ended is destroyed here as soon."""


@dataclass
class KeyKeeper:
    """Keeps one standby's erasure keys."""

    note: StandsBy
    keys: ErasureKeys
    engine: Engine
    _root: Ed25519PrivateKey | None = field(default=None, repr=False)
    """As it was read last: after a long absence the replica may be under a key not held yet."""

    def step(self) -> None:
        """Fetch the keys, and destroy those that ended once the replica has let go of them.

        Raises:
            LetterRefused: the server in service does not answer, or refuses.
            SafeBroken: the replica cannot be read with the keys that are here.
        """
        root = self._read_root()
        if self._fetch(root):
            self._fetch(root)  # the other server waits to hear what is held here by now

    def _read_root(self) -> Ed25519PrivateKey:
        use_upcoming(self.keys, needed(self.engine))
        try:
            with Session(reading(self.engine)) as session:
                self._root = root_key(session, Safe(self.keys))
        except SafeBroken:
            if self._root is None:
                raise
        return self._root

    def _fetch(self, root: Ed25519PrivateKey) -> bool:
        held = self.keys.keys.keys() | ({self.keys.upcoming[0]} if self.keys.upcoming else set())
        ring = fetch_keys(self.note, root, tuple(sorted(held)), seconds_behind(self.engine))
        return adopt(self.keys, ring, needed(self.engine))


def adopt(keys: ErasureKeys, ring: KeyRing, still_needed: frozenset[int]) -> bool:
    """Keep the keys of the server in service, and say whether anything changed.

    A key that has ended there stays while the replica, which may lag, still has a data key under
    it; then it is destroyed here as well.

    Raises:
        LetterRefused: they belong to another vault.
    """
    if ring.estate != keys.estate:
        raise LetterRefused("the keys of another vault than this standby's")
    use_upcoming(keys, still_needed)
    lagging = {one: key for one, key in keys.keys.items() if one in still_needed - ring.keys.keys()}
    living = lagging | ring.keys
    if (living, ring.upcoming) == (keys.keys, keys.upcoming):
        return False
    ended = sorted(keys.keys.keys() - living.keys())
    keys.replace(living, ring.upcoming)
    _log.info("standby keys=%s destroyed=%s", sorted(living), ended)
    return True


def use_upcoming(keys: ErasureKeys, wanted: frozenset[int]) -> None:
    """Take the upcoming key into use where the replica shows that the other server has."""
    if keys.upcoming is not None and keys.upcoming[0] in wanted:
        keys.add_generation()


def needed(engine: Engine) -> frozenset[int]:
    """Return the generations of the erasure key that data keys in this database are under."""
    with Session(reading(engine)) as session:
        return frozenset(session.scalars(select(DataKey.generation).distinct()))


def check_keys(engine: Engine, keys: ErasureKeys) -> None:
    """Check that everything in the replica can be read with the keys that are here.

    Raises:
        StartRefused: `standby-keys-missing`.
        VaultLocked: they are another estate's.
    """
    wanted = needed(engine)
    use_upcoming(keys, wanted)
    if missing := sorted(wanted - keys.keys.keys()):
        raise StartRefused(
            f"this standby lacks the erasure keys {missing}: it was away when they were renewed. "
            "Let the server in service admit it anew (`gatehouse server standby`); where that is "
            "lost, put the estate back from its newest backup (`gatehouse server restore`)",
            code="standby-keys-missing",
        )
    try:
        with Session(reading(engine)) as session:
            root_key(session, Safe(keys))
    except SafeBroken as error:
        raise VaultLocked("this vault does not belong to this database") from error


def in_recovery(engine: Engine) -> bool:
    """Say whether this database is a replica that follows another."""
    if engine.dialect.name != "postgresql":
        return False
    with reading(engine).connect() as connection:
        return bool(connection.scalar(text("SELECT pg_is_in_recovery()")))


def seconds_behind(engine: Engine) -> int:
    """Return the age of what the replica has last replayed; 0 before the first."""
    age = text("SELECT extract(epoch FROM now() - pg_last_xact_replay_timestamp())")
    with reading(engine).connect() as connection:
        return max(0, int(connection.scalar(age) or 0))
