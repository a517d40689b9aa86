"""Reading visits, and forgetting them."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.doors.tables import Door
from community_server.errors import NotFound
from community_server.people.particulars import open_known
from community_server.people.tables import Person
from community_server.vault.safe import Safe
from community_server.visits.details import Details, open_details, visit_owner
from community_server.visits.tables import Visit, VisitCount


@dataclass(frozen=True)
class ShownVisit:
    """One visit as the desk sees it.

    `door_name` is where somebody asked, empty for who was invited; `person` the visitor, once
    there is one. Times are Unix seconds.
    """

    visit: str
    state: str
    unit: str
    host: str
    door_name: str
    courier: bool
    details: Details = field(repr=False)
    valid_from: int
    valid_until: int
    hours: int
    uses: int
    entries: int
    credential: str
    decided_how: str
    decided_by: str
    person: str
    created_at: int


def get_visit(session: Session, visit: str, *, lock: bool = False) -> Visit:
    """Return one visit.

    Raises:
        NotFound: `visit-unknown`, also when it is over.
    """
    row = session.get(Visit, visit, with_for_update=lock)
    if row is None:
        raise NotFound("no such visit", code="visit-unknown")
    return row


def visit_of(session: Session, person: str) -> Visit | None:
    """Return the visit of a visitor; None for everybody else."""
    return session.scalar(select(Visit).where(Visit.person_id == person))


def follow_visitor(session: Session, visitor: Person) -> None:
    """Let a visitor's visit last as long as they may come; of everybody else there is none."""
    visit = visit_of(session, visitor.id)
    if visit is not None:
        visit.valid_from, visit.valid_until = visitor.valid_from, visitor.valid_until


def visits_of_home(session: Session, host: Person) -> Sequence[Visit]:
    """Return a resident's visits, and those asked for of their unit, the newest first."""
    own = Visit.host_id == host.id
    if host.unit:
        asked = (Visit.unit == host.unit) & (Visit.request_id != "") & Visit.courier.is_(False)
        own = or_(own, asked)
    return session.scalars(
        select(Visit).where(own).order_by(Visit.created_at.desc(), Visit.id)
    ).all()


def hosted_by(session: Session, person: str) -> Sequence[Visit]:
    """Return the visits that somebody is the host of."""
    return session.scalars(select(Visit).where(Visit.host_id == person)).all()


def count_asking(session: Session) -> int:
    """Return how many wait for somebody's word."""
    query = select(func.count()).select_from(Visit).where(Visit.state == "asked")
    return session.scalars(query).one()


def list_visits(session: Session, safe: Safe) -> list[ShownVisit]:
    """Return all visits, those that wait before the others, each in order of arrival."""
    rows = session.execute(
        select(Visit, Door.name, Person)
        .outerjoin(Door, Door.id == Visit.door_id)
        .outerjoin(Person, Person.id == Visit.person_id)
        .order_by(Visit.state != "asked", Visit.created_at, Visit.id)
    )
    return [
        ShownVisit(
            visit=row.id,
            state=row.state,
            unit=row.unit,
            host=row.host_id or "",
            door_name=door or "",
            courier=row.courier,
            details=_details(session, safe, row, visitor),
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            hours=row.hours,
            uses=row.uses,
            entries=row.entries,
            credential=row.credential,
            decided_how=row.decided_how,
            decided_by=row.decided_by,
            person=row.person_id or "",
            created_at=row.created_at,
        )
        for row, door, visitor in rows
    ]


def _details(session: Session, safe: Safe, visit: Visit, visitor: Person | None) -> Details:
    """Return what was written of a visit, and what its visitor has written since."""
    written = open_details(session, safe, visit)
    if visitor is None:
        return written
    return written.with_known(open_known(session, safe, visitor))


def visitor_counts(session: Session, month: str) -> dict[str, int]:
    """Return how many visitors each unit had in a month, `2026-11`."""
    query = select(VisitCount.unit, VisitCount.visitors).where(VisitCount.month == month)
    return dict(session.execute(query).all())


def busiest_units(session: Session, since: str, most: int) -> dict[str, int]:
    """Return the units with the most visitors from a month (`2026-11`) on, these first."""
    visitors = func.sum(VisitCount.visitors)
    query = (
        select(VisitCount.unit, visitors)
        .where(VisitCount.month >= since)
        .group_by(VisitCount.unit)
        .order_by(visitors.desc(), VisitCount.unit)
        .limit(most)
    )
    return {unit: int(count) for unit, count in session.execute(query)}


def forget_visit(change: Change, visit: Visit) -> None:
    """Delete a visit, its data key before it."""
    change.safe.destroy(change.session, visit_owner(visit.id))
    change.session.delete(visit)
    change.session.flush()
    change.wipe()
