"""The plain values that a link's core takes and gives."""

from dataclasses import dataclass, field
from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey


@dataclass(frozen=True, slots=True)
class NodeIdentity:
    """Who a node is on its links: its id and its link key."""

    node: str
    private_key: Ed25519PrivateKey = field(repr=False)


@dataclass(frozen=True, slots=True)
class Marks:
    """What a store knows about a peer when a link begins.

    `epoch` is our own and `next_sequence` the next of our log to this peer; `seen_epoch` (0:
    never met) and `seen_sequence` say how far the peer's log has taken effect here.
    """

    epoch: int
    next_sequence: int
    seen_epoch: int
    seen_sequence: int


@dataclass(frozen=True, slots=True)
class DurableRecord:
    """One whole durable record."""

    sequence: int
    kind: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Greeted:
    """Acceptor only: somebody says to be `peer`. Answer with `LinkCore.welcome`."""

    peer: str


@dataclass(frozen=True, slots=True)
class Connected:
    """Both keys are proven. Offer records behind `resume_after`; meet the peer's epoch."""

    peer: str
    peer_epoch: int
    resume_after: int


@dataclass(frozen=True, slots=True)
class RecordArrived:
    """A whole record has come; call `LinkCore.acknowledge` once it has taken effect."""

    record: DurableRecord


@dataclass(frozen=True, slots=True)
class RecordsAcknowledged:
    """The peer has taken our log up to `sequence`."""

    sequence: int


@dataclass(frozen=True, slots=True)
class RequestArrived:
    """A question; answer with `LinkCore.respond` before `deadline` (monotonic) or not at all."""

    number: int
    kind: str
    body: bytes = field(repr=False)
    deadline: float


@dataclass(frozen=True, slots=True)
class RequestAnswered:
    """The answer to one of our requests; `code` is empty when it went well."""

    number: int
    code: str
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class LatestArrived:
    """A new value of one kind."""

    kind: str
    body: bytes = field(repr=False)


Event: TypeAlias = (
    Greeted
    | Connected
    | RecordArrived
    | RecordsAcknowledged
    | RequestArrived
    | RequestAnswered
    | LatestArrived
)
