"""For how long each kind of data is kept: the usual time, the bounds, and what the estate has set.

Each figure has its reason beside it. They follow China's Personal Information Protection Law
(PIPL), which asks for the shortest time that the purpose needs (Art. 19) and for three years of
records (Art. 56), and its Cybersecurity Law, which asks for six months of logs (Art. 21).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.errors import InputRefused, NotFound
from community_server.retention.tables import RetentionRun, RetentionSetting
from community_server.settings import Settings


class Kind(StrEnum):
    """Data whose time the estate may set. Values are stable."""

    ENTRIES = "entries"
    """Entries, service workers' stays, and what staff wrote beside openings and alarms."""
    SNAPSHOTS = "snapshots"
    APPROVALS = "approvals"
    """Photos that wait for the desk."""
    MESSAGES = "messages"
    """That somebody was written to; the text goes when it is sent."""
    EVENTS = "events"
    DELIVERIES = "deliveries"
    AUDIT = "audit"
    """The audit log, and the reasons for looking at somebody's entries."""


HOUR: Final = 3600
DAY: Final = 24 * HOUR


@dataclass(frozen=True)
class Bounds:
    """What one kind may be set to; all in units of `unit` seconds."""

    unit: int
    usual: int
    least: int
    most: int

    @property
    def word(self) -> str:
        """The unit's name, `days` or `hours`."""
        return "days" if self.unit == DAY else "hours"


BOUNDS: Final[Mapping[Kind, Bounds]] = {
    # Half a year: the logs that the Cybersecurity Law asks for, and what a complaint or the police
    # come back to. At least a month, which is longer than a door may be offline unnoticed; at most
    # two years, since nobody's comings and goings are kept for a purpose nobody has named.
    Kind.ENTRIES: Bounds(DAY, 180, 30, 730),
    # Three days: "why was I not let in?" over a weekend. At most a week, as the setting has it.
    Kind.SNAPSHOTS: Bounds(HOUR, 72, 1, 168),
    # Two weeks: a desk's holidays. A photo that nobody has compared by then is needed by nobody.
    Kind.APPROVALS: Bounds(DAY, 14, 1, 30),
    # A month: whether an invitation went out is asked while it can still be used.
    Kind.MESSAGES: Bounds(DAY, 30, 1, 180),
    # A month: a program that was away for so long begins anew. A week at least, for weekends.
    Kind.EVENTS: Bounds(DAY, 30, 7, 90),
    # Two weeks: whether another system was told is asked soon or never.
    Kind.DELIVERIES: Bounds(DAY, 14, 1, 90),
    # Three years of records (PIPL Art. 56), and not less; ten at most.
    Kind.AUDIT: Bounds(DAY, 3 * 366, 3 * 366, 10 * 366),
}


@dataclass(frozen=True)
class Kept:
    """For how long one kind is kept, and what came of it.

    `keep`, `usual`, `least` and `most` are in `unit`, `days` or `hours`; `looked_at` is the Unix
    second when it was last looked through, 0 for never; `forgotten` is how much went since ever.
    """

    kind: Kind
    unit: str
    keep: int
    usual: int
    least: int
    most: int
    looked_at: int
    forgotten: int

    def before(self, moment: int) -> int:
        """Return the time before which data of this kind goes; both in Unix seconds."""
        return moment - self.keep * BOUNDS[self.kind].unit


def read_schedule(session: Session, settings: Settings) -> dict[Kind, Kept]:
    """Return the schedule as it is now."""
    chosen = {row.kind: row.keep for row in session.scalars(select(RetentionSetting))}
    runs = {row.kind: row for row in session.scalars(select(RetentionRun))}
    schedule = {}
    for kind, bounds in BOUNDS.items():
        usual = settings.snapshot_hours if kind is Kind.SNAPSHOTS else bounds.usual
        run = runs.get(kind)
        schedule[kind] = Kept(
            kind=kind,
            unit=bounds.word,
            keep=chosen.get(kind, usual),
            usual=usual,
            least=bounds.least,
            most=bounds.most,
            looked_at=run.looked_at if run else 0,
            forgotten=run.forgotten if run else 0,
        )
    return schedule


def set_keep(change: Change, staff: str, kind: str, keep: int) -> None:
    """Set for how long one kind is kept from now on; what is too old by then goes by itself.

    Raises:
        NotFound: `retention-unknown`: no such kind.
        InputRefused: `keep-wrong`: out of its bounds.
    """
    if kind not in set(Kind):
        raise NotFound("no such kind of data", code="retention-unknown")
    bounds = BOUNDS[Kind(kind)]
    if not bounds.least <= keep <= bounds.most:
        raise InputRefused("out of range", field=kind, code="keep-wrong")
    change.session.merge(RetentionSetting(kind=kind, keep=keep))
    audit(change.session, staff, "set-retention", detail=f"{kind} {keep} {bounds.word}")


def note_run(session: Session, kind: Kind, moment: int, forgotten: int) -> None:
    """Note that a kind was looked through, and how much went."""
    row = session.get(RetentionRun, kind, with_for_update=True)
    if row is None:
        row = RetentionRun(kind=kind, looked_at=moment, forgotten=0)
        session.add(row)
    row.looked_at = moment
    row.forgotten += forgotten
