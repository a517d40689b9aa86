"""Reading the audit log, and who its ids stand for."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.doors.tables import Door
from community_server.staff.accounts import usernames
from community_server.staff.tables import ApiToken, StaffMember


@dataclass(frozen=True)
class Wanted:
    """Which rows: all that is empty or 0 does not matter. `before` is a row's number."""

    staff: str = ""
    action: str = ""
    subject: str = ""
    before: int = 0


@dataclass(frozen=True)
class ShownRow:
    """One row as its reader sees it.

    `by` and `about` are names of accounts, tokens and doors; people's names are not looked up here.
    """

    number: int
    at: int
    staff: str
    by: str
    action: str
    subject: str
    about: str
    detail: str


def list_audit(session: Session, wanted: Wanted, limit: int) -> list[ShownRow]:
    """List rows, the newest first."""
    query = select(AuditRow).order_by(AuditRow.number.desc()).limit(limit)
    for column, value in (
        (AuditRow.staff_id, wanted.staff),
        (AuditRow.action, wanted.action),
        (AuditRow.subject, wanted.subject),
    ):
        if value:
            query = query.where(column == value)
    if wanted.before:
        query = query.where(AuditRow.number < wanted.before)
    rows = session.scalars(query).all()
    names = names_of(session, {id_ for row in rows for id_ in (row.staff_id, row.subject)})
    return [
        ShownRow(
            number=row.number,
            at=row.at,
            staff=row.staff_id,
            by=names.get(row.staff_id, ""),
            action=row.action,
            subject=row.subject,
            about=names.get(row.subject, ""),
            detail=row.detail,
        )
        for row in rows
    ]


def names_of(session: Session, ids: set[str]) -> dict[str, str]:
    """Return the names of those ids that are accounts, tokens or doors."""
    names: dict[str, str] = {}
    for id_, name in (
        (StaffMember.id, StaffMember.username),
        (ApiToken.id, ApiToken.name),
        (Door.id, Door.name),
    ):
        found = session.execute(select(id_, name).where(id_.in_(ids)))
        names |= {row[0]: row[1] for row in found}
    return names


def list_actors(session: Session) -> list[tuple[str, str]]:
    """Return id and name of all who may have rows: accounts, removed ones too, and tokens."""
    tokens = select(ApiToken.id, ApiToken.name)
    found = [*usernames(session).items(), *session.execute(tokens)]
    return sorted(((row[0], row[1]) for row in found), key=lambda one: one[1].casefold())
