"""Writing the ledger: rows in the transaction of what they record, on their way with its commit."""

import json
from collections.abc import Iterable, Sequence
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import CLOUD, Change
from community_server.database import now
from community_server.keys.root import root_key
from community_server.ledger.tables import LedgerEnd, LedgerWait
from community_server.rosters.news import lock_paired_doors
from community_server.setup.community import find_community
from tier_link.estate_messages import ESTATE
from tier_link.ledger import (
    FIRST,
    ROWS_PER_MESSAGE,
    LedgerRow,
    LedgerWritten,
    RowKind,
    write_row,
)
from tier_link.relay_messages import RELAY
from tier_link.store import LinkStore
from tier_link.store.ledger import OWN, add_row, read_row
from tier_link.store.tables import LinkLedger

_ONLY: Final = 1
_AGAIN: Final = frozenset({"face-erased", "account-closed"})
"""What can be undone by giving it anew, and so happen again."""


def write_ledger(change: Change, links: LinkStore) -> None:
    """Write what a change has recorded, once each, and put it into all outboxes.

    Doors are locked before the ledger's end, as by everybody who tells doors of a change.
    """
    if not change.ledger:
        return
    session = change.session
    session.flush()
    doors = [door.id for door in lock_paired_doors(session)]
    root, end, moment = root_key(session, change.safe), lock_end(session), now()
    rows = []
    for kind, subject, at in change.ledger:
        if is_known(session, kind, subject, at or moment):
            continue
        row = write_row(root, end.count + 1, kind, subject, at or moment, end.head)
        append(session, end, row)
        rows.append(row)
    change.ledger.clear()
    for peer in (*_cloud(session), *doors):
        send_rows(change, links, peer, rows)


def append(session: Session, end: LedgerEnd, row: LedgerRow) -> None:
    """Add a row that hangs on the ledger's end."""
    add_row(session, OWN, row)
    end.count, end.head = row.number, row.head
    session.flush()


def send_rows(change: Change, links: LinkStore, peer: str, rows: Sequence[LedgerRow]) -> None:
    """Put rows into a peer's outbox."""
    for start in range(0, len(rows), ROWS_PER_MESSAGE):
        message = LedgerWritten(tuple(rows[start : start + ROWS_PER_MESSAGE]))
        body = RELAY.encode(message) if peer == CLOUD else ESTATE.encode(message)
        links.put(change.session, peer, RELAY.kind(message), body)
    if rows:
        change.wake(peer)


def send_whole(change: Change, links: LinkStore, peer: str, *, after: int = 0) -> None:
    """Put all rows behind a number into the outbox of a peer that is new, or may lack some."""
    send_rows(change, links, peer, rows_after(change.session, after))


def send_missed(change: Change, links: LinkStore, after: int) -> None:
    """Give every peer what the others had handed back: each keeps what is new to it."""
    for peer in (*_cloud(change.session), *(door.id for door in lock_paired_doors(change.session))):
        send_whole(change, links, peer, after=after)


def rows_after(session: Session, after: int) -> list[LedgerRow]:
    """Return the server's own rows behind a number."""
    found = (
        select(LinkLedger)
        .where(LinkLedger.owner == OWN, LinkLedger.number > after)
        .order_by(LinkLedger.number)
    )
    return [read_row(row) for row in session.scalars(found)]


def is_known(session: Session, kind: RowKind, subject: str, at: int) -> bool:
    """Say whether the ledger has a row of this already; some things happen more than once."""
    found = select(LinkLedger.number).where(
        LinkLedger.owner == OWN, LinkLedger.subject == subject, LinkLedger.kind == kind
    )
    if kind in _AGAIN:
        found = found.where(LinkLedger.at == at)
    return session.scalar(found.limit(1)) is not None


def lock_end(session: Session) -> LedgerEnd:
    """Return the ledger's end, locked until the transaction ends."""
    end = session.get(LedgerEnd, _ONLY, with_for_update=True, populate_existing=True)
    if end is None:
        end = LedgerEnd(id=_ONLY, count=0, head=FIRST)
        session.add(end)
        session.flush()
    return end


def find_wait(session: Session, *, lock: bool = False) -> LedgerWait | None:
    """Return the wait for the ledger, None where nothing is waited for any more."""
    return session.get(LedgerWait, _ONLY, with_for_update=lock, populate_existing=lock)


def begin_wait(session: Session, removed: Iterable[tuple[RowKind, str, int]]) -> None:
    """Note that this server was put back, and what the restore itself has removed."""
    session.merge(
        LedgerWait(
            id=_ONLY,
            state="waiting",
            after=lock_end(session).count,
            since=now(),
            pending=json.dumps(list(removed)),
        )
    )
    session.flush()


def defer(change: Change) -> None:
    """Keep what a change has recorded until the rows of before are here."""
    wait = find_wait(change.session, lock=True) if change.ledger else None
    if wait is None:
        return
    wait.pending = json.dumps([*json.loads(wait.pending), *change.ledger])
    change.ledger.clear()
    change.session.flush()


def _cloud(session: Session) -> tuple[str, ...]:
    community = find_community(session)
    return (CLOUD,) if community is not None and community.cloud_key is not None else ()
