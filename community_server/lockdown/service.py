"""Declaring a lockdown and its end, and following which doors have heard.

Numbers only grow, also over a server that was put back to an older state: the next one is above
all that this server remembers and all that its doors have shown. A door that holds a newer word
than the server proves that the server was put back. Nobody is let in by that: if either of the two
words locks, the lockdown is declared anew, and only staff end it.
"""

import logging
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from access_rules.lockdown import NO_LOCKDOWN, Lockdown
from community_server.audit.log import audit
from community_server.change import Change, Changer
from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused
from community_server.lockdown.tables import Declaration
from community_server.rosters.news import lock_paired_doors
from community_server.staff.tables import StaffMember
from community_server.vault.safe import SERVER, Safe
from tier_link.estate_messages import ESTATE, DoorPresence, LockdownDeclared
from tier_link.store import LinkStore, reading

_log = logging.getLogger(__name__)

MAX_REASON: Final = 200
"""Characters: a sentence that is read under stress."""
MOST_AHEAD: Final = 1_000_000
"""A door may show a number that much above ours: no backup lacks so many declarations, and a door
that lies comes no nearer to the numbers' end."""


@dataclass(frozen=True)
class Declared:
    """The newest declaration as staff see it.

    `by` is a user name, or empty; `at` Unix seconds, 0 before the first. `kept` says that the
    server itself kept the lockdown in force because a door held a newer word than it.
    """

    number: int
    active: bool
    at: int
    by: str
    kept: bool
    reason: str = field(repr=False)


class DoorState(StrEnum):
    """What is known of one door's lockdown, as a guard has to know it."""

    OPEN = "open"
    """There is no lockdown, and the door holds none."""
    UNPAIRED = "unpaired"
    LOCKED = "locked"
    LOCKED_AWAY = "locked-away"
    """It said so; its link is gone since, and it goes on by what it holds."""
    NOT_CONFIRMED = "not-confirmed"
    """It is connected and has not said yet that it is locked down."""
    NOT_HEARD = "not-heard"
    """It is offline and has never said that it heard."""
    STILL_LOCKED = "still-locked"
    """It is connected and has not said yet that the lockdown is over."""
    STILL_LOCKED_AWAY = "still-locked-away"
    """It is offline, and locked down by the last that it said."""


def current(session: Session) -> Lockdown:
    """Return the word that counts at this server."""
    row = _newest(session)
    return NO_LOCKDOWN if row is None else Lockdown(row.number, row.active)


def show(session: Session, safe: Safe) -> Declared:
    """Return the newest declaration with its particulars."""
    row = _newest(session)
    if row is None:
        return Declared(0, active=False, at=0, by="", kept=False, reason="")
    member = session.get(StaffMember, row.staff_id)
    reason = safe.open(session, SERVER, _place(row.number), row.reason) if row.reason else b""
    return Declared(
        number=row.number,
        active=row.active,
        at=row.at,
        by=member.username if member else "",
        kept=bool(row.door_id),
        reason=reason.decode(),
    )


def state_of(door: Door, word: Lockdown, *, connected: bool) -> DoorState:
    """Say how a door stands to the word that counts."""
    if door.state != "paired":
        return DoorState.UNPAIRED
    match word.active, door.locked_down, connected:
        case True, True, _:
            return DoorState.LOCKED if connected else DoorState.LOCKED_AWAY
        case True, False, _:
            return DoorState.NOT_CONFIRMED if connected else DoorState.NOT_HEARD
        case False, True, _:
            return DoorState.STILL_LOCKED if connected else DoorState.STILL_LOCKED_AWAY
    return DoorState.OPEN


