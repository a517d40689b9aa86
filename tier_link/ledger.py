"""The ledger of what no backup may undo: what was erased, revoked, used up or taken away.

People and faces, doors, links, cards, passes, accounts, programs' tokens and keys. Each row holds
an opaque id, hangs on the row before by its hash, and is signed by the community's root. A server
copies its rows to every door and to the cloud, over the durable log; put back from a backup, it
asks them for the rows that it lacks. Whoever has the root's public key can check a row, a chain of
them, and that none is missing in between.

The kinds grow by one rule: a new one is added, none is used for something else, and whoever meets
one that they do not know keeps the row, passes it on, and does nothing. So a copy is whole whatever
release keeps it.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Final, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from tier_link.messages import Count, HexId, Message, Sequence, UnixSeconds
from tier_link.passes import ID_SIZE

LedgerKind: TypeAlias = Literal[
    "person-erased",
    "face-erased",
    "door-revoked",
    "invitation-used",
    "link-withdrawn",
    "card-taken",
    "pass-revoked",
    "account-closed",
    "account-removed",
    "token-revoked",
    "key-retired",
]
"""What this release writes. Subjects are ids; a pass's, which is shorter, see `pass_subject`."""
RowKind: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9-]{0,15}\Z")]
"""What a release may meet."""

ROWS_PER_MESSAGE: Final = 250
"""Rows in one message: of the longest, 250 fit the one frame of an answer."""
FIRST: Final = hashlib.sha256(b"gatehouse/ledger/1").digest()
"""What the first row hangs on."""
_LABEL: Final = b"gatehouse/ledger-row/1\0"
_SUBJECT: Final = 32


class LedgerRow(Message, frozen=True):
    """One row: `before` is the head of the row before, `signature` the root's over this one's."""

    number: Sequence
    kind: RowKind
    subject: HexId
    at: UnixSeconds
    before: Annotated[bytes, Meta(min_length=32, max_length=32)]
    signature: Annotated[bytes, Meta(min_length=64, max_length=64)]

    @property
    def head(self) -> bytes:
        """The hash that the next row hangs on."""
        return _head(self.number, self.kind, self.subject, self.at, self.before)


Rows: TypeAlias = Annotated[tuple[LedgerRow, ...], Meta(max_length=ROWS_PER_MESSAGE)]


class LedgerWritten(Message, frozen=True, tag="ledger-written"):
    """Server to door and cloud: these rows were written; keep them."""

    rows: Rows


class LedgerWanted(Message, frozen=True, tag="ledger-wanted"):
    """Server to door or cloud, a request: the rows you hold above number `after`, but `skip`."""

    after: Count
    skip: Count = 0


class LedgerPart(Message, frozen=True, tag="ledger-part"):
    """The answer: some of them, by number, and how many there are in all."""

    rows: Rows
    total: Count


def pass_subject(pass_id: str) -> str:
    """Return a pass's id, 16 hex characters, as long as a row's subject."""
    return pass_id.ljust(_SUBJECT, "0")


def pass_of_subject(subject: str) -> str:
    """Return the id of the pass that a row is about."""
    return subject[: 2 * ID_SIZE]


def write_row(
    root: Ed25519PrivateKey, number: int, kind: RowKind, subject: str, at: int, before: bytes
) -> LedgerRow:
    """Write and sign a row."""
    head = _head(number, kind, subject, at, before)
    return LedgerRow(number, kind, subject, at, before, root.sign(_LABEL + head))


def is_signed(row: LedgerRow, root: Ed25519PublicKey) -> bool:
    """Say whether the community wrote this row."""
    try:
        root.verify(row.signature, _LABEL + row.head)
    except InvalidSignature:
        return False
    return True


def is_unbroken(rows: Iterable[LedgerRow], after: int) -> bool:
    """Say whether rows, in order, lack none above number `after`, each hanging on one before.

    More rows than one may have a number: a server that went on without its ledger began a branch.
    """
    heads: dict[int, set[bytes]] = {}
    last = after
    for row in rows:
        if row.number > last + 1 or (row.number == 1 and row.before != FIRST):
            return False
        if row.number > after + 1 and row.before not in heads.get(row.number - 1, ()):
            return False
        heads.setdefault(row.number, set()).add(row.head)
        last = max(last, row.number)
    return True


def _head(number: int, kind: str, subject: str, at: int, before: bytes) -> bytes:
    # Every field has a fixed length but the kind, which stands last.
    fixed = number.to_bytes(8) + at.to_bytes(8) + bytes.fromhex(subject)
    return hashlib.sha256(before + fixed + kind.encode()).digest()
