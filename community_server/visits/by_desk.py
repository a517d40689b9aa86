"""Visitors whom staff invite: a visit like any other, but nobody's word stands for the visitor."""

from dataclasses import dataclass, field

from sqlalchemy import ColumnElement, exists, select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.households.tables import Household
from community_server.invitations.service import VISITORS_UNIT, Here, Invited, invite
from community_server.people.particulars import Known, open_known
from community_server.people.tables import Person
from community_server.visits.admission import count_visitor
from community_server.visits.details import Details
from community_server.visits.service import add_visit, decide
from community_server.visits.tables import Visit
from community_server.visits.visiting import Visiting


@dataclass(frozen=True)
class DeskVisit:
    """What staff say of a visitor; everything but the end may be left out.

    Times are Unix seconds, 0 from now; no `doors` mean every door, 0 `uses` any number of entries.
    """

    name: str = field(default="", repr=False)
    unit: str = ""
    purpose: str = ""
    plate: str = field(default="", repr=False)
    valid_from: int = 0
    valid_until: int = 0
    doors: tuple[str, ...] = ()
    uses: int = 0


def invite_visitor(
    change: Change, visiting: Visiting, wanted: DeskVisit, staff: str, here: Here | None
) -> Invited:
    """Invite a visitor in the name of the estate; their form leads to the cloud, or `here`.

    What they send waits for the desk: nobody but the link says who they are.

    Raises:
        Conflict: `cloud-not-paired`.
        InputRefused: `window-missing`, `window-long`, `time-over`, `door-unknown`.
    """
    known = Known(wanted.name, "", wanted.unit, wanted.purpose, wanted.plate)
    invited = invite(
        change,
        visiting.links,
        kind="visitor",
        known=known,
        unit=wanted.unit,
        valid_from=wanted.valid_from,
        valid_until=wanted.valid_until,
        doors=wanted.doors,
        days=visiting.settings.invitation_days,
        here=here,
    )
    visitor = change.session.get_one(Person, invited.person)
    visit = _add(change, visitor, known, wanted.doors, uses=wanted.uses, decided_by=staff)
    count_visitor(change, visiting, visit)
    return invited


def adopt_visitors(change: Change) -> int:
    """Give every visitor a visit who has none: older servers kept none for the desk's.

    Return how many there were. They are not counted: they may have been invited months ago.
    """
    session = change.session
    alone = session.scalars(select(Person).where(_alone())).all()
    for visitor in alone:
        _add(change, visitor, open_known(session, change.safe, visitor))
    return len(alone)


def has_visitors_alone(session: Session) -> bool:
    """Say whether a visitor has no visit."""
    return session.scalar(select(Person.id).where(_alone()).limit(1)) is not None


def _alone() -> ColumnElement[bool]:
    has_visit = exists().where(Visit.person_id == Person.id)
    return (Person.category == "visitor") & ~has_visit


def _add(
    change: Change,
    visitor: Person,
    known: Known,
    doors: tuple[str, ...] = (),
    *,
    uses: int = 0,
    decided_by: str = "",
) -> Visit:
    unit = visitor.unit if visitor.unit != VISITORS_UNIT else ""
    lived_in = exists().where(Household.unit == unit)
    visit = add_visit(
        change,
        unit=unit if unit and change.session.scalar(select(lived_in)) else "",
        valid_from=visitor.valid_from,
        valid_until=visitor.valid_until,
        uses=uses,
        credential="face",
        person_id=visitor.id,
        details=Details(
            name=known.name,
            phone=known.phone,
            visiting=known.visiting or unit,
            purpose=known.purpose,
            plate=known.plate,
            doors=doors,
        ),
    )
    decide(visit, "approved", "desk", decided_by)
    return visit
