"""A copy of the ledger that a door or the cloud hands back: `tier_link.ledger`."""

from collections.abc import Sequence
from itertools import pairwise

from tests.fuzz.estate import COMMUNITY as COURT
from tests.fuzz.gate import Gate
from tests.tier_link.samples import NOW
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE
from tier_link.ledger import FIRST, LedgerPart, LedgerRow, is_signed, is_unbroken, write_row


def chain(length: int) -> list[LedgerRow]:
    rows: list[LedgerRow] = []
    for number in range(1, length + 1):
        before = rows[-1].head if rows else FIRST
        rows.append(write_row(COURT.root, number, "person-erased", f"{number:032x}", NOW, before))
    return rows


def one(data: bytes) -> None:
    part = ESTATE.decode("ledger-part", data)
    assert isinstance(part, LedgerPart)
    whole = all(is_signed(row, COURT.root.public_key()) for row in part.rows)
    if is_unbroken(part.rows, 0) and whole:
        assert all(row.before == earlier.head for earlier, row in pairwise(part.rows))


def seeds() -> Sequence[bytes]:
    return [ESTATE.encode(LedgerPart(tuple(chain(length)), length)) for length in (0, 1, 3)]


GATE = Gate(one, seeds, (MalformedMessage,))
