"""Everybody's roster row in memory, from the sealed store: what doors, gallery and news read."""

import threading
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final, cast

from sqlalchemy import Row as RowOfColumns
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.access.groups import Groups, load_groups
from community_server.access.membership import groups_of, groups_of_people
from community_server.cards.queries import held_cards
from community_server.database import Sealed
from community_server.passes.queries import HeldPass, held_passes
from community_server.people.particulars import Opens, open_known_with, owner
from community_server.people.queries import doors_of
from community_server.people.sealed_pins import open_pin
from community_server.people.service import template_context
from community_server.people.tables import Person, PersonDoor, Template
from community_server.rosters.history import History
from community_server.services.queries import suspended_with_company
from community_server.vault.bulk import BulkOpener
from community_server.vault.safe import Safe
from tier_link.estate_messages import Category, RosterPerson, row_hash

_FEW: Final = 50
"""People up to whom reading one by one is quicker than reading everybody."""


@dataclass(frozen=True)
class Row:
    """One person: their roster row, doors of their own, and the name it never carries.

    Without `doors` the row's groups say which doors it goes to. `active` says that a credential was
    given at all. `former` is the template of somebody whose face is still of the space before; the
    roster's is empty then.
    """

    roster: RosterPerson
    doors: frozenset[str]
    active: bool
    name: str
    former: bytes = b""

    def __repr__(self) -> str:
        return "Row(…)"

    @cached_property
    def hash(self) -> bytes:
        """What the row counts as in a roster's hash."""
        return row_hash(self.roster)

    def belongs_at(self, door: str, moment: int, groups: Groups) -> bool:
        """Say whether the roster of `door` holds this person at `moment` (Unix seconds)."""
        until = self.roster.valid_until
        return (
            self.active
            and (door in self.doors if self.doors else groups.admit(self.roster.groups, door))
            and bool(
                self.roster.template
                or self.roster.pin
                or self.roster.pass_id
                or self.roster.cards
                or self.former
            )
            and (until == 0 or until > moment)
        )


@dataclass(frozen=True)
class Given:
    """What somebody was given: a pass, cards as doors know them, own doors, and groups.

    `shut_out` says that the company they come for is suspended.
    """

    held_pass: HeldPass | None
    cards: tuple[bytes, ...] = field(repr=False)
    doors: frozenset[str]
    groups: tuple[int, ...]
    shut_out: bool


def read_row(session: Session, safe: Safe, person: str, space: str, former: str = "") -> Row | None:
    """Read one person's row; None for somebody unknown.

    A template of the space `former` stands apart, one of any other is left out: spaces never mix.
    """
    row = session.get(Person, person)
    if row is None:
        return None
    template = session.get(Template, person)
    found = None
    if template is not None and template.space in {space, former}:
        found = (template.space, template.sealed)
    doors = doors_of(session, person)
    given = Given(
        held_passes(session, person).get(person),
        held_cards(session, person).get(person, ()),
        doors,
        load_groups(session).effective(groups_of(session, person), doors),
        bool(suspended_with_company(session, person)),
    )
    return _make_row(partial(safe.open, session), row, found, space, given)


def read_everybody(
    session: Session, safe: Safe, space: str, former: str = ""
) -> dict[str, Row | None]:
    """Read all rows, with one query per table, and of plain columns: people are many."""
    opens = BulkOpener(session, safe).open
    in_spaces = select(Template.person_id, Template.space, Template.sealed).where(
        Template.space.in_({space, former})
    )
    templates = {person: (where, sealed) for person, where, sealed in session.execute(in_spaces)}
    doors: defaultdict[str, set[str]] = defaultdict(set)
    for person, door in session.execute(select(PersonDoor.person_id, PersonDoor.door_id)):
        doors[person].add(door)
    passes, cards = held_passes(session), held_cards(session)
    groups, members = load_groups(session), groups_of_people(session)
    shut_out = suspended_with_company(session)
    return {
        row.id: _make_row(
            opens,
            row,
            templates.get(row.id),
            space,
            Given(
                passes.get(row.id),
                cards.get(row.id, ()),
                own := frozenset(doors.get(row.id, ())),
                groups.effective(members.get(row.id, ()), own),
                row.id in shut_out,
            ),
        )
        for row in session.execute(select(*Person.__table__.columns))
    }


