"""Applying a file exactly as it was shown, all or nothing, in one change."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from community_server.access.membership import put_into_groups
from community_server.access.service import list_groups
from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.erasure import remove_person
from community_server.errors import Conflict
from community_server.households.service import move_in
from community_server.imports.columns import Fault, Reading, Wanted, read_rows
from community_server.imports.plan import Step, compare, read_residents
from community_server.imports.sheets import read_sheet
from community_server.passes.service import shorten_pass
from community_server.people.particulars import Known, open_known
from community_server.people.queries import get_person
from community_server.people.service import add_person, describe_person, limit_person
from community_server.vault.safe import Safe
from tier_link.store import LinkStore


@dataclass(frozen=True)
class Plan:
    """What a file says, and what it would change."""

    reading: Reading
    steps: tuple[Step, ...]
    faults: tuple[Fault, ...]
    remove_missing: bool

    def count(self, kind: str) -> int:
        """Return how many people a kind of step is for."""
        return sum(step.kind == kind for step in self.steps)


@dataclass(frozen=True)
class Importer:
    """Reads files and applies them, for one estate."""

    safe: Safe
    links: LinkStore
    phone_key: bytes = field(repr=False)
    zone: ZoneInfo = field(kw_only=True)

    def plan(self, session: Session, data: bytes, *, remove_missing: bool) -> Plan:
        """Read a file and compare it with who is known; nothing is changed.

        Raises:
            InputRefused: as `read_sheet` and `read_rows`.
        """
        reading = read_rows(read_sheet(data), _groups_by_name(session), self.zone)
        steps = self._steps(session, reading, remove_missing=remove_missing)
        return Plan(reading, steps, (*reading.faults, *_too_late(reading, steps)), remove_missing)

    def apply(self, change: Change, plan: Plan, staff: str) -> list[str]:
        """Do what was shown; return the ids of those who are new.

        Raises:
            Conflict: `import-stale`, somebody of it was changed since; `import-faulty`, a row
                cannot be used.
        """
        if plan.faults:
            raise Conflict("rows of it cannot be used", code="import-faulty")
        session = change.session
        fresh = self._steps(session, plan.reading, remove_missing=plan.remove_missing)
        if fresh != plan.steps:
            raise Conflict("somebody was changed meanwhile", code="import-stale")
        rows = {wanted.line: wanted for wanted in plan.reading.rows}
        added = []
        for step in plan.steps:
            person = step.person
            match step.kind:
                case "added":
                    person = add_resident(change, rows[step.line])
                    added.append(person)
                    audit(session, staff, "import-add", person)
                case "changed":
                    alter_resident(change, person, rows[step.line])
                    audit(session, staff, "import-change", person)
                case "removed":
                    remove_person(change, self.links, person)
                    audit(session, staff, "import-remove", person)
                case "unchanged":
                    continue
        return added

    def _steps(
        self, session: Session, reading: Reading, *, remove_missing: bool
    ) -> tuple[Step, ...]:
        everybody = read_residents(session, self.safe, self.phone_key)
        rows = reading.rows
        return compare(session, everybody, rows, self.zone, remove_missing=remove_missing)


def _too_late(reading: Reading, steps: Sequence[Step]) -> Iterator[Fault]:
    """Find newcomers whose time is over already."""
    rows, moment = {wanted.line: wanted for wanted in reading.rows}, now()
    for step in steps:
        if step.kind == "added" and 0 < (rows[step.line].valid_until or 0) <= moment:
            yield Fault(step.line, "valid_until", "time-gone")


def _groups_by_name(session: Session) -> Mapping[str, int]:
    return {one.name: one.id for one in list_groups(session) if one.name}


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
    row.external_id = wanted.external_id or None
    if wanted.groups:
        put_into_groups(change, row.id, wanted.groups)
    return row.id


def alter_resident(change: Change, person: str, wanted: Wanted) -> None:
    """Make somebody what a row says.

    Raises:
        InputRefused: as `limit_person` and `put_into_groups`.
    """
    session = change.session
    row = get_person(session, person, lock=True)
    row.external_id = wanted.external_id or row.external_id
    known = open_known(session, change.safe, row)
    given = {"name": wanted.name, "phone": wanted.phone, "email": wanted.email}
    given = {name: text for name, text in given.items() if text is not None}
    describe_person(change, row, msgspec.structs.replace(known, **given))
    if row.unit != wanted.home.unit:
        move_in(change, row, wanted.home)
    if wanted.groups is not None:
        put_into_groups(change, person, wanted.groups)
    if wanted.valid_from is not None or wanted.valid_until is not None:
        until = row.valid_until if wanted.valid_until is None else wanted.valid_until
        if 0 < until <= now():
            row.valid_until = until
        else:
            limit_person(change, person, until, wanted.valid_from)
        shorten_pass(change, person, until)
