"""Another system's companies of service workers: each function works in a `Change`."""

from sqlalchemy import select

from community_server.change import Change
from community_server.services.companies import (
    CompanyWanted,
    add_company,
    change_company,
    remove_company,
    suspend_company,
)
from community_server.services.queries import find_company
from community_server.services.tables import Company
from community_server.sync.items import CompanyItem, Done
from community_server.sync.people import groups_of
from community_server.sync.places import GONE, differing

_FIELDS = ("name", "kind", "group", "allowed_min", "retention_days", "contact")


def put_company(change: Change, external_id: str, item: CompanyItem) -> Done:
    """Make a company what another system says; who comes for it is told by nobody but staff.

    Raises:
        InputRefused: as `add_company`; `group-unknown`.
    """
    session = change.session
    groups = groups_of(change, None if item.group is None else [item.group], "group")
    wanted = CompanyWanted(
        " ".join(item.name.split()),
        item.kind,
        next(iter(groups or ()), 0),
        item.allowed_min,
        item.retention_days,
        item.contact.strip(),
        external_id,
    )
    row = session.scalar(
        select(Company).where(Company.external_id == external_id).with_for_update()
    )
    if row is None:
        company = add_company(change, wanted)
        if item.suspended:
            suspend_company(change, company, suspended=True)
        return Done("created", company)
    known = find_company(session, change.safe, row.id)
    changed = differing(known, wanted, {name: name for name in _FIELDS})
    if changed:
        change_company(change, row.id, wanted)
    if item.suspended is not None and item.suspended != row.suspended:
        suspend_company(change, row.id, suspended=item.suspended)
        changed += ("suspended",)
    return Done("updated" if changed else "unchanged", row.id, changed)


def drop_company(change: Change, external_id: str) -> Done:
    """Remove a company that nobody comes for any more.

    Raises:
        Conflict: `company-used`.
    """
    query = select(Company.id).where(Company.external_id == external_id)
    company = change.session.scalar(query)
    if company is None:
        return GONE
    remove_company(change, company)
    return Done("removed", company)