def _make_row(
    opens: Opens,
    row: Person | RowOfColumns[Any],
    template: tuple[str, Sealed] | None,
    space: str,
    given: Given,
) -> Row:
    held = given.held_pass
    where, sealed = template or (space, None)
    vector = opens(owner(row.id), template_context(where), sealed) if sealed else b""
    return Row(
        roster=RosterPerson(
            person=row.id,
            category=cast("Category", row.category),
            unit=row.unit,
            valid_from=row.valid_from,
            valid_until=row.valid_until,
            template=vector if where == space else b"",
            pin=open_pin(opens, row.id, row.pin_hash),
            second_credential=row.second_credential,
            suspended=row.suspended or given.shut_out,
            pass_id=held.pass_id if held else "",
            pass_key=held.phone_key if held else b"",
            cards=given.cards,
            groups=given.groups,
        ),
        doors=given.doors,
        active=row.state == "active",
        name=open_known_with(opens, row.id, row.particulars).name,
        former=vector if where != space else b"",
    )


def read_rows(
    session: Session, safe: Safe, people: Collection[str], space: str, former: str = ""
) -> dict[str, Row | None]:
    """Read the rows of some people, None for those unknown; of many all at once."""
    if len(people) <= _FEW:
        return {one: read_row(session, safe, one, space, former) for one in people}
    everybody = read_everybody(session, safe, space, former)
    return {one: everybody.get(one) for one in people}


class RosterBook:
    """Person id → row, and the groups by which rows go to doors; safe to use from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rows: dict[str, Row] = {}
        self._households: defaultdict[str, set[str]] = defaultdict(set)
        self._revision = 0
        self._history = History()
        self.groups = Groups()

    @property
    def revision(self) -> int:
        """Counts updates: equal revisions mean equal rows."""
        return self._revision

    def update(self, changes: Mapping[str, Row | None], groups: Groups | None = None) -> None:
        """Take in what changed; None removes, and leaves the groups as they were."""
        with self._lock:
            self.groups = groups or self.groups
            self._note(changes.keys())
            for person, row in changes.items():
                before = self._rows.pop(person, None)
                if before is not None:
                    self._households[before.roster.unit].discard(person)
                if row is not None:
                    self._rows[person] = row
                    self._households[row.roster.unit].add(person)
            self._revision += 1

    def find(self, person: str) -> Row | None:
        """Return one person's row."""
        with self._lock:
            return self._rows.get(person)

    def household(self, person: str) -> frozenset[str]:
        """Return the ids of those who share a person's unit, the person among them."""
        with self._lock:
            row = self._rows.get(person)
            shared = self._households[row.roster.unit] if row and row.roster.unit else ()
            return frozenset(shared) | {person}

    def everybody(self) -> list[Row]:
        """Return all rows, in no order."""
        with self._lock:
            return list(self._rows.values())

    def hash_of(self, person: str) -> bytes | None:
        """Return what one person's row counts as in a roster's hash; None for no row."""
        row = self.find(person)
        return row.hash if row else None

    def hashes(self, people: Iterable[str]) -> list[bytes]:
        """Return the same of those of some people who have a row."""
        with self._lock:
            rows = [self._rows[person] for person in people if person in self._rows]
        return [row.hash for row in rows]

    def replaced_since(self, revision: int) -> Mapping[str, set[bytes]] | None:
        """Return whose rows were replaced since, and what they counted as; None for too many."""
        with self._lock:
            return self._history.last(self._revision - revision)

    def _note(self, people: Collection[str]) -> None:
        if len(people) > _FEW:
            self._history.forget()
            return
        before = {person: self._rows.get(person) for person in people}
        self._history.note({person: row.hash if row else None for person, row in before.items()})

    def pick(self, people: Iterable[str]) -> list[RosterPerson]:
        """Return the roster rows of those who have one."""
        with self._lock:
            return [self._rows[person].roster for person in people if person in self._rows]
