"""Withdrawing consent: the face goes, from server and doors at once, and something takes its place.

As easy as giving it: by the resident's own page or at the desk, in one step, whatever staff think.
"""

import logging
from dataclasses import dataclass, field
from typing import Literal

from community_server.cards.queries import held_cards
from community_server.change import Change
from community_server.consents.queries import standing_consents
from community_server.database import now
from community_server.errors import Conflict, InputRefused
from community_server.intake.approvals import end_waiting, waiting_of
from community_server.intake.replies import Answer
from community_server.passes.queries import held_passes
from community_server.passes.service import GivenPass, give_pass
from community_server.people.queries import get_person
from community_server.people.service import forget_face, issue_pin
from community_server.people.tables import Person, Template
from community_server.visits.queries import visit_of
from tier_link.replies import ReplyReason
from tier_link.store import LinkStore

_log = logging.getLogger(__name__)

How = Literal["page", "desk", "round"]


@dataclass(frozen=True)
class Instead:
    """What opens the doors from now on: a fresh PIN with its unit, or a pass.

    All empty where the person goes on with the PIN, pass or card that they have, or, of a person
    without a unit, where the desk has to give them one.
    """

    pin: str = field(default="", repr=False)
    unit: str = ""
    given: GivenPass | None = field(default=None, repr=False)


def withdraw_face(
    change: Change, links: LinkStore, person: str, how: How, *, give: bool = True
) -> Instead:
    """Erase somebody's face, also one that waits for the desk, and give what they lack instead.

    Nothing is given (`give`) where nobody could hand it to them.

    Raises:
        NotFound: `person-unknown`.
        Conflict: `no-face`, none is kept.
    """
    session = change.session
    row = get_person(session, person, lock=True)
    waiting = [one for one in waiting_of(session, person) if one.template is not None]
    if not waiting and session.get(Template, person) is None:
        raise Conflict("no face of theirs is kept", code="no-face")
    for one in waiting:
        one.state, one.reason = "declined", ReplyReason.CONSENT_WITHDRAWN
        one.decided_at = now()
        end_waiting(change, links, one, Answer("refused", ReplyReason.CONSENT_WITHDRAWN))
    forget_face(change, row)
    for consent in standing_consents(session, person):
        consent.withdrawn_at, consent.withdrawn_how = now(), how
    session.flush()
    return _instead(change, row) if give else Instead()


def _instead(change: Change, row: Person) -> Instead:
    session = change.session
    if row.pin_hash or held_passes(session, row.id) or held_cards(session, row.id):
        return Instead()
    visit = visit_of(session, row.id)
    try:
        if visit is None or not visit.uses:
            return Instead(*issue_pin(change, row.id))
        if visit.entries < visit.uses:  # which a PIN would not count
            return Instead(given=give_pass(change, row.id, uses=visit.uses - visit.entries))
    except (Conflict, InputRefused) as refused:
        # A PIN is entered with a unit; a pass begins a day ahead at most.
        _log.info("person=%s face=withdrawn instead=none reason=%s", row.id, refused.code)
    return Instead()
