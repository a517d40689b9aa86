"""Visits from the wish to the end; each function works inside a `Change`, and tells both sides.

A visit that is over leaves nothing but one more in its unit's count for the month.
"""

import unicodedata
from typing import Literal

from sqlalchemy import func, select

from community_server.change import Change
from community_server.database import new_id, now
from community_server.erasure import remove_person
from community_server.errors import Conflict, InputRefused
from community_server.households.tables import Household
from community_server.invitations.service import LONGEST_VISIT
from community_server.passes.queries import pass_of
from community_server.passes.service import shorten_pass
from community_server.people.queries import get_person
from community_server.people.service import limit_person
from community_server.people.tables import Person
from community_server.visits.admission import (
    HandedOver,
    admit,
    check_doors,
    hand_over,
    renew_pass,
)
from community_server.visits.answers import answer_asker, hosts_of, tell_homes
from community_server.visits.details import Details, seal_details
from community_server.visits.notices import tell_asked, tell_decided
from community_server.visits.queries import forget_visit
from community_server.visits.tables import Visit
from community_server.visits.visiting import (
    COURIER_HOURS,
    MOST_OPEN_VISITS,
    SHORTEST_VISIT_S,
    UNANSWERED_S,
    Visiting,
)
from tier_link.visits import Ask, Invite

How = Literal["host", "desk"]
_HOUR = 3600


def invite(
    change: Change, visiting: Visiting, host: Person, asked: Invite
) -> tuple[Visit, HandedOver | None]:
    """Let a resident invite somebody; return what the visitor is given, None if the desk decides.

    Raises:
        InputRefused: `name-missing`, `window-missing`, `window-long`, `time-over`, `door-unknown`.
        Conflict: `visits-too-many`.
    """
    session, visitor = change.session, asked.visitor
    if not visitor.name.strip():
        raise InputRefused("a visitor has a name", field="name", code="name-missing")
    _check_window(max(asked.valid_from, now()), asked.valid_until)
    check_doors(change, host, asked.doors)
    open_visits = select(func.count()).where(
        Visit.host_id == host.id, Visit.state.in_(("asked", "approved"))
    )
    if (session.scalar(open_visits) or 0) >= MOST_OPEN_VISITS:
        raise Conflict("that many visits at once", code="visits-too-many")
    visit = add_visit(
        change,
        host_id=host.id,
        unit=host.unit,
        valid_from=asked.valid_from,
        valid_until=asked.valid_until,
        uses=asked.uses,
        credential=asked.credential,
        details=Details(
            name=visitor.name.strip(),
            phone=visitor.phone.strip(),
            visiting=host.unit,
            purpose=visitor.purpose.strip(),
            plate=visitor.plate.strip(),
            doors=asked.doors,
        ),
    )
    handed = None if visiting.desk_decides else _approve(change, visiting, visit, "host", host.id)
    tell_homes(change, visiting, [host.id])
    return visit, handed


def ask(change: Change, visiting: Visiting, door: str, request: str, asked: Ask) -> Visit:
    """Take in that somebody asks at a door's poster.

    Nothing here is refused for what it says, so that no answer tells whether anybody lives there: a
    unit that does not exist, or has no page, is the desk's alone.
    """
    visitor, written = asked.visitor, _unit(asked.visitor.visiting)
    unit = change.session.scalar(select(Household.unit).where(Household.unit == written)) or ""
    hours = COURIER_HOURS if asked.courier else asked.hours
    visit = add_visit(
        change,
        unit=unit,
        door_id=door,
        request_id=request,
        courier=asked.courier,
        valid_from=now(),
        valid_until=now() + UNANSWERED_S,
        hours=hours,
        credential="pass" if asked.courier else asked.credential,
        details=Details(
            name=visitor.name.strip(),
            phone=visitor.phone.strip(),
            visiting=visitor.visiting.strip(),
            purpose=visitor.purpose.strip(),
            plate=visitor.plate.strip(),
            company=asked.company.strip(),
        ),
    )
    hosts = hosts_of(change.session, visit)
    tell_asked(change, visiting, visit, hosts)
    tell_homes(change, visiting, hosts)
    return visit


def approve(change: Change, visiting: Visiting, visit: Visit, how: How, by: str) -> HandedOver:
    """Let somebody come who asked, and tell both sides; return what the visitor is given.

    Whoever asked at a poster is given it in the sealed answer; of who was invited, the host hands
    it on.

    Raises:
        Conflict: `already-decided`, `cloud-not-paired`.
        InputRefused: `time-over`.
    """
    _check_undecided(visit)
    if visit.request_id:
        visit.valid_from, visit.valid_until = now(), now() + visit.hours * _HOUR
        if how == "host":
            visit.host_id = by
    elif visit.valid_until < now() + SHORTEST_VISIT_S:
        raise InputRefused("over before it begins", field="valid_until", code="time-over")
    handed = _approve(change, visiting, visit, how, by)
    # The PIN of a face's first opening goes by the host: a link that was forwarded has none.
    pin = "" if handed.invitation else handed.pin
    answer_asker(
        change,
        visiting.links,
        visit,
        "approved",
        qr_pass=handed.qr_pass,
        invitation=handed.invitation,
        pin=pin,
        unit=handed.unit if pin else "",
        valid_until=visit.valid_until,
    )
    _tell(change, visiting, visit)
    return handed


