"""Changing people: each function works inside a `Change` and says whom it touched."""

from collections.abc import Collection
from functools import partial

import numpy as np
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import new_id, now
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused
from community_server.households.queries import residence_of
from community_server.households.service import Home, move_in
from community_server.people.census import count_new_face
from community_server.people.particulars import Known, owner, seal_known
from community_server.people.pins import draw_pin
from community_server.people.queries import get_person, people_of_unit
from community_server.people.sealed_pins import open_pin, seal_pin
from community_server.people.tables import Person, PersonDoor, Template
from community_server.privacy.faces import faces_are_on
from community_server.receipts.erasures import begin_erasure
from community_server.vault.safe import Safe
from face_engine.faces import Vectors


def add_person(
    change: Change,
    *,
    category: str,
    unit: str,
    known: Known,
    valid_from: int = 0,
    valid_until: int = 0,
    doors: Collection[str] = (),
) -> Person:
    """Add somebody who has been invited and has no credential yet.

    Raises:
        InputRefused: the time ends before it begins or now, a resident's unit is none, or a door is
            unknown.
    """
    _check_span(valid_from, valid_until)
    session, safe = change.session, change.safe
    person = new_id()
    safe.add_owner(session, owner(person))
    row = Person(
        id=person,
        category=category,
        unit=unit,
        state="invited",
        particulars=seal_known(session, safe, person, known),
        valid_from=valid_from,
        valid_until=valid_until,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    if category == "resident" and unit:
        move_in(change, row, Home.of(unit))
    limit_to_doors(session, person, doors)
    change.touch(person)
    return row


def describe_person(change: Change, row: Person, known: Known) -> None:
    """Replace what is known of a person."""
    row.particulars = seal_known(change.session, change.safe, row.id, known)
    change.touch(row.id)


def limit_to_doors(session: Session, person: str, doors: Collection[str]) -> None:
    """Limit a new person to some doors.

    Raises:
        InputRefused: a door is unknown.
    """
    known = set(session.scalars(select(Door.id).where(Door.id.in_(doors)))) if doors else set()
    if known != set(doors):
        raise InputRefused("one of these doors does not exist", field="doors", code="door-unknown")
    session.add_all(PersonDoor(person_id=person, door_id=door) for door in known)
    session.flush()


def store_template(
    change: Change, row: Person, space: str, turned: Vectors, *, photos: int
) -> None:
    """Give a person a template, already turned, in place of any earlier one; they are active.

    `photos` is how many photos it was fused from.

    Raises:
        Conflict: `faces-off`: nobody has signed an impact assessment.
    """
    if not faces_are_on(change.session):
        raise Conflict("nobody has signed an assessment", code="faces-off")
    data = np.asarray(turned, "<f4").tobytes()
    sealed = change.safe.seal(change.session, owner(row.id), template_context(space), data)
    template = change.session.get(Template, row.id)
    if template is None:
        count_new_face(change.session)
        template = Template(person_id=row.id)
        change.session.add(template)
    else:
        change.wipe()
    template.space, template.sealed, template.photos = space, sealed, photos
    template.created_at, template.margins, template.faded = now(), None, False
    template.declined_at = 0
    row.state = "active"
    change.session.flush()
    change.touch(row.id)


def forget_face(change: Change, row: Person) -> None:
    """Erase a person's template, if there is one, here and at the doors."""
    template = change.session.get(Template, row.id)
    if template is None:
        return
    begin_erasure(change, row, "face")
    row.second_credential = False  # there is no face left that it would stand beside
    change.session.delete(template)
    change.session.flush()
    change.touch(row.id)
    change.record("face-erased", row.id)
    change.wipe()


def open_template(session: Session, safe: Safe, template: Template) -> bytes:
    """Open a template: float32 little-endian, turned."""
    context = template_context(template.space)
    return safe.open(session, owner(template.person_id), context, template.sealed)


def template_context(space: str) -> str:
    """Return what a sealed template is bound to beside its person."""
    return f"template/{space}"


def issue_pin(change: Change, person: str) -> tuple[str, str]:
    """Give a person a fresh PIN in place of any earlier one; return it and the unit to enter.

    Raises:
        NotFound: `person-unknown`.
        InputRefused: `unit-missing`, a PIN is entered with a unit's number.
    """
    row = get_person(change.session, person, lock=True)
    if not row.unit:
        raise InputRefused("a PIN is entered with a unit", field="unit", code="unit-missing")
    session, safe = change.session, change.safe
    opens = partial(safe.open, session)
    neighbours = people_of_unit(session, row.unit, but=person)
    pin, hashed = draw_pin(open_pin(opens, one.id, one.pin_hash) for one in neighbours)
    row.pin_hash = seal_pin(session, safe, person, hashed)
    row.state = "active"
    change.touch(person)
    return pin, row.unit


def suspend_person(change: Change, person: str, *, suspended: bool) -> None:
    """Close the doors to a person for now, or open them again."""
    get_person(change.session, person, lock=True).suspended = suspended
    change.touch(person)


def limit_person(
    change: Change, person: str, valid_until: int, valid_from: int | None = None
) -> None:
    """Set until when a person may come, and from when; 0 is open, None leaves it.

    Another end than that of a planned move takes the plan back.

    Raises:
        InputRefused: that is over already.
    """
    row = get_person(change.session, person, lock=True)
    begins = row.valid_from if valid_from is None else valid_from
    _check_span(begins, valid_until)
    row.valid_from, row.valid_until = begins, valid_until
    residence = residence_of(change.session, person)
    if residence is not None and residence.moves_out != valid_until:
        residence.moves_out, residence.erased = 0, False
    change.touch(person)


def _check_span(valid_from: int, valid_until: int) -> None:
    if valid_until and (valid_until <= valid_from or valid_until <= now()):
        raise InputRefused("the time ends before it begins", field="valid_until", code="time-over")
