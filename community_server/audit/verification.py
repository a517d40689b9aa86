"""Saying whether the audit log is whole, or which of its rows was changed, removed or put in."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from community_server.audit.chain import FIRST, head_of, is_signed, is_start
from community_server.audit.forgetting import find_start
from community_server.audit.tables import AuditEnd, AuditRow, AuditStart, SignedHead
from community_server.errors import StartRefused
from community_server.keys.root import root_key
from community_server.settings import Settings
from community_server.setup.community import get_community
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import choose_source
from community_server.vault.safe import Safe
from tier_link.store import open_database, reading

_ROWS_AT_ONCE: Final = 1000


@dataclass(frozen=True)
class Noted:
    """A count and a head that somebody wrote down elsewhere; the cloud's copy is signed, too."""

    count: int
    head: bytes
    signed_at: int = 0
    signature: bytes = b""

    @classmethod
    def read(cls, text: str) -> "Noted":
        """Return what `gatehouse cloud audit-head` has printed.

        Raises:
            ValueError: it is none of that.
        """
        try:
            found = json.loads(text)
            return cls(
                int(found["count"]),
                bytes.fromhex(found["head"]),
                int(found["signed_at"]),
                bytes.fromhex(found["signature"]),
            )
        except (KeyError, TypeError) as error:
            raise ValueError("this is no copy of an audit log's head") from error

    def is_of(self, root: Ed25519PublicKey) -> bool:
        """Say whether it bears the community's signature, where it bears one."""
        return not self.signature or is_signed(
            root, self.count, self.head, self.signed_at, self.signature
        )


@dataclass(frozen=True)
class Verdict:
    """How many rows there were ever, the head of the last, and what is wrong, in sentences.

    `start` says how many of the oldest were forgotten by the schedule: none of them is verified.
    """

    count: int
    head: bytes
    signed: SignedHead | None
    faults: tuple[str, ...]
    start: AuditStart | None = None


def verify(session: Session, root: Ed25519PublicKey, noted: Noted | None = None) -> Verdict:
    """Go through the whole log, row by row; memory stays small however long it is.

    Args:
        session: for reads alone.
        root: the community's key, which signed the heads.
        noted: what somebody wrote down of an earlier verdict.
    """
    heads = list(session.scalars(select(SignedHead).order_by(SignedHead.count)))
    known = {one.count: one.head for one in heads}
    start = find_start(session)
    place, last = (start.count, start.head) if start else (0, FIRST)
    known[place] = last
    faults = [*_bad_signatures(root, heads), *_bad_start(session, root, start)]
    if noted is not None:
        faults += _contradictions(root, noted, place, known)
    agreed, before = place, {last}
    rows = select(AuditRow).where(AuditRow.place > place).order_by(AuditRow.place)
    for row in session.scalars(rows.execution_options(yield_per=_ROWS_AT_ONCE)):
        found, last = row.place or 0, row.head or b""
        fitting = {_head_of(head, row) for head in before}
        if found != place + 1:
            faults.append(_missing(place + 1, found - 1))
            before = {last}
        elif last in fitting:
            before = {last}
        else:
            faults.append(f"Row {found} ({_moment(row.at)}, {row.action}) was changed.")
            # The row behind is not to blame: it may fit the head that is here, or the one that was.
            before = fitting | {last}
        place = found
        if place in known:
            if known[place] != last:
                faults.append(
                    f"Rows {agreed + 1} to {place} are not those that were signed: at least one of "
                    "them was changed, and the heads behind it were made anew."
                )
            agreed = place
    faults += _lost_at_the_end(session, place, known)
    if beside := session.scalar(_counted(AuditRow.place.is_(None))):
        faults.append(f"{beside} rows were put in beside the chain.")
    return Verdict(place, last, heads[-1] if heads else None, tuple(faults), start)


def verify_log(settings: Settings, noted: Noted | None = None) -> Verdict:
    """Verify the log of the estate that these settings name; its server may be running.

    Raises:
        StartRefused: there is no such estate yet, or its vault does not open.
        NotSetUp: it has not been set up.
    """
    vault = settings.data / "vault"
    if not (vault / "erasure.key").exists():
        raise StartRefused(f"there is no server's data in {settings.data}", code="no-data")
    safe = Safe(open_erasure_keys(vault / "erasure.key", choose_source(settings.master_key, vault)))
    engine = open_database(settings.database_url)
    try:
        with Session(reading(engine)) as session:
            get_community(session)
            return verify(session, root_key(session, safe).public_key(), noted)
    finally:
        engine.dispose()


def _bad_signatures(root: Ed25519PublicKey, heads: list[SignedHead]) -> Iterator[str]:
    for one in heads:
        if not is_signed(root, one.count, one.head, one.signed_at, one.signature):
            yield f"The head for {one.count} rows does not bear the community's signature."


def _bad_start(session: Session, root: Ed25519PublicKey, start: AuditStart | None) -> Iterator[str]:
    if start is None:
        return
    one = start
    if not is_start(root, one.count, one.head, one.until, one.signed_at, one.signature):
        yield f"That rows 1 to {one.count} were forgotten does not bear the community's signature."
    if ahead := session.scalar(_counted(AuditRow.place <= one.count)):
        yield f"{ahead} rows were put in before the first that is kept."


def _contradictions(
    root: Ed25519PublicKey, noted: Noted, forgotten: int, known: dict[int, bytes]
) -> Iterator[str]:
    if not noted.is_of(root):
        yield "The copy does not bear the community's signature; it says nothing."
    elif noted.count < forgotten:
        yield f"Of the {noted.count} rows that you noted none is left to compare with."
    elif known.setdefault(noted.count, noted.head) != noted.head:
        yield f"The head signed for {noted.count} rows is not the one that you noted."


def _lost_at_the_end(session: Session, place: int, known: dict[int, bytes]) -> Iterator[str]:
    end = session.scalars(select(AuditEnd)).one_or_none()
    longest = max([*known, end.count if end else 0])
    if longest > place:
        yield f"The log was cut off: rows {place + 1} to {longest} are missing at its end."
    elif end is None or end.count < place:
        yield "The note of where the log ends was put back to an earlier one."


def _counted(which: ColumnElement[bool]) -> Select[int]:
    return select(func.count()).select_from(AuditRow).where(which)


def _missing(first: int, last: int) -> str:
    return f"Row {first} is missing." if first == last else f"Rows {first} to {last} are missing."


def _head_of(before: bytes, row: AuditRow) -> bytes:
    return head_of(
        before, row.place or 0, row.at, row.staff_id, row.action, row.subject, row.detail
    )


def _moment(unix: int) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
