"""Moving out, now or on a date: doors close at that moment, and the person is erased or kept."""

from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import now
from community_server.erasure import remove_person
from community_server.errors import Conflict
from community_server.households.queries import residence_of
from community_server.households.service import plan_move_out
from community_server.households.tables import Residence
from community_server.passes.service import shorten_pass
from community_server.people.queries import get_person
from community_server.people.tables import Person
from tier_link.store import LinkStore


def move_out(change: Change, links: LinkStore, person: str, at: int, *, erased: bool) -> bool:
    """Let somebody move out at a time (Unix seconds; 0 takes that back).

    Return whether they are gone already: a time that has come takes effect at once.

    Raises:
        NotFound: `person-unknown`.
        Conflict: `lives-nowhere`.
        InputRefused: `time-over`, before they have moved in.
    """
    row = get_person(change.session, person, lock=True)
    plan_move_out(change, row, at, erased=erased)
    if at:
        shorten_pass(change, person, at)
    if not at or at > now():
        return False
    end_residence(change, links, change.session.get_one(Residence, person))
    return True


def let_leave(change: Change, row: Person, erased_at: int) -> int:
    """Close the doors to a resident now, and plan that they are erased (Unix seconds).

    Return when that is: an earlier plan to erase them stays. Another end of their time, whoever
    gives it, takes this back as it does any plan to move out.

    Raises:
        Conflict: `lives-nowhere`.
    """
    residence = residence_of(change.session, row.id)
    if residence is None:
        raise Conflict("this person lives in no unit", code="lives-nowhere")
    if residence.moves_out and residence.erased:
        erased_at = min(erased_at, residence.moves_out)
    residence.moves_out, residence.erased = erased_at, True
    row.valid_until = now()
    change.session.flush()
    shorten_pass(change, row.id, row.valid_until)
    change.touch(row.id)
    return erased_at


def is_leaving(session: Session, row: Person) -> bool:
    """Say whether somebody's doors are closed already, and they wait to be erased."""
    residence = residence_of(session, row.id)
    return (
        residence is not None
        and residence.erased
        and 0 < row.valid_until <= now()
        and row.valid_until < residence.moves_out
    )


def end_residence(change: Change, links: LinkStore, residence: Residence) -> None:
    """Do what was planned for whoever moves out now."""
    person, erased = residence.person_id, residence.erased
    change.session.delete(residence)
    change.session.flush()
    if erased:
        remove_person(change, links, person)
    else:
        change.touch(person)
