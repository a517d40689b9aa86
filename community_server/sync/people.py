"""Another system's people and their cards, planned and applied as rows of a file are."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from access_rules.people import Category
from community_server.access.tables import AccessGroup
from community_server.cards.service import give_card, take_card
from community_server.cards.tables import Card
from community_server.change import Change
from community_server.database import now
from community_server.errors import Conflict, InputRefused
from community_server.households.leaving import is_leaving, let_leave
from community_server.households.queries import residence_of
from community_server.households.service import Home, check_home
from community_server.households.tables import Household
from community_server.imports.columns import Wanted
from community_server.imports.plan import compare, read_resident
from community_server.imports.rows import add_resident, alter_resident
from community_server.people.tables import Person
from community_server.sync.items import CardItem, Done, PersonItem
from community_server.sync.places import GONE
from tier_link.cards import card_tag, read_number
from tier_link.errors import CardRefused

GRACE_S: Final = 7 * 24 * 3600
"""Between another system's word that somebody is gone, at which doors close, and the erasure."""


def put_person(change: Change, external_id: str, item: PersonItem, zone: ZoneInfo) -> Done:
    """Make the resident with an external id what another system says; nobody else is looked at.

    Whoever was leaving by its word stays.

    Raises:
        InputRefused: `unit-missing` of a newcomer, `unit-long`, `household-unknown`,
            `group-unknown`, `external-id-taken` by a service worker, and as `add_person`.
    """
    session = change.session
    everybody = read_resident(session, change.safe, external_id)
    existing = next(iter(everybody.people.values()), None)
    other = None if existing else _person(change, external_id)
    if other is not None:
        raise InputRefused("not a resident's id", field="external_id", code="external-id-taken")
    home = _home_of(change, item) or (Home.of(existing.row.unit) if existing else None)
    if home is None:
        raise InputRefused("a newcomer lives somewhere", field="unit", code="unit-missing")
    if existing is None or home.unit != existing.row.unit:
        check_home(home)
    wanted = Wanted(
        line=0,
        external_id=external_id,
        name=item.name.strip(),
        home=home,
        phone=item.phone,
        email=item.email,
        groups=groups_of(change, item.groups),
        valid_from=item.valid_from,
        valid_until=item.valid_until,
    )
    if existing and wanted.valid_until is None and is_leaving(session, existing.row):
        wanted = replace(wanted, valid_until=0)
    (step,) = compare(session, everybody, [wanted], zone, remove_missing=False)
    changed = tuple(one.column for one in step.changes)
    match step.kind:
        case "added":
            return Done("created", add_resident(change, wanted))
        case "changed":
            alter_resident(change, step.person, wanted)
            return Done("updated", step.person, changed)
    return Done("unchanged", step.person)


def drop_person(change: Change, external_id: str) -> Done:
    """Close the doors to somebody now, and have them erased when the grace is over.

    A program's word is not enough to erase people for good: until then staff, or the other system,
    may take it back.

    Raises:
        Conflict: `lives-nowhere`, staff have let them move out and kept them.
    """
    session = change.session
    row = _person(change, external_id)
    if row is None or row.category != Category.RESIDENT:
        return GONE
    if is_leaving(session, row):
        residence = residence_of(session, row.id)
        return Done("unchanged", row.id, erased_at=residence.moves_out if residence else 0)
    erased_at = let_leave(change, row, now() + GRACE_S)
    return Done("leaving", row.id, ("valid_until",), erased_at)


def put_card(change: Change, key: bytes, external_id: str, item: CardItem) -> Done:
    """Give somebody a card, in place of what had this id; `key` is the estate's card key.

    One that they have already, from the desk, takes this id.

    Raises:
        InputRefused: `person-unknown`, `card-malformed`.
        Conflict: `card-taken`, `cards-too-many`.
    """
    session = change.session
    person = _person(change, item.person)
    if person is None:
        raise InputRefused("nobody has this id", field="person", code="person-unknown")
    try:
        tag = card_tag(key, read_number(item.number))
    except CardRefused as refused:
        raise InputRefused(str(refused), field="number", code=refused.code) from refused
    known = _card(change, external_id)
    changed: tuple[str, ...] = ()
    if known is not None:
        names = (("person", known.person_id, person.id), ("number", known.tag, tag))
        changed = tuple(name for name, before, after in names if before != after)
        if not changed:
            return Done("unchanged", known.id)
        take_card(change, known.person_id, known.id)
    held = session.scalar(select(Card).where(Card.tag == tag, Card.person_id == person.id))
    if held is not None and held.external_id is not None:
        raise Conflict("another id has this card", code="card-taken")
    if held is None:
        held = session.get_one(Card, give_card(change, key, person.id, item.number))
        outcome = Done("updated" if changed else "created", held.id, changed, about=person.id)
    else:
        outcome = Done("updated", held.id, changed or ("external_id",), about=person.id)
    held.external_id = external_id
    session.flush()
    return outcome


def drop_card(change: Change, external_id: str) -> Done:
    """Take a card away."""
    card = _card(change, external_id)
    if card is None:
        return GONE
    take_card(change, card.person_id, card.id)
    return Done("removed", card.id, about=card.person_id)


def _person(change: Change, external_id: str) -> Person | None:
    query = select(Person).where(Person.external_id == external_id)
    return change.session.scalar(query.with_for_update())


def _card(change: Change, external_id: str) -> Card | None:
    return change.session.scalar(select(Card).where(Card.external_id == external_id))


def _home_of(change: Change, item: PersonItem) -> Home | None:
    if item.household is None:
        return None if item.unit is None else Home.of(item.unit.strip())
    query = select(Household).where(Household.external_id == item.household)
    household = change.session.scalar(query)
    if household is None:
        raise InputRefused("no such unit", field="household", code="household-unknown")
    return Home(household.building, household.number)


def groups_of(
    change: Change, named: Sequence[str | int] | None, field: str = "groups"
) -> frozenset[int] | None:
    """Return the numbers of access groups that are named by another system's ids, or ours.

    Raises:
        InputRefused: `group-unknown`, about `field`.
    """
    if named is None:
        return None
    words = [one for one in named if isinstance(one, str)]
    query = select(AccessGroup.external_id, AccessGroup.id).where(
        AccessGroup.external_id.in_(words)
    )
    numbers = dict(change.session.execute(query).all()) if words else {}
    if len(numbers) != len(set(words)):
        raise InputRefused("no such access group", field=field, code="group-unknown")
    return frozenset(numbers.values()) | {one for one in named if isinstance(one, int)}