def decline(change: Change, visiting: Visiting, visit: Visit, how: How, by: str) -> None:
    """Let somebody not come who asked, and tell both sides.

    Raises:
        Conflict: `already-decided`.
    """
    _check_undecided(visit)
    decide(visit, "declined", how, by)
    answer_asker(change, visiting.links, visit, "declined")
    _tell(change, visiting, visit)


def extend(change: Change, visiting: Visiting, visit: Visit, valid_until: int) -> HandedOver | None:
    """Let a visit go on until `valid_until` (Unix seconds), or end earlier.

    Return what the visitor is given anew: a pass says itself until when it holds.

    Raises:
        InputRefused: `time-over`, `window-long`.
        Conflict: `visit-not-approved`, `visitor-shut-out`.
    """
    if visit.state != "approved" or visit.person_id is None:
        raise Conflict("nobody comes yet", code="visit-not-approved")
    _check_window(max(visit.valid_from, now()), valid_until)
    visit.valid_until = valid_until
    held = pass_of(change.session, visit.person_id)
    limit_person(change, visit.person_id, valid_until)
    shorten_pass(change, visit.person_id, valid_until)
    handed = None
    if visit.credential == "pass":
        handed = hand_over(change, visiting, visit)
    elif held is not None and not get_person(change.session, visit.person_id).suspended:
        handed = renew_pass(change, visit)  # of whoever chose no face in the form
    if handed is not None:
        answer_asker(
            change,
            visiting.links,
            visit,
            "approved",
            qr_pass=handed.qr_pass,
            pin=handed.pin,
            unit=handed.unit,
            valid_until=valid_until,
        )
    tell_homes(change, visiting, hosts_of(change.session, visit))
    return handed


def share(change: Change, visiting: Visiting, visit: Visit) -> HandedOver:
    """Make a visitor's link anew, for the host to hand on.

    Raises:
        Conflict: `visit-not-approved`, `cloud-not-paired`, `time-over`.
    """
    if visit.state != "approved" or visit.person_id is None:
        raise Conflict("nobody comes yet", code="visit-not-approved")
    return hand_over(change, visiting, visit)


def end(change: Change, visiting: Visiting, visit: Visit) -> None:
    """End a visit: cancelled, or the visitor has left. What names them is destroyed at once."""
    hosts, visitor = hosts_of(change.session, visit), visit.person_id
    if visit.state == "asked":
        answer_asker(change, visiting.links, visit, "declined")
    elif visit.state == "approved":
        answer_asker(change, visiting.links, visit, "declined", reason="visit-ended")
    if visitor is not None:
        remove_person(change, visiting.links, visitor)
    else:
        forget_visit(change, visit)
    tell_homes(change, visiting, hosts)


def _approve(change: Change, visiting: Visiting, visit: Visit, how: How, by: str) -> HandedOver:
    decide(visit, "approved", how, by)
    return admit(change, visiting, visit)


def decide(visit: Visit, state: str, how: How, by: str) -> None:
    """Note what was decided, whose word it was, and when."""
    visit.state, visit.decided_how, visit.decided_by = state, how, by
    visit.decided_at = now()


def _tell(change: Change, visiting: Visiting, visit: Visit) -> None:
    hosts = hosts_of(change.session, visit)
    if visit.decided_how == "desk":
        tell_decided(change, visiting, visit, hosts)
    tell_homes(change, visiting, hosts)


def add_visit(change: Change, *, details: Details, **columns: object) -> Visit:
    """Add a visit that is still to be decided on."""
    visit = new_id()
    row = Visit(
        id=visit,
        state="asked",
        details=seal_details(change, visit, details),
        created_at=now(),
        **columns,
    )
    change.session.add(row)
    change.session.flush()
    return row


def _check_window(starts: int, valid_until: int) -> None:
    if not valid_until:
        raise InputRefused("a visit ends some time", field="valid_until", code="window-missing")
    if valid_until < starts + SHORTEST_VISIT_S:
        raise InputRefused("over before it begins", field="valid_until", code="time-over")
    if valid_until - now() > LONGEST_VISIT:
        raise InputRefused("a visit lasts at most 90 days", field="valid_until", code="window-long")


def _check_undecided(visit: Visit) -> None:
    if visit.state != "asked":
        raise Conflict("this was decided already", code="already-decided")


def _unit(written: str) -> str:
    """Return a unit as it is kept, of one that somebody typed at a gate, in whatever width."""
    return "".join(unicodedata.normalize("NFKC", written).split())
