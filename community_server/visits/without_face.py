"""What opens the doors for whoever has no face recorded: a PIN, and a pass beside it."""

from community_server.change import Change
from community_server.errors import Conflict
from community_server.passes.service import give_pass
from community_server.people.service import issue_pin
from community_server.people.tables import Person
from community_server.visits.queries import visit_of


def give_pin_and_pass(change: Change, person: Person) -> tuple[str, str]:
    """Give somebody a fresh PIN and a pass; return the PIN and the pass's fragment.

    The pass is empty where the visit is too far ahead, or too short, for one. The PIN is empty for
    a visit of so many entries, which a PIN would not count.

    Raises:
        Conflict: `visitor-shut-out`, the last entry of their visit is used.
        InputRefused: `unit-missing`.
    """
    visit = visit_of(change.session, person.id)
    uses = visit.uses - visit.entries if visit is not None and visit.uses else 0
    if visit is not None and visit.uses and uses < 1:
        raise Conflict("the last entry is used", code="visitor-shut-out")
    pin = "" if uses else issue_pin(change, person.id)[0]
    try:
        return pin, give_pass(change, person.id, uses=uses).fragment
    except Conflict:
        return pin or issue_pin(change, person.id)[0], ""
