"""A visit that is approved: its visitor becomes a person, with what opens the doors for them."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from community_server.access.membership import doors_for
from community_server.change import Change
from community_server.database import now
from community_server.errors import Conflict, InputRefused
from community_server.invitations.service import VISITORS_UNIT, invite_again, usual_place
from community_server.passes.service import GivenPass, give_pass
from community_server.people.queries import get_person
from community_server.people.service import add_person, issue_pin
from community_server.people.tables import Person
from community_server.services.workers import CheckIn, check_in
from community_server.visits.details import Details, open_details
from community_server.visits.links import homes_of_unit
from community_server.visits.tables import Visit, VisitCount
from community_server.visits.visiting import Visiting


@dataclass(frozen=True)
class HandedOver:
    """What a visitor is given: the fragment of a pass or of an invitation, and a PIN.

    `pin`, entered with `unit`, is empty where there is none; of an invitation it opens beside the
    face for the first time, and goes to the visitor by another way than the link. `given` is the
    pass as it is printed.
    """

    qr_pass: str = field(default="", repr=False)
    invitation: str = field(default="", repr=False)
    pin: str = field(default="", repr=False)
    unit: str = ""
    given: GivenPass | None = field(default=None, repr=False)


def admit(change: Change, visiting: Visiting, visit: Visit) -> HandedOver:
    """Make the visitor of an approved visit, count them, and return what they are given.

    Raises:
        Conflict: `cloud-not-paired`; a courier's `company-suspended`.
        InputRefused: `time-over`.
    """
    details = open_details(change.session, change.safe, visit)
    if visit.courier and details.company:
        return _check_in(change, visit, details)
    person = add_person(
        change,
        category="visitor",
        unit=visit.unit or VISITORS_UNIT,
        known=details.known,
        valid_from=visit.valid_from,
        valid_until=visit.valid_until,
        doors=_doors(change, visit, details),
    )
    visit.person_id = person.id
    count_visitor(change, visiting, visit)
    change.session.flush()
    return hand_over(change, visiting, visit)


def hand_over(change: Change, visiting: Visiting, visit: Visit) -> HandedOver:
    """Make a visitor's link, and PIN where there is one, in place of any earlier.

    A visit of so many entries has no PIN unless the first opening by face needs it: doors do not
    count PINs.

    Raises:
        Conflict: `cloud-not-paired`, `time-over`, `pass-too-early`; `visitor-shut-out`, the last
            entry is used, or staff have closed the doors to them.
    """
    person = visit.person_id or ""
    if get_person(change.session, person, lock=True).suspended:
        raise Conflict("no door lets this visitor in", code="visitor-shut-out")
    if visit.credential == "pass":
        handed = renew_pass(change, visit)
        pin, unit = issue_pin(change, person) if not visit.uses else ("", "")
        return replace(handed, pin=pin, unit=unit)
    days = visiting.settings.invitation_days
    here = usual_place(change.session, visiting.settings)
    fragment = invite_again(change, visiting.links, person, days=days, here=here).fragment
    if visiting.settings.first_opening == "pin":
        pin, unit = issue_pin(change, person)
        return HandedOver(invitation=fragment, pin=pin, unit=unit)
    return HandedOver(invitation=fragment)


def renew_pass(change: Change, visit: Visit) -> HandedOver:
    """Give a visitor a pass in place of any earlier one: for the visit's time and entries left.

    Raises:
        Conflict: `time-over`, `pass-too-early`.
    """
    left = visit.uses - visit.entries if visit.uses else 0
    given = give_pass(change, visit.person_id or "", uses=left)
    return HandedOver(qr_pass=given.fragment, given=given)


def _check_in(change: Change, visit: Visit, details: Details) -> HandedOver:
    """Check a courier in as the desk does who stands at the gate: their company answers for them.

    The visit names nobody among the visitors, and is over when their pass is.
    """
    wanted = CheckIn(
        new_company=details.company,
        name=details.name,
        phone=details.phone,
        plate=details.plate,
        unit=visit.unit,
    )
    given = check_in(change, wanted).given
    visit.valid_until = given.ends
    return HandedOver(qr_pass=given.fragment)


def check_doors(change: Change, host: Person, doors: tuple[str, ...]) -> None:
    """Check that a resident lets their visitors in by no door that is not their own.

    Raises:
        InputRefused: `door-unknown`.
    """
    own = doors_for(change.session, host.id)
    if own is not None and not set(doors) <= own:
        raise InputRefused("not one of the host's doors", field="doors", code="door-unknown")


def _doors(change: Change, visit: Visit, details: Details) -> frozenset[str]:
    """Return a visitor's doors, none for all: those named, else the hosts' and where they asked."""
    if details.doors:
        return frozenset(details.doors)
    hosts = [visit.host_id] if visit.host_id else homes_of_unit(change.session, visit.unit)
    asked = frozenset({visit.door_id} if visit.door_id else ())
    found = asked
    for host in hosts:
        own = doors_for(change.session, host)
        if own is None:
            return frozenset()
        found |= own
    if not found and hosts:
        raise InputRefused("the host has no door", field="doors", code="door-unknown")
    return found


def count_visitor(change: Change, visiting: Visiting, visit: Visit) -> None:
    """Count one more visitor of a unit in this month; those to no unit are not counted."""
    if not visit.unit:
        return
    month = f"{datetime.fromtimestamp(now(), visiting.zone):%Y-%m}"
    row = change.session.get(VisitCount, (visit.unit, month), with_for_update=True)
    if row is None:
        change.session.add(VisitCount(unit=visit.unit, month=month, visitors=1))
    else:
        row.visitors += 1
