"""What is known of one person, section by section, as plain values for a copy to take away.

Nothing secret is in it: a PIN, a pass or a card is named as a fact. Nor is the template: a row of
numbers turned by the estate's secret matrix, which tells its owner nothing, and which anybody who
found the copy could keep for ever. That it is held, how long it is and in which space, is in it.
What others are, a visitor or a member of staff, is left out: it is theirs.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.access.tables import AccessGroup, PersonGroup
from community_server.audit.tables import AuditRow
from community_server.cards.queries import cards_of
from community_server.doors.tables import Door
from community_server.estate import Estate
from community_server.households.tables import Household, Residence
from community_server.intake.holding import open_guardian
from community_server.intake.tables import ConsentGiven, Enrollment
from community_server.invitations.tables import Invitation
from community_server.messages.tables import OutgoingMessage
from community_server.passes.tables import Pass
from community_server.people.particulars import open_known
from community_server.people.queries import doors_of, get_person
from community_server.people.service import open_template
from community_server.people.tables import Person, Template
from community_server.privacy.register import LOOKS, roles_of
from community_server.receipts.tables import Erasure
from community_server.services.tables import Company, Worker, WorkerStay
from community_server.visits.details import open_details
from community_server.visits.queries import visit_of
from community_server.visits.tables import Visit

MOST_ROWS: Final = 10_000
"""Of each section: more than a person leaves in years; a copy is no way to fill a disk."""
_FLOAT: Final = 4

Section = list[dict[str, Any]]


def read_holdings(session: Session, estate: Estate, person: str) -> Mapping[str, Section]:
    """Return all sections but the entries, in the order in which a person would read them.

    Raises:
        NotFound: `person-unknown`.
    """
    row = get_person(session, person)
    return {
        "person": [_particulars(session, estate, row)],
        "home": _home(session, person),
        "access": _access(session, person),
        "credentials": _credentials(session, estate, row),
        "consents": _consents(session, estate, person),
        "erasures": _erasures(session, person),
        "enrollments": _enrollments(session, person),
        "invitations": _plain(session, Invitation, person, ("kind", "state", "created_at")),
        "visits": _visits(session, estate, person),
        "stays": _stays(session, person),
        "messages": _plain(
            session, OutgoingMessage, person, ("channel", "state", "created_at", "ended_at")
        ),
        "looks": _looks(session, person),
    }


def _particulars(session: Session, estate: Estate, row: Person) -> dict[str, Any]:
    known = open_known(session, estate.safe, row)
    company = session.scalar(
        select(Company.name)
        .join(Worker, Worker.company_id == Company.id)
        .where(Worker.person_id == row.id)
    )
    return {
        "id": row.id,
        "category": row.category,
        "name": known.name,
        "phone": known.phone,
        "email": known.email,
        "plate": known.plate,
        "visiting": known.visiting,
        "purpose": known.purpose,
        "company": company or "",
        "unit": row.unit,
        "state": row.state,
        "suspended": row.suspended,
        "valid_from": row.valid_from,
        "valid_until": row.valid_until,
        "external_id": row.external_id or "",
        "created_at": row.created_at,
    }


def _home(session: Session, person: str) -> Section:
    rows = session.execute(
        select(Household.unit, Residence.moved_in, Residence.moves_out)
        .join(Household, Household.id == Residence.household_id)
        .where(Residence.person_id == person)
    )
    return [{"unit": unit, "moved_in": begins, "moves_out": ends} for unit, begins, ends in rows]


def _access(session: Session, person: str) -> Section:
    groups = session.scalars(
        select(AccessGroup.name)
        .join(PersonGroup, PersonGroup.group_id == AccessGroup.id)
        .where(PersonGroup.person_id == person)
        .order_by(AccessGroup.id)
    )
    doors = session.scalars(
        select(Door.name).where(Door.id.in_(doors_of(session, person))).order_by(Door.name)
    )
    return [
        *({"group": name} for name in groups),
        *({"door": name} for name in doors),
    ]


def _credentials(session: Session, estate: Estate, row: Person) -> Section:
    found: Section = []
    template = session.get(Template, row.id)
    if template is not None:
        size = len(open_template(session, estate.safe, template))
        found.append(
            {
                "credential": "face",
                "template_space": template.space,
                "numbers": size // _FLOAT,
                "photos": template.photos,
                "since": template.created_at,
            }
        )
    if row.pin_hash:
        found.append({"credential": "pin"})
    passes = session.scalars(select(Pass).where(Pass.person_id == row.id).order_by(Pass.begins))
    found += [
        {"credential": "pass", "begins": one.begins, "ends": one.ends, "uses": one.uses}
        for one in passes
        if not one.revoked_at
    ]
    found += [
        {"credential": "card", "ends_in": card.ends, "since": card.given_at}
        for card in cards_of(session, estate.safe, row.id)
    ]
    return found


def _consents(session: Session, estate: Estate, person: str) -> Section:
    rows = session.execute(
        select(ConsentGiven, Enrollment)
        .join(Enrollment, Enrollment.id == ConsentGiven.enrollment_id)
        .where(Enrollment.person_id == person)
        .order_by(ConsentGiven.given_at, ConsentGiven.consent)
        .limit(MOST_ROWS)
    )
    return [
        _columns(row) | {"guardian": open_guardian(session, estate.safe, enrollment)}
        for row, enrollment in rows
    ]


def _erasures(session: Session, person: str) -> Section:
    """Return when their face was erased, and what the estate has signed for it."""
    rows = session.scalars(
        select(Erasure)
        .where(Erasure.person_id == person)
        .order_by(Erasure.begun_at)
        .limit(MOST_ROWS)
    )
    return [
        {"kind": row.kept, "at": row.begun_at, "ended_at": row.settled_at, "receipt": row.receipt}
        for row in rows
    ]


def _enrollments(session: Session, person: str) -> Section:
    wanted = ("id", "kind", "state", "reason", "sealed_by", "origin", "received_at", "decided_at")
    return _plain(session, Enrollment, person, wanted)


def _visits(session: Session, estate: Estate, person: str) -> Section:
    found: Section = []
    own = visit_of(session, person)
    if own is not None:
        written = open_details(session, estate.safe, own)
        found.append(
            {
                "as": "visitor",
                "valid_from": own.valid_from,
                "valid_until": own.valid_until,
                "unit": own.unit,
                "entries": own.entries,
                "visiting": written.visiting,
                "purpose": written.purpose,
                "company": written.company,
            }
        )
    hosted = select(Visit).where(Visit.host_id == person).order_by(Visit.created_at)
    found += [
        {
            "as": "host",
            "state": visit.state,
            "valid_from": visit.valid_from,
            "valid_until": visit.valid_until,
            "created_at": visit.created_at,
        }
        for visit in session.scalars(hosted.limit(MOST_ROWS))
    ]
    return found


def _stays(session: Session, person: str) -> Section:
    rows = session.execute(
        select(WorkerStay.begins, WorkerStay.ends, Door.name)
        .outerjoin(Door, Door.id == WorkerStay.door_id)
        .where(WorkerStay.person_id == person)
        .order_by(WorkerStay.begins.desc())
        .limit(MOST_ROWS)
    )
    return [
        {"begins": begins // 1000, "ends": ends // 1000, "door": door or ""}
        for begins, ends, door in rows
    ]


def _looks(session: Session, person: str) -> Section:
    """Return who saw what is known of this person: their role, not their name."""
    rows = session.scalars(
        select(AuditRow)
        .where(AuditRow.subject == person, AuditRow.action.in_(LOOKS))
        .order_by(AuditRow.number.desc())
        .limit(MOST_ROWS)
    ).all()
    roles = roles_of(session, {row.staff_id for row in rows})
    return [
        {
            "at": row.at,
            "action": row.action,
            "reason": row.detail.split(" ")[0] if row.action == "look-at-entries" else "",
            "by": roles.get(row.staff_id, "program"),
        }
        for row in rows
    ]


def _plain(
    session: Session,
    table: type[Invitation | OutgoingMessage | Enrollment],
    person: str,
    columns: tuple[str, ...],
) -> Section:
    rows = session.scalars(select(table).where(table.person_id == person).limit(MOST_ROWS))
    return [{name: getattr(row, name) for name in columns} for row in rows]


def _columns(row: ConsentGiven) -> dict[str, Any]:
    """Return all that a row says in words and numbers; what is sealed or binary is left out."""
    found = {one.key: getattr(row, one.key) for one in row.__table__.columns}
    return {key: value for key, value in found.items() if isinstance(value, str | int | None)}
