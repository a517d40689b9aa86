"""Moving in and out: each function works inside a `Change`."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused
from community_server.households.queries import get_household, people_of, residence_of
from community_server.households.tables import Household, Residence
from community_server.people.tables import Person

LONGEST_PART: Final = 32
"""Characters of a building's name, and of a unit's number."""


@dataclass(frozen=True)
class Home:
    """A unit as somebody writes it; one without buildings has none."""

    building: str
    number: str

    @classmethod
    def of(cls, unit: str) -> "Home":
        """Return a unit as it is written: a building is what stands before the first `-`."""
        building, dash, number = unit.partition("-")
        return cls(building, number) if dash else cls("", unit)

    @property
    def unit(self) -> str:
        """Both together, as it is entered with a PIN."""
        return f"{self.building}-{self.number}" if self.building else self.number


def check_home(home: Home) -> None:
    """Refuse what is no unit.

    Raises:
        InputRefused: `unit-missing`, `unit-long`.
    """
    if not home.number:
        raise InputRefused("a unit has a number", field="unit", code="unit-missing")
    if max(len(home.building), len(home.number)) > LONGEST_PART:
        raise InputRefused("longer than any unit", field="unit", code="unit-long")


def household_at(session: Session, home: Home) -> Household:
    """Return a unit, added where it is new.

    Raises:
        InputRefused: `unit-missing`, `unit-long`.
    """
    check_home(home)
    row = session.scalar(select(Household).where(Household.unit == home.unit))
    if row is None:
        row = Household(
            id=new_id(),
            building=home.building,
            number=home.number,
            unit=home.unit,
            created_at=now(),
        )
        session.add(row)
        session.flush()
    return row


def move_in(change: Change, person: Person, home: Home) -> None:
    """Let somebody live in a unit from now on, wherever they lived before.

    The PIN that they had with another unit ends: a neighbour there may have the same.

    Raises:
        InputRefused: `unit-missing`, `unit-long`.
    """
    session = change.session
    household = household_at(session, home)
    residence = residence_of(session, person.id)
    if residence is None:
        residence = Residence(
            person_id=person.id, household_id=household.id, moved_in=max(now(), person.valid_from)
        )
        session.add(residence)
    elif residence.household_id != household.id:
        residence.household_id, residence.moved_in = household.id, now()
    if person.unit != household.unit:
        person.unit, person.pin_hash = household.unit, ""
    session.flush()
    change.touch(person.id)


def renumber_household(change: Change, row: Household, home: Home) -> None:
    """Give a unit another building or number; its people's PINs are entered with that from now on.

    Where somebody is known under the new number already, those PINs end: two could be the same.

    Raises:
        InputRefused: `unit-missing`, `unit-long`.
        Conflict: `household-taken`.
    """
    session = change.session
    check_home(home)
    taken = select(Household.id).where(Household.unit == home.unit, Household.id != row.id)
    if session.scalars(taken).first() is not None:
        raise Conflict("another unit has this number", code="household-taken")
    same = home.unit == row.unit
    strangers = select(Person.id).where(Person.unit == home.unit).limit(1)
    meets_others = not same and session.scalars(strangers).first() is not None
    for person in session.scalars(select(Person).where(Person.unit == row.unit)).all():
        person.unit = home.unit
        if meets_others:
            person.pin_hash = ""
        change.touch(person.id)
    row.building, row.number, row.unit = home.building, home.number, home.unit
    session.flush()


def plan_move_out(change: Change, person: Person, at: int, *, erased: bool) -> None:
    """Note when somebody moves out, which is the end of their time, and what becomes of them then.

    Args:
        change: The change under way.
        person: Who.
        at: Unix seconds; 0 takes an earlier plan back.
        erased: Whether they are erased at that moment, or kept without a home.

    Raises:
        Conflict: `lives-nowhere`.
        InputRefused: `time-over`, before they have moved in.
    """
    residence = residence_of(change.session, person.id)
    if residence is None:
        raise Conflict("this person lives in no unit", code="lives-nowhere")
    if at and at <= person.valid_from:
        raise InputRefused("out before in", field="moves_out", code="time-over")
    residence.moves_out, residence.erased = at, erased and bool(at)
    person.valid_until = at
    change.session.flush()
    change.touch(person.id)


def remove_household(change: Change, household: str) -> None:
    """Remove a unit in which nobody lives.

    Raises:
        NotFound: `household-unknown`.
        Conflict: `household-lived-in`.
    """
    row = get_household(change.session, household, lock=True)
    if people_of(change.session, household):
        raise Conflict("somebody lives there", code="household-lived-in")
    change.session.delete(row)
    change.session.flush()
