"""Making somebody what a row says: each function works inside a `Change`."""

import msgspec

from community_server.access.membership import put_into_groups
from community_server.change import Change
from community_server.database import now
from community_server.households.service import move_in
from community_server.imports.columns import Wanted
from community_server.imports.plan import Row
from community_server.imports.worker_columns import WantedWorker
from community_server.passes.service import shorten_pass
from community_server.people.particulars import Known, open_known
from community_server.people.queries import get_person
from community_server.people.service import add_person, describe_person, limit_person
from community_server.people.tables import Person
from community_server.services import workers


def add_resident(change: Change, wanted: Wanted) -> str:
    """Add whom a row means; return their id.

    Raises:
        InputRefused: as `add_person` and `put_into_groups`.
    """
    row = add_person(
        change,
        category="resident",
        unit=wanted.home.unit,
        known=Known(wanted.name, wanted.phone or "", email=wanted.email or ""),
        valid_from=wanted.valid_from or 0,
        valid_until=wanted.valid_until or 0,
    )
    return _name_and_group(change, row, wanted)


def add_worker(change: Change, wanted: WantedWorker) -> str:
    """Add whom a row means to their company, without anything that opens a door; return their id.

    Raises:
        NotFound: `company-unknown`, it was removed meanwhile.
        InputRefused: as `add_person` and `put_into_groups`.
    """
    person = workers.add_worker(
        change,
        wanted.company_id,
        Known(
            wanted.name,
            wanted.phone or "",
            visiting=wanted.visiting or "",
            plate=wanted.plate or "",
        ),
        unit=wanted.unit,
        valid_from=wanted.valid_from or 0,
        valid_until=wanted.valid_until or 0,
    )
    return _name_and_group(change, get_person(change.session, person, lock=True), wanted)


def alter_resident(change: Change, person: str, wanted: Wanted) -> None:
    """Make somebody what a row says.

    Raises:
        InputRefused: as `limit_person` and `put_into_groups`.
    """
    row = get_person(change.session, person, lock=True)
    _describe(change, row, wanted, email=wanted.email)
    if row.unit != wanted.home.unit:
        move_in(change, row, wanted.home)
    _regroup_and_limit(change, row, wanted)


def alter_worker(change: Change, person: str, wanted: WantedWorker) -> None:
    """Make a worker what a row says; a PIN goes with the unit that is entered with it.

    Raises:
        InputRefused: as `limit_person` and `put_into_groups`.
    """
    row = get_person(change.session, person, lock=True)
    _describe(change, row, wanted, plate=wanted.plate, visiting=wanted.visiting)
    if wanted.given_unit is not None and row.unit != wanted.given_unit:
        row.unit, row.pin_hash = wanted.given_unit, ""
    _regroup_and_limit(change, row, wanted)


def _name_and_group(change: Change, row: Person, wanted: Row) -> str:
    row.external_id = wanted.external_id or None
    if wanted.groups:
        put_into_groups(change, row.id, wanted.groups)
    return row.id


def _describe(change: Change, row: Person, wanted: Row, **more: str | None) -> None:
    row.external_id = wanted.external_id or row.external_id
    known = open_known(change.session, change.safe, row)
    given = {"name": wanted.name, "phone": wanted.phone, **more}
    given = {name: text for name, text in given.items() if text is not None}
    describe_person(change, row, msgspec.structs.replace(known, **given))


def _regroup_and_limit(change: Change, row: Person, wanted: Row) -> None:
    if wanted.groups is not None:
        put_into_groups(change, row.id, wanted.groups)
    if wanted.valid_from is not None or wanted.valid_until is not None:
        until = row.valid_until if wanted.valid_until is None else wanted.valid_until
        if 0 < until <= now():
            row.valid_until = until
        else:
            limit_person(change, row.id, until, wanted.valid_from)
        shorten_pass(change, row.id, until)
