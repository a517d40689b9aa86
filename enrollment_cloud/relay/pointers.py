"""Rows of the outbox that stand for bodies kept elsewhere.

A pointer is kept where a record's body would be: the envelope's id (16 bytes) and the
sealed box's size (4 bytes, big-endian). No record of the relay's is as short, so rows of both kinds
can wait side by side while processes with one relay are replaced by processes with another.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self, TypeAlias

from sqlalchemy import Engine, delete
from sqlalchemy.orm import Session

from tier_link.events import DurableRecord
from tier_link.messages import MAX_RECORD
from tier_link.store import LinkBase, LinkStore

OUTBOX: Final = LinkBase.metadata.tables["link_outbox"]

_log = logging.getLogger(__name__)
_ID_BYTES: Final = 16
_SIZE_BYTES: Final = 4


class BodyAway(Exception):
    """Whatever keeps the bodies cannot be asked now; the body may well be there."""


@dataclass(frozen=True, slots=True)
class Pointer:
    """Which envelope's body, and how many sealed bytes are in it."""

    envelope: str
    size: int

    def __bytes__(self) -> bytes:
        return bytes.fromhex(self.envelope) + self.size.to_bytes(_SIZE_BYTES, "big")

    @classmethod
    def read(cls, body: bytes) -> Self | None:
        """Return the pointer that `body` is, or None for a record's own body."""
        if len(body) != _ID_BYTES + _SIZE_BYTES:
            return None
        return cls(body[:_ID_BYTES].hex(), int.from_bytes(body[_ID_BYTES:], "big"))


Fetch: TypeAlias = Callable[[str, str], bytes | None]
"""`fetch(community, envelope)`: the body, or None if it is gone. Raises `BodyAway`."""


def no_bodies(community: str, envelope: str) -> None:
    """Find nothing: for a relay that keeps no bodies outside the outbox."""
    del community, envelope


class PointingStore(LinkStore):
    """A `LinkStore` that puts bodies in the place of pointers when a link reads its log.

    A pointer whose body is gone leaves the outbox; the browser is told to send again.
    """

    def __init__(self, engine: Engine, fetch: Fetch, *, keep_acknowledged: timedelta) -> None:
        super().__init__(engine, keep_acknowledged=keep_acknowledged)
        self._outbox_engine = engine
        self._fetch = fetch

    def pending(
        self, peer: str, after: int, *, limit: int, max_bytes: int = MAX_RECORD
    ) -> list[DurableRecord]:
        """Return the next records behind `after` as `LinkStore` does; none while bodies are away.

        What cannot be fetched now ends the list early and is asked for again.
        """
        while rows := super().pending(peer, after, limit=limit, max_bytes=max_bytes):
            lost: list[int] = []
            records = list(self._with_bodies(peer, rows, max_bytes, lost))
            if lost:
                self._remove(peer, lost)
            if records or len(lost) < len(rows):
                return records
        return []

    def _with_bodies(
        self, peer: str, rows: Sequence[DurableRecord], room: int, lost: list[int]
    ) -> Iterator[DurableRecord]:
        begun = False
        for row in rows:
            pointer = Pointer.read(row.body)
            room -= pointer.size if pointer else len(row.body)
            if begun and room < 0:
                return
            body: bytes | None = row.body
            if pointer is not None:
                try:
                    body = self._fetch(peer, pointer.envelope)
                except BodyAway:
                    return
            if body is None:
                lost.append(row.sequence)
                continue
            begun = True
            yield DurableRecord(row.sequence, row.kind, body)

    def _remove(self, peer: str, sequences: Sequence[int]) -> None:
        _log.warning("event=relay-bodies-lost community=%s count=%d", peer, len(sequences))
        with Session(self._outbox_engine) as session, session.begin():
            session.execute(
                delete(OUTBOX).where(OUTBOX.c.peer == peer, OUTBOX.c.sequence.in_(sequences))
            )
