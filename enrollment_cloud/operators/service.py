"""What operators do to communities: register, pair, revoke; each act is noted with who did it."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment_cloud.communities.service import (
    create_community,
    find_community,
    revoke_community,
)
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.operators.accounts import SignedIn
from enrollment_cloud.operators.overview import owns
from enrollment_cloud.operators.tables import GroupCommunity, Operator, OperatorAct
from tier_kit.forms.errors import Malformed, NotFound
from tier_link.store import PairingCodes
from tier_link.store.codes import IssuedCode


def register(session: Session, who: SignedIn, name: str, now: int) -> Community:
    """Register a community for the operator's group, or for the provider itself.

    Raises:
        Malformed: an empty or endless name (`request-malformed`).
    """
    community = create_community(session, name, now)
    session.flush()
    give_to_group(session, community.id, who.group)
    _note(session, who, community.id, "registered", now)
    return community


def give_to_group(session: Session, community: str, group: str | None) -> None:
    """Make a new community a group's; without a group it stays the provider's own."""
    if group is not None:
        session.add(GroupCommunity(community_id=community, group_id=group))
        session.flush()


def make_code(
    session: Session, codes: PairingCodes, who: SignedIn, community: str, now: int
) -> tuple[Community, IssuedCode]:
    """Make a pairing code for a community's server.

    Raises:
        NotFound: it is not theirs, or revoked (`community-unknown`).
    """
    row = _theirs(session, who, community)
    _note(session, who, community, "code-made", now)
    return row, codes.issue(session, role="server", subject=community)


def revoke(session: Session, who: SignedIn, community: str, typed: str, now: int) -> None:
    """Close a community's link and pages for good; `typed` is its id once more.

    Raises:
        NotFound: it is not theirs, or revoked already (`community-unknown`).
        Malformed: something else was typed (`confirmation-wrong`).
    """
    _theirs(session, who, community)
    if typed.strip() != community:
        raise Malformed("confirmation-wrong")
    revoke_community(session, community, now)
    _note(session, who, community, "revoked", now)


def acts_on(session: Session, community: str) -> list[tuple[int, str, str]]:
    """Return when, who by name, and what was done to a community, in that order."""
    rows = session.execute(
        select(OperatorAct.at, Operator.name, OperatorAct.act)
        .join(Operator, Operator.id == OperatorAct.operator_id)
        .where(OperatorAct.community_id == community)
        .order_by(OperatorAct.id)
    )
    return [(at, name, act) for at, name, act in rows]


def _theirs(session: Session, who: SignedIn, community: str) -> Community:
    if not owns(session, who.group, community):
        raise NotFound("community-unknown")
    return find_community(session, community)


def _note(session: Session, who: SignedIn, community: str, act: str, now: int) -> None:
    session.add(OperatorAct(at=now, operator_id=who.operator, community_id=community, act=act))
