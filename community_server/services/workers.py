"""Workers: somebody who comes regularly, and somebody who has never been here, at the gate."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from access_rules.people import Category
from community_server.access.membership import doors_for, put_into_groups
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused
from community_server.invitations.service import VISITORS_UNIT
from community_server.passes.service import GivenPass, give_pass
from community_server.people.particulars import Known
from community_server.people.service import add_person
from community_server.services.companies import (
    CompanyKind,
    CompanyWanted,
    add_company,
    groups_for,
)
from community_server.services.queries import get_company
from community_server.services.tables import Company, Worker

WAY_OUT_MIN: Final = 30
"""Minutes beyond the allowed stay: a reader on the way out refuses whoever's time is over."""
_MINUTE: Final = 60


@dataclass(frozen=True)
class CheckIn:
    """Somebody who stands at the gate.

    `company` is an id, or else `new_company` a name, which is added where there is none of it, and
    `kind` what it is then. Everything else may be empty; without `doors` the company's access group
    says where they may go.
    """

    company: str = ""
    new_company: str = ""
    kind: str = CompanyKind.COURIER
    name: str = field(default="", repr=False)
    phone: str = field(default="", repr=False)
    plate: str = field(default="", repr=False)
    unit: str = ""
    doors: frozenset[str] = frozenset()


@dataclass(frozen=True)
class CheckedIn:
    """Who was checked in, and their pass, which is shown this once."""

    person: str
    company: str
    given: GivenPass


def add_worker(
    change: Change,
    company: str,
    known: Known,
    *,
    unit: str = "",
    valid_from: int = 0,
    valid_until: int = 0,
    doors: Collection[str] = (),
) -> str:
    """Add somebody who comes for a company; return their id. Nothing opens a door for them yet.

    Args:
        change: The change under way.
        company: Its id.
        known: Of the worker.
        unit: Whom they come for, if it is one; entered with a PIN.
        valid_from: Unix seconds, 0 is open.
        valid_until: The same.
        doors: Doors of their own, in place of the company's access group.

    Raises:
        NotFound: `company-unknown`.
        InputRefused: `time-over`, `door-unknown`.
    """
    session = change.session
    row = get_company(session, company, lock=True)
    person = add_person(
        change,
        category=Category.SERVICE_WORKER,
        unit=unit or VISITORS_UNIT,
        known=known,
        valid_from=valid_from,
        valid_until=valid_until,
        doors=doors,
    )
    session.add(Worker(person_id=person.id, company_id=company))
    session.flush()
    if not doors:
        put_into_groups(change, person.id, groups_for(row))
    return person.id


def check_in(change: Change, wanted: CheckIn) -> CheckedIn:
    """Let somebody in who has never been here: a pass for one way in and one way out.

    It holds for the company's allowed stay; the company's retention later they are forgotten.

    Raises:
        NotFound: `company-unknown`.
        Conflict: `company-suspended`.
        InputRefused: `company-missing`, and as `companies.add_company`; `door-unknown`.
    """
    session = change.session
    row = _company_of(change, wanted)
    if row.suspended:
        raise Conflict("this company is suspended", code="company-suspended")
    person = add_worker(
        change,
        row.id,
        Known(name=wanted.name, phone=wanted.phone, plate=wanted.plate, visiting=wanted.unit),
        unit=wanted.unit,
        valid_until=now() + (row.allowed_min + WAY_OUT_MIN) * _MINUTE,
        doors=wanted.doors,
    )
    given = give_pass(change, person, uses=_uses(session, person))
    return CheckedIn(person, row.id, given)


def _company_of(change: Change, wanted: CheckIn) -> Company:
    session, name = change.session, " ".join(wanted.new_company.split())
    if wanted.company:
        return get_company(session, wanted.company, lock=True)
    if not name:
        raise InputRefused("for which company", field="company", code="company-missing")
    same = select(Company.id).where(func.lower(Company.name) == name.lower())
    company = session.scalar(same) or add_company(change, CompanyWanted(name, wanted.kind))
    return get_company(session, company, lock=True)


def _uses(session: Session, person: str) -> int:
    """Return how often a pass opens each door: once, or twice where one serves both ways."""
    doors = doors_for(session, person)
    both = select(func.count()).where(Door.direction == "both", Door.state != "revoked")
    if doors is not None:
        both = both.where(Door.id.in_(doors))
    return 2 if session.scalars(both).one() else 1
