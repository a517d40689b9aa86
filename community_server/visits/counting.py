"""Counting a visitor's entries: the last one that was agreed ends what opens the doors."""

from community_server.change import Change
from community_server.passes.service import take_pass_back
from community_server.people.queries import get_person
from community_server.visits.queries import visit_of


def count_visit_entry(change: Change, person: str) -> None:
    """Note that a visitor came in; after the last entry agreed no door lets them in again.

    Until a door has heard of it, it may: doors do not know of one another without a link.
    """
    visit = visit_of(change.session, person) if person else None
    if visit is None:
        return
    visit.entries += 1
    if visit.uses and visit.entries >= visit.uses:
        get_person(change.session, person, lock=True).suspended = True
        take_pass_back(change, person)
        change.touch(person)
