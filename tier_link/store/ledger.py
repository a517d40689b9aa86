"""The ledger's rows in a tier's database: the server's own, or copies of a server's or community's.

Copies keep every row that they were told of and could check, whatever order or branch it came in:
what a server has written once, no later word of it takes back.
"""

import logging
from collections.abc import Iterable
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from tier_link.ledger import FIRST, ROWS_PER_MESSAGE, LedgerPart, LedgerRow, LedgerWanted, is_signed
from tier_link.store.tables import LinkLedger

_log = logging.getLogger(__name__)

OWN: Final = "own"
"""Under which a server keeps the rows that it writes itself."""


def keep_rows(
    session: Session, owner: str, rows: Iterable[LedgerRow], root: bytes
) -> list[LedgerRow]:
    """Keep a copy of rows, each once; return the new ones.

    Args:
        session: the transaction.
        owner: whose rows they are: a server, or a community.
        rows: as they came; one that is not signed is left out, and said to the log.
        root: the community's public key; empty while it is not known: then the link's word counts,
            and whoever takes the rows back checks them.
    """
    public = Ed25519PublicKey.from_public_bytes(root) if root else None
    new = []
    for row in rows:
        if public is not None and not is_signed(row, public):
            _log.error("ledger=refused owner=%s number=%d reason=forged", owner, row.number)
            continue
        if session.get(LinkLedger, (owner, row.head)) is not None:
            continue
        if row.before != FIRST and session.get(LinkLedger, (owner, row.before)) is None:
            _log.warning("ledger=gap owner=%s before=%d", owner, row.number)
        add_row(session, owner, row)
        new.append(row)
    return new


def add_row(session: Session, owner: str, row: LedgerRow) -> None:
    """Keep one row that is not here yet."""
    session.add(
        LinkLedger(
            owner=owner,
            head=row.head,
            number=row.number,
            kind=row.kind,
            subject=row.subject,
            at=row.at,
            previous=row.before,
            signature=row.signature,
        )
    )
    session.flush()


def hand_back(session: Session, owner: str, wanted: LedgerWanted) -> LedgerPart:
    """Return the rows that a server asks for, a part at a time."""
    held = (LinkLedger.owner == owner, LinkLedger.number > wanted.after)
    rows = session.scalars(
        select(LinkLedger)
        .where(*held)
        .order_by(LinkLedger.number, LinkLedger.head)
        .offset(wanted.skip)
        .limit(ROWS_PER_MESSAGE)
    )
    total = session.scalar(select(func.count()).select_from(LinkLedger).where(*held)) or 0
    return LedgerPart(tuple(read_row(row) for row in rows), total)


def read_row(row: LinkLedger) -> LedgerRow:
    """Return a row as it travels."""
    return LedgerRow(
        number=row.number,
        kind=row.kind,
        subject=row.subject,
        at=row.at,
        before=row.previous,
        signature=row.signature,
    )
