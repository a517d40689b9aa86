"""What a tier plugs into a link, and what a link asks of a store and a socket."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

from tier_link.events import DurableRecord, Marks

if TYPE_CHECKING:
    from tier_link.channel.live_link import LiveLink

Transaction: TypeAlias = Any
"""The store's open SQLAlchemy `Session`; the channel only hands it through."""


class LinkHandler(Protocol):
    """A tier's side of its links. Every method is called in a worker thread.

    Durable records of one peer come one after another; requests and latest values may come
    at the same time as each other and as records.
    """

    def prepare(self, peer: str, kind: str, body: bytes) -> None:
        """Do for a record what takes long and changes nothing, before its transaction begins.

        Other writers need not wait for that. The record may never be applied, or be prepared
        again. What `apply` would refuse may be refused here, to the same effect.
        """
        ...

    def apply(self, session: Transaction, peer: str, kind: str, body: bytes) -> None:
        """Give a durable record its effect, in the transaction that advances the mark.

        Write only through `session`, and do not commit it. Raise `RecordRefused` (or let
        `MalformedMessage` pass) to log and skip the record; any other error rolls back,
        ends the link, and the record comes again on the next one.
        """
        ...

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        """Answer a request. Raise `RequestRefused` with a code to say no.

        After `deadline` (monotonic seconds) nobody waits for it: raise `DeadlinePassed`.
        """
        ...

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        """Take a latest value; older ones of its kind may have been left out."""
        ...

    def acknowledged(self, session: Transaction, peer: str, sequences: Sequence[int]) -> None:
        """Note, in the acknowledging transaction, that the peer has taken these records."""
        ...

    def link_up(self, peer: str, link: "LiveLink") -> None:
        """A link to `peer` is up; nothing else is called for it before this returns."""
        ...

    def link_down(self, peer: str) -> None:
        """The link to `peer` is gone."""
        ...

    def outdated(self, peer: str) -> None:
        """The peer has proven its key, and has met a later epoch of ours than the one we are in."""
        ...


class Journal(Protocol):
    """What a link asks of a store; `tier_link.store.LinkStore` is one."""

    def marks(self, peer: str) -> Marks:
        """Return what a handshake says and checks."""
        ...

    def meet(self, peer: str, epoch: int) -> None:
        """Note the epoch of a peer whose hello was proven."""
        ...

    def pending(
        self, peer: str, after: int, *, limit: int, max_bytes: int
    ) -> Sequence[DurableRecord]:
        """Return the next records for `peer`."""
        ...

    def take(
        self,
        peer: str,
        epoch: int,
        records: Sequence[DurableRecord],
        apply: Callable[[Transaction, str, str, bytes], None],
    ) -> None:
        """Let records take effect, each at most once ever."""
        ...

    def acknowledge(
        self,
        peer: str,
        epoch: int,
        sequence: int,
        hook: Callable[[Transaction, str, Sequence[int]], None] | None,
    ) -> None:
        """Note what the peer has taken."""
        ...

    def renew_epoch(self) -> int:
        """Begin a new epoch."""
        ...


class MessageSocket(Protocol):
    """An open WebSocket that carries binary messages, dialed or accepted."""

    async def send(self, data: bytes) -> None:
        """Send one binary message; wait while the line is full. Raises `SocketClosed`."""
        ...

    async def recv(self) -> bytes:
        """Return the next message, an empty one for text. Raises `SocketClosed`."""
        ...

    async def close(self, code: int, reason: str) -> None:
        """Close; does nothing when closed already."""
        ...
