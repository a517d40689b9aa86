"""Hearing doors out: an erasure is complete when none of them is waited for any more.

A door confirms by proving, in its heartbeat, that it holds the roster it ought to, as new as the
erasure or newer. One that is not heard of is given up when its lease has run out, and stated so.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa
from sqlalchemy import CursorResult, Update, delete, select, update

from community_server.change import CLOUD, Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.doors.watch import Seen
from community_server.keys.certified import reply_signer
from community_server.receipts.erasures import terminal_of
from community_server.receipts.signing import sign_for_erasure
from community_server.receipts.tables import Erasure, ErasureDoor
from community_server.setup.community import get_community
from tier_link.errors import ReplyRefused
from tier_link.estate_messages import LeaseHours
from tier_link.relay_messages import RELAY, ReplySealed
from tier_link.replies import build_reply
from tier_link.store import LinkStore

MARGIN_S: Final = 600
"""A door may have been heard this long after the last note that it was."""
MOST_AT_ONCE: Final = 500
"""Erasures that one sweep signs for: a whole building that moves out takes a minute."""
_DAY: Final = 24 * 3600
KEPT_DAYS: Final = 3 * 365
"""For how long a resident's receipt is kept: for as long as records of processing are to be."""
FEW_DAYS: Final = 90
"""The same for visitors and service workers, who are erased by the dozen."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Hearing:
    """What is known of the doors: what each last said, for how long they trust their rosters."""

    seen: Callable[[str], Seen | None]
    leases: LeaseHours
    links: LinkStore
    backup_days: int
    tell: Callable[[Change, Sequence[str]], None]
    """Tells residents' own pages that a receipt for their face is there."""


def settle(change: Change, hearing: Hearing) -> int:
    """Note which doors have confirmed or are given up; sign what is complete, return how many."""
    session = change.session
    waited_for = select(ErasureDoor.door_id).where(ErasureDoor.state == "waiting").distinct()
    for door in session.scalars(select(Door).where(Door.id.in_(waited_for))).all():
        _hear(change, hearing, door)
        _give_up(change, hearing, door)
    open_doors = select(ErasureDoor.erasure_id).where(ErasureDoor.state == "waiting")
    complete = session.scalars(
        select(Erasure)
        .where(Erasure.settled_at == 0, Erasure.id.not_in(open_doors))
        .order_by(Erasure.begun_at, Erasure.id)
        .limit(MOST_AT_ONCE)
    ).all()
    for row in complete:
        row.settled_at = now()
        row.receipt = sign_for_erasure(session, change.safe, row, hearing.backup_days)
        _send(change, hearing.links, row)
        if row.kept == "face":
            hearing.tell(change, [row.person_id])
        _log.info("erasure=%s kept=%s complete=yes", row.id, row.kept)
    return len(complete)


def forget_erasures(change: Change, moment: int) -> int:
    """Delete what was settled long ago; return how many."""
    residents = Erasure.category == "resident"
    old = sa.case((residents, KEPT_DAYS * _DAY), else_=FEW_DAYS * _DAY)
    over = (Erasure.settled_at != 0) & (Erasure.settled_at <= moment - old)
    result = change.session.execute(delete(Erasure).where(over))
    assert isinstance(result, CursorResult)  # noqa: S101 -- as every statement's that returns no rows
    return result.rowcount


def _hear(change: Change, hearing: Hearing, door: Door) -> None:
    seen, terminal = hearing.seen(door.id), terminal_of(door.public_key)
    if seen is None or not seen.in_step or not terminal or door.state != "paired":
        return
    confirmed = _of(door.id).where(
        ErasureDoor.terminal == terminal,
        ErasureDoor.roster_version <= seen.presence.roster_version,
    )
    change.session.execute(confirmed.values(state="confirmed", at=now()))


def _give_up(change: Change, hearing: Hearing, door: Door) -> None:
    """Give up terminals whose lease for such people is over by this server's clock."""
    session, moment = change.session, now()
    waiting = (
        select(ErasureDoor.terminal, Erasure.category)
        .join(Erasure, Erasure.id == ErasureDoor.erasure_id)
        .where(ErasureDoor.door_id == door.id, ErasureDoor.state == "waiting")
        .distinct()
    )
    for terminal, category in session.execute(waiting).all():
        heard = _last_heard(door, terminal)
        lease = getattr(hearing.leases, category) * 3600
        if heard and heard + lease + MARGIN_S <= moment:
            such = select(Erasure.id).where(Erasure.category == category)
            late = _of(door.id).where(
                ErasureDoor.terminal == terminal, ErasureDoor.erasure_id.in_(such)
            )
            session.execute(late.values(state="lease-ended", at=moment))


def _last_heard(door: Door, terminal: str) -> int:
    """Return when a door's terminal was connected for the last time; 0 where nobody knows."""
    present = terminal_of(door.public_key)
    if present and terminal != present:
        return door.paired_at  # its link was refused from then on, if not before
    return door.heard_at


def _of(door: str) -> Update:
    return update(ErasureDoor).where(ErasureDoor.door_id == door, ErasureDoor.state == "waiting")


def _send(change: Change, links: LinkStore, row: Erasure) -> None:
    """Send the receipt to whoever enrolled last, sealed; the cloud drops it if it came too late."""
    key, row.reply_key = row.reply_key, None
    envelope, row.envelope = row.envelope, ""
    community = get_community(change.session)
    if not key or community.cloud_key is None:
        return
    signer = reply_signer(change.session, change.safe)
    try:
        sealed = build_reply(
            reply_key=key,
            signing_key=signer.private,
            certificate=signer.certificate,
            community=community.slug,
            envelope=envelope,
            number=row.number,
            outcome="erased",
            sent_at=now(),
            receipt=row.receipt,
        )
    except ReplyRefused:  # of more doors than a reply has room for: the desk has it
        _log.info("erasure=%s reply=none reason=too-long", row.id)
        return
    message = ReplySealed(envelope, row.number, final=True, sealed=sealed)
    links.put(change.session, CLOUD, RELAY.kind(message), RELAY.encode(message))
    change.wake(CLOUD)
