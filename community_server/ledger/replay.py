"""Taking the ledger back: rows that a door or the cloud has kept are checked and done once more."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from community_server.change import CLOUD, Change
from community_server.errors import ServerError
from community_server.ledger.service import append, is_known, lock_end
from community_server.ledger.undone import is_living, undo
from tier_link.channel import LiveLink
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE
from tier_link.ledger import LedgerPart, LedgerRow, LedgerWanted, is_signed, is_unbroken
from tier_link.relay_messages import RELAY
from tier_link.store import LinkStore

DEADLINE_S: Final = 10.0
MOST_ROWS: Final = 5_000_000
"""Rows of one copy, far above a large estate's of ten years: a false one must not fill memory."""


class LedgerRefused(ServerError):
    """What a door or the cloud handed back is not the community's ledger."""

    code = "ledger-refused"


def ask(link: LiveLink, peer: str, after: int) -> list[LedgerRow]:
    """Return all rows behind a number that a peer has kept.

    Raises:
        LedgerRefused: the answer is none.
        RequestError: it did not come; RequestFailed: the peer does not know the question.
    """
    words = RELAY if peer == CLOUD else ESTATE
    rows: list[LedgerRow] = []
    while True:
        question = LedgerWanted(after, len(rows))
        body = link.request(words.kind(question), words.encode(question), DEADLINE_S)
        try:
            part = words.decode(words.kind(LedgerPart), body)
        except MalformedMessage as error:
            raise LedgerRefused(str(error)) from error
        if not isinstance(part, LedgerPart) or part.total > MOST_ROWS:
            raise LedgerRefused("not a part of a ledger")
        rows += part.rows
        if not part.rows or len(rows) >= part.total:
            return rows


def check(rows: Sequence[LedgerRow], root: Ed25519PublicKey, after: int) -> None:
    """Check signatures and chain.

    Raises:
        LedgerRefused: a row is not the community's, or some are missing in between.
    """
    if not all(is_signed(row, root) for row in rows):
        raise LedgerRefused("a row does not bear the community's signature")
    if not is_unbroken(rows, after):
        raise LedgerRefused("rows are missing in between")


def replay(
    change: Change, links: LinkStore, rows: Sequence[LedgerRow], dropped: Callable[[str], None]
) -> int:
    """Do what rows say that was not done yet; return how many were new.

    Rows that go on where the ledger here ends are taken as they are. Those of a branch, which began
    when a server went on without its ledger, are recorded anew.

    Args:
        change: the transaction.
        links: the outboxes.
        rows: checked, by number.
        dropped: called with each door that was revoked, once that is certain.
    """
    session, new = change.session, 0
    end = lock_end(session)
    for row in rows:
        if is_known(session, row.kind, row.subject, row.at):
            continue
        if (row.number, row.before) == (end.count + 1, end.head):
            append(session, end, row)
        else:
            change.record(row.kind, row.subject, row.at)
        door = row.subject if row.kind == "door-revoked" else ""
        if door and is_living(change, door):
            change.after_commit(partial(dropped, door))
        undo(change, links, row)
        new += 1
    return new
