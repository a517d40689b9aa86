"""The relay: carries sealed envelopes from whichever process took them to the community.

An interface, because the embedded relay keeps bodies in the database, and one for many
estates keeps them in brokers' memory. What any relay promises:

- a body exists in the relay alone, and nowhere once it is dropped and `scrub` has run;
- a body is there before the transaction that says so commits, and is dropped only after the
  transaction that says "collected" has: a crash in between leaves a body that nobody is told
  of, which expires, and never a word without its body;
- a body may be lost with the relay. Then `holds` or `has_lost` says so, and the browser, which
  still has the photos, sends again.
"""

from collections.abc import Sequence
from typing import Protocol

from sqlalchemy.orm import Session

from tier_link.relay_messages import EnvelopeDeposited
from tier_link.store import LinkStore


class Relay(Protocol):
    """Where sealed envelopes wait for their community."""

    @property
    def store(self) -> LinkStore:
        """The cloud's end of all links; hands out what waits, with its body."""
        ...

    @property
    def room(self) -> int:
        """Bytes that may wait for one community."""
        ...

    @property
    def available(self) -> bool:
        """Whether bodies can be taken and fetched now, as far as is known."""
        ...

    def hold(self, community: str, envelope: EnvelopeDeposited) -> None:
        """Take the body, outside any transaction and before `deposit`; again changes nothing.

        Raises:
            Busy: it cannot be taken now (`cloud-busy`).
        """
        ...

    def release(self, community: str, envelope: str) -> None:
        """Let go of what `hold` took and no `deposit` needs: soon, without waiting."""
        ...

    def deposit(self, session: Session, community: str, envelope: EnvelopeDeposited) -> int:
        """Put what `hold` took into the community's log; return its sequence there."""
        ...

    def holds(self, session: Session, community: str, sequence: int) -> bool:
        """Say whether a sequence still waits in the community's log."""
        ...

    def has_lost(self, community: str, envelope: str) -> bool:
        """Say whether the body of one that waits is known to be gone. Outside any transaction."""
        ...

    def drop(self, session: Session, community: str, sequences: Sequence[int]) -> None:
        """Delete bodies that were delivered, once the caller's transaction has committed."""
        ...

    def drop_older(self, session: Session, before: int) -> None:
        """Delete what was taken before `before` (Unix seconds)."""
        ...

    def forget(self, session: Session, community: str) -> None:
        """Delete everything that waits for a community, and what was seen of it."""
        ...

    def scrub(self) -> None:
        """Make what was dropped unreadable in whatever the relay keeps it in.

        Cheap when nothing was dropped. Called often, from one thread per process.
        """
        ...

    def close(self) -> None:
        """Let go of whatever is open beside the database."""
        ...
