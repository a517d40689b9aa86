"""Moving out, now or on a date: doors close at that moment, and the person is erased or kept."""

from community_server.change import Change
from community_server.database import now
from community_server.erasure import remove_person
from community_server.households.service import plan_move_out
from community_server.households.tables import Residence
from community_server.passes.service import shorten_pass
from community_server.people.queries import get_person
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


def end_residence(change: Change, links: LinkStore, residence: Residence) -> None:
    """Do what was planned for whoever moves out now."""
    person, erased = residence.person_id, residence.erased
    change.session.delete(residence)
    change.session.flush()
    if erased:
        remove_person(change, links, person)
    else:
        change.touch(person)
