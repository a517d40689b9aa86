"""Giving and taking back passes: each function works inside a `Change`."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Final, cast

from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.access.groups import load_groups
from community_server.access.membership import groups_of
from community_server.change import Change
from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import Conflict, InputRefused
from community_server.keys.certified import pass_signer
from community_server.keys.root import root_key
from community_server.passes.queries import count_alone, pass_of
from community_server.passes.tables import Pass
from community_server.people.queries import doors_of, get_person
from community_server.people.tables import Person
from tier_link.certificates import root_fingerprint, root_public_bytes
from tier_link.estate_messages import MOST_REVOKED
from tier_link.ledger import pass_subject
from tier_link.passes import (
    ID_SIZE,
    LONGEST_ALONE_S,
    LONGEST_S,
    MOST_DOORS,
    Category,
    PassClaim,
    build_pass,
    door_tag,
    pass_fragment,
    pass_text,
    phone_public,
    phone_secret,
)

USUAL_S: Final = 24 * 3600
"""How long a pass holds for somebody whose stay has no end."""
_MINUTE: Final = 60


@dataclass(frozen=True)
class GivenPass:
    """A pass just made, in the only answer that ever holds it.

    Attributes:
        pass_id: 16 hex characters.
        begins, ends: Unix seconds; `ends` 0 for a changing pass.
        uses: How often it opens each of its doors; 0 is any number.
        text: What the QR code of a fixed pass says; empty for a changing one.
        fragment: Behind `#` in the link that shows it on a phone.
    """

    pass_id: str
    begins: int
    ends: int
    uses: int
    text: str = field(repr=False)
    fragment: str = field(repr=False)


def give_pass(
    change: Change, person: str, *, valid_until: int = 0, uses: int = 0, doors: Collection[str] = ()
) -> GivenPass:
    """Give somebody a pass in place of any earlier one.

    A resident's is shown by a phone and changes every 30 seconds; for everybody else it is fixed,
    from now, or when their stay begins, until it ends, for 90 days at most.

    Args:
        change: The change under way.
        person: Whose it is.
        valid_until: Unix seconds at which it ends earlier; 0 leaves it at the stay's end.
        uses: How often it opens each of its doors; 0 is any number.
        doors: The doors it is for, among the person's; none means all of them.

    Raises:
        NotFound: `person-unknown`.
        Conflict: `time-over`, or `pass-too-early`, more than 90 days before the stay begins.
        InputRefused: `door-unknown`, a door that is not one of the person's.
    """
    session, moment = change.session, now()
    row = get_person(session, person, lock=True)
    if row.valid_until and row.valid_until <= moment:
        raise Conflict("the agreed time is over", code="time-over")
    take_pass_back(change, person)
    fingerprint = root_fingerprint(root_public_bytes(root_key(session, change.safe)))
    pass_id = secrets.token_hex(ID_SIZE)
    if row.category == "resident":
        given = _changing(session, row, pass_id, fingerprint, moment)
    else:
        given = _fixed(change, row, pass_id, fingerprint, valid_until, uses, doors)
    row.state = "active"
    session.flush()
    change.touch(person)
    return given


def take_pass_back(change: Change, person: str) -> bool:
    """Take somebody's pass back, if there is one; say whether there was."""
    held = pass_of(change.session, person)
    if held is None:
        return False
    held.revoked_at = now()
    change.record("pass-revoked", pass_subject(held.id))
    change.session.flush()
    change.touch(person)
    if held.ends == 0 or held.ends > held.revoked_at:
        change.reconfigure()
    return True


def shorten_pass(change: Change, person: str, valid_until: int) -> None:
    """Take back a pass that would outlast somebody's new end (Unix seconds; 0 is open).

    Their roster row holds it only until then; a pass that holds alone would go on without it.
    """
    held = pass_of(change.session, person)
    if held is not None and valid_until and held.ends > valid_until:
        take_pass_back(change, person)


def _changing(
    session: Session, row: Person, pass_id: str, fingerprint: bytes, moment: int
) -> GivenPass:
    private = ec.generate_private_key(ec.SECP256R1())
    session.add(Pass(id=pass_id, person_id=row.id, begins=moment, phone_key=phone_public(private)))
    fragment = pass_fragment(phone_secret(private, fingerprint, pass_id))
    return GivenPass(pass_id, moment, 0, 0, "", fragment)


def _fixed(
    change: Change,
    row: Person,
    pass_id: str,
    fingerprint: bytes,
    valid_until: int,
    uses: int,
    doors: Collection[str],
) -> GivenPass:
    session, moment = change.session, now()
    allowed, bound = _reach(session, row.id)
    named = _chosen(session, allowed, doors)
    begins = max(moment, row.valid_from)
    if begins > moment + LONGEST_S:
        raise Conflict("nearer the time", code="pass-too-early")
    ends = row.valid_until or begins + USUAL_S
    ends = min(ends, begins + LONGEST_S, valid_until or ends)
    ends -= (ends - begins) % _MINUTE
    if ends <= begins:
        raise Conflict("the agreed time is over", code="time-over")
    # Where a claim cannot name all its doors, their rosters are what bounds it.
    tags = tuple(sorted(door_tag(one) for one in named)) if len(named) <= MOST_DOORS else ()
    alone = (
        not bound
        and ends - begins <= LONGEST_ALONE_S
        and len(named) <= MOST_DOORS
        and count_alone(session, moment) < MOST_REVOKED
    )
    signer = pass_signer(session, change.safe)
    category = cast("Category", row.category)
    claim = PassClaim(pass_id, category, begins, ends, uses, tags, alone=alone)
    data = build_pass(signer.private, signer.key, fingerprint, claim)
    session.add(
        Pass(id=pass_id, person_id=row.id, begins=begins, ends=ends, uses=uses, alone=alone)
    )
    return GivenPass(pass_id, begins, ends, uses, pass_text(data), pass_fragment(data))


def _reach(session: Session, person: str) -> tuple[frozenset[str], bool]:
    """Return somebody's doors, none for all, and whether only the roster knows their hours."""
    own, groups = doors_of(session, person), load_groups(session)
    effective = groups.effective(groups_of(session, person), own)
    if own or groups.unlimited(effective):
        return own, False
    return groups.doors_of(effective) or frozenset(), True


def _chosen(session: Session, allowed: frozenset[str], doors: Collection[str]) -> frozenset[str]:
    """Return the doors that a pass names; none for all of the estate's."""
    known = set(session.scalars(select(Door.id).where(Door.id.in_(doors)))) if doors else set()
    if known != set(doors) or (allowed and not known <= allowed):
        raise InputRefused("not one of this person's doors", field="doors", code="door-unknown")
    return frozenset(known) or allowed
