"""The relay: carries sealed envelopes from whichever process took them to the community.

An interface, because the embedded relay keeps bodies in the database, and one for many
estates keeps them in a message broker's memory. What any relay promises:

- a body exists in the relay alone, and nowhere once it is dropped and `scrub` has run;
- `deposit` and `drop` take part in the caller's transaction;
- a body may be lost with the relay. Then `holds` says so, and the browser, which still has
  the photos, sends again.
"""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from tier_link.relay_messages import EnvelopeDeposited


class Relay(Protocol):
    """Where sealed envelopes wait for their community."""

    def deposit(self, session: Session, community: str, envelope: EnvelopeDeposited) -> int:
        """Take an envelope; return its sequence in the community's log."""
        ...

    def holds(self, session: Session, community: str, sequence: int) -> bool:
        """Say whether the body is still here."""
        ...

    def drop(self, session: Session, community: str, sequences: Sequence[int]) -> None:
        """Delete bodies: delivered or expired."""
        ...

    def drop_older(self, session: Session, before: int) -> None:
        """Delete bodies that were taken before `before` (Unix seconds)."""
        ...

    def scrub(self) -> None:
        """Make what was dropped unreadable in whatever the relay keeps it in.

        Cheap when nothing was dropped. Called often, from one thread per process.
        """
        ...
