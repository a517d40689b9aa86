"""Reading companies, and who comes for them."""

from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.errors import NotFound
from community_server.people.tables import Person
from community_server.services.tables import Company, Worker
from community_server.vault.safe import Safe

_CONTACT: Final = "contact"
_DAY: Final = 24 * 3600


@dataclass(frozen=True)
class ListedCompany:
    """One company, and how many workers it has here; `group` 0 for the estate's default group."""

    company: str
    name: str
    kind: str
    group: int
    allowed_min: int
    retention_days: int
    suspended: bool
    contact: str = field(repr=False)
    external_id: str
    workers: int


@dataclass(frozen=True)
class Employer:
    """For which company somebody comes."""

    company: str
    name: str
    suspended: bool


NO_EMPLOYER: Final = Employer("", "", suspended=False)


def company_owner(company: str) -> str:
    """Return the owner of a company's data key."""
    return f"company:{company}"


def get_company(session: Session, company: str, *, lock: bool = False) -> Company:
    """Return one company.

    Raises:
        NotFound: `company-unknown`.
    """
    row = session.get(Company, company, with_for_update=lock)
    if row is None:
        raise NotFound("no such company", code="company-unknown")
    return row


def list_companies(session: Session, safe: Safe, only: str = "") -> list[ListedCompany]:
    """Return all companies, or one, by name."""
    counts = select(Worker.company_id, func.count()).group_by(Worker.company_id)
    workers = dict(session.execute(counts).all())
    query = select(Company).order_by(Company.name)
    if only:
        query = query.where(Company.id == only)
    return [
        ListedCompany(
            company=row.id,
            name=row.name,
            kind=row.kind,
            group=row.group_id or 0,
            allowed_min=row.allowed_min,
            retention_days=row.retention_days,
            suspended=row.suspended,
            contact=_open_contact(session, safe, row),
            external_id=row.external_id or "",
            workers=workers.get(row.id, 0),
        )
        for row in session.scalars(query)
    ]


def find_company(session: Session, safe: Safe, company: str) -> ListedCompany:
    """Return one company.

    Raises:
        NotFound: `company-unknown`.
    """
    found = list_companies(session, safe, get_company(session, company).id)
    return found[0]


def seal_contact(session: Session, safe: Safe, row: Company, contact: str) -> None:
    """Keep whom to call about a company; empty for nobody."""
    sealed = safe.seal(session, company_owner(row.id), _CONTACT, contact.encode())
    row.contact = sealed if contact else None


def company_names(session: Session) -> dict[str, str]:
    """Return the companies' ids by their names."""
    return dict(session.execute(select(Company.name, Company.id)).all())


def workers_of(session: Session, company: str) -> list[str]:
    """Return who comes for a company."""
    query = select(Worker.person_id).where(Worker.company_id == company)
    return list(session.scalars(query.order_by(Worker.person_id)))


def employers(session: Session, only: Collection[str] | None = None) -> dict[str, Employer]:
    """Return for which companies everybody, or some people, come who come for one."""
    query = select(Worker.person_id, Company.id, Company.name, Company.suspended).join(
        Company, Company.id == Worker.company_id
    )
    if only is not None:
        query = query.where(Worker.person_id.in_(only))
    return {
        person: Employer(company, name, suspended)
        for person, company, name, suspended in session.execute(query)
    }


def suspended_with_company(session: Session, only: str | None = None) -> frozenset[str]:
    """Return the workers, or whether one of them is, whose company is suspended."""
    query = select(Worker.person_id).join(Company, Company.id == Worker.company_id)
    query = query.where(Company.suspended)
    if only is not None:
        query = query.where(Worker.person_id == only)
    return frozenset(session.scalars(query))


def workers_to_forget(session: Session, moment: int) -> list[str]:
    """Return the workers whose time, and what their company is kept for after it, is over."""
    query = (
        select(Person.id)
        .join(Worker, Worker.person_id == Person.id)
        .join(Company, Company.id == Worker.company_id)
        .where(
            Person.valid_until != 0,
            Person.valid_until + Company.retention_days * _DAY <= moment,
        )
    )
    return list(session.scalars(query))


def _open_contact(session: Session, safe: Safe, row: Company) -> str:
    if row.contact is None:
        return ""
    return safe.open(session, company_owner(row.id), _CONTACT, row.contact).decode()
