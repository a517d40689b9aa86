"""Changing companies: each function works inside a `Change`, and doors hear of it at once."""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from sqlalchemy import delete, select

from community_server.access.membership import groups_of, put_into_groups
from community_server.access.tables import AccessGroup
from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused
from community_server.people.queries import doors_of
from community_server.services.queries import (
    company_owner,
    get_company,
    seal_contact,
    workers_of,
)
from community_server.services.tables import Company, StayCount

MAX_NAME: Final = 64
MAX_CONTACT: Final = 200
"""Characters: a name and two numbers."""
USUAL_ALLOWED_MIN: Final = 120
LONGEST_ALLOWED_MIN: Final = 24 * 60
USUAL_RETENTION_DAYS: Final = 1
LONGEST_RETENTION_DAYS: Final = 365


class CompanyKind(StrEnum):
    """What a company's workers come for."""

    HOUSEKEEPING = "housekeeping"
    COURIER = "courier"
    TAKEAWAY = "takeaway"
    OTHER = "other"


@dataclass(frozen=True)
class CompanyWanted:
    """A company as somebody writes it.

    `group` is the access group of its workers, 0 for the estate's default one; `allowed_min` are
    minutes, 1..1440; `retention_days` days after a worker's time, 0..365.
    """

    name: str
    kind: str = CompanyKind.COURIER
    group: int = 0
    allowed_min: int = USUAL_ALLOWED_MIN
    retention_days: int = USUAL_RETENTION_DAYS
    contact: str = field(default="", repr=False)
    external_id: str = ""


def add_company(change: Change, wanted: CompanyWanted) -> str:
    """Add a company; return its id.

    Raises:
        InputRefused: `name-missing`, `name-taken`, `company-kind-unknown`, `group-unknown`,
            `stay-wrong`, `retention-wrong`, `note-long`, `external-id-taken`.
    """
    session, company = change.session, new_id()
    _check(change, wanted, company)
    change.safe.add_owner(session, company_owner(company))
    row = Company(id=company, suspended=False, created_at=now())
    _write(change, row, wanted)
    session.add(row)
    session.flush()
    return company


def change_company(change: Change, company: str, wanted: CompanyWanted) -> None:
    """Change a company; workers who go by its access group follow it to another.

    Raises:
        NotFound: `company-unknown`.
        InputRefused: as `add_company`.
    """
    session = change.session
    row = get_company(session, company, lock=True)
    _check(change, wanted, company)
    before = row.group_id
    _write(change, row, wanted)
    session.flush()
    if row.group_id == before:
        return
    followed = frozenset({before} if before else ())
    for person in workers_of(session, company):
        if groups_of(session, person) == followed and not doors_of(session, person):
            put_into_groups(change, person, groups_for(row))


def suspend_company(change: Change, company: str, *, suspended: bool) -> None:
    """Close the doors to all of a company's workers for now, or open them again.

    Whoever is suspended by themselves stays so.

    Raises:
        NotFound: `company-unknown`.
    """
    get_company(change.session, company, lock=True).suspended = suspended
    change.session.flush()
    for person in workers_of(change.session, company):
        change.touch(person)


def remove_company(change: Change, company: str) -> None:
    """Remove a company that nobody comes for any more, with its statistics.

    Raises:
        NotFound: `company-unknown`.
        Conflict: `company-used`.
    """
    row = get_company(change.session, company, lock=True)
    if workers_of(change.session, company):
        raise Conflict("workers come for this company", code="company-used")
    change.session.execute(delete(StayCount).where(StayCount.company_id == company))
    change.session.delete(row)
    change.session.flush()
    change.safe.destroy(change.session, company_owner(company))
    change.wipe()


def groups_for(row: Company) -> tuple[int, ...]:
    """Return the access groups that a company's workers are put into."""
    return (row.group_id,) if row.group_id else ()


def _write(change: Change, row: Company, wanted: CompanyWanted) -> None:
    row.name, row.kind, row.group_id = wanted.name, wanted.kind, wanted.group or None
    row.allowed_min, row.retention_days = wanted.allowed_min, wanted.retention_days
    row.external_id = wanted.external_id or None
    seal_contact(change.session, change.safe, row, wanted.contact)


def _check(change: Change, wanted: CompanyWanted, company: str) -> None:
    session, others = change.session, Company.id != company
    if not wanted.name or len(wanted.name) > MAX_NAME:
        raise InputRefused("a company has a name", field="name", code="name-missing")
    if session.scalar(select(Company.id).where(Company.name == wanted.name, others)):
        raise InputRefused("another has this name", field="name", code="name-taken")
    if wanted.kind not in set(CompanyKind):
        raise InputRefused("no such kind", field="kind", code="company-kind-unknown")
    if wanted.group and session.get(AccessGroup, wanted.group) is None:
        raise InputRefused("no such group", field="group", code="group-unknown")
    if not 1 <= wanted.allowed_min <= LONGEST_ALLOWED_MIN:
        raise InputRefused("out of range", field="allowed_min", code="stay-wrong")
    if not 0 <= wanted.retention_days <= LONGEST_RETENTION_DAYS:
        raise InputRefused("out of range", field="retention_days", code="retention-wrong")
    if len(wanted.contact) > MAX_CONTACT:
        raise InputRefused("shorter", field="contact", code="note-long")
    named = select(Company.id).where(Company.external_id == wanted.external_id, others)
    if wanted.external_id and session.scalar(named):
        raise InputRefused("another has it", field="external_id", code="external-id-taken")