def declare(
    change: Change, links: LinkStore, staff: str, *, active: bool, reason: str
) -> LockdownDeclared:
    """Lock the estate down, or end that; every door's outbox holds the word with the commit.

    Raises:
        InputRefused: `lockdown-reason-missing` (its end needs none), `lockdown-reason-long`.
        Conflict: `locked-down-already`, `not-locked-down`.
    """
    said = " ".join(reason.split())
    if active and not said:
        raise InputRefused("say why", field="reason", code="lockdown-reason-missing")
    if len(said) > MAX_REASON:
        raise InputRefused(
            f"at most {MAX_REASON} characters", field="reason", code="lockdown-reason-long"
        )
    lock_paired_doors(change.session)  # whoever else declares waits here
    if active == current(change.session).active:
        code = "locked-down-already" if active else "not-locked-down"
        raise Conflict("that is so already", code=code)
    message = _declare(change, links, active=active, reason=said, staff=staff)
    audit(
        change.session,
        staff,
        "declare-lockdown" if active else "end-lockdown",
        detail=str(message.number),
    )
    return message


def tell(change: Change, links: LinkStore, door: str) -> None:
    """Put the word that counts into the outbox of a door that was paired just now."""
    word = current(change.session)
    if word.number:
        _send(change, links, door, LockdownDeclared(word.number, word.active))


def _declare(
    change: Change,
    links: LinkStore,
    *,
    active: bool,
    reason: str,
    staff: str = "",
    door: str = "",
) -> LockdownDeclared:
    session = change.session
    doors = lock_paired_doors(session)
    last = current(session).number
    seen = [one.lockdown for one in doors if one.lockdown <= last + MOST_AHEAD]
    message = LockdownDeclared(max(last, *seen, 0) + 1, active)
    place = _place(message.number)
    session.add(
        Declaration(
            number=message.number,
            active=active,
            reason=change.safe.seal(session, SERVER, place, reason.encode()) if reason else None,
            staff_id=staff,
            door_id=door,
            at=now(),
        )
    )
    session.flush()
    for one in doors:
        _send(change, links, one.id, message)
    _log.warning("lockdown active=%s number=%d doors=%d", active, message.number, len(doors))
    return message


def _send(change: Change, links: LinkStore, door: str, message: LockdownDeclared) -> None:
    links.put(change.session, door, ESTATE.kind(message), ESTATE.encode(message))
    change.wake(door)


@dataclass(frozen=True)
class LockdownWatch:
    """Follows what doors show that they hold, and keeps a lockdown that a backup has forgotten."""

    changer: Changer
    links: LinkStore

    def take(self, door: str, presence: DoorPresence) -> None:
        """Take a door's presence; almost always it says what is known already."""
        shown = Lockdown(presence.lockdown, presence.locked_down and presence.lockdown > 0)
        with Session(reading(self.changer.engine)) as session:
            row = session.get(Door, door)
            if row is None or row.state != "paired":
                return
            news = Lockdown(row.lockdown, row.locked_down) != shown
            disputed = self._disputed(current(session), shown)
        if news or disputed:
            self._note(door, shown)

    def _note(self, door: str, shown: Lockdown) -> None:
        with self.changer.change() as change:
            rows = {one.id: one for one in lock_paired_doors(change.session)}
            row = rows.get(door)
            if row is None:
                return
            row.lockdown, row.locked_down = shown.number, shown.active
            change.session.flush()
            word = current(change.session)
            if self._disputed(word, shown):
                _log.critical(
                    "lockdown=kept door=%s shown=%d known=%d", door, shown.number, word.number
                )
                before = show(change.session, change.safe).reason if word.active else ""
                made = _declare(change, self.links, active=True, reason=before, door=door)
                audit(change.session, door, "keep-lockdown", door, str(made.number))

    @staticmethod
    def _disputed(word: Lockdown, shown: Lockdown) -> bool:
        ahead = word < shown and shown.number <= word.number + MOST_AHEAD
        return ahead and (word.active or shown.active)


def _newest(session: Session) -> Declaration | None:
    return session.scalars(
        select(Declaration).order_by(Declaration.number.desc()).limit(1)
    ).one_or_none()


def _place(number: int) -> str:
    return f"lockdown/{number}"
