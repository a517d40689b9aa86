"""Registering communities, and the keys of both ends of a link."""

import re
import secrets
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from enrollment_cloud.communities.tables import MAX_NAME, CloudIdentity, Community
from tier_kit.forms.errors import Malformed, NotFound

CLOUD_NODE: Final = "cloud"
"""The cloud's name towards its communities."""

_SLUG_LENGTH: Final = 40
_NAMELESS: Final = "community"
"""Slug of a name that has no Latin letters; the hex digits tell such communities apart."""


def create_community(session: Session, name: str, now: int) -> Community:
    """Register a community that may then pair.

    Args:
        session: the caller's transaction.
        name: as people write it, 1 to 100 characters.
        now: Unix seconds.

    Raises:
        Malformed: an empty or endless name (`request-malformed`).
    """
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise Malformed("request-malformed")
    while session.get(Community, identifier := new_community_id(name)) is not None:
        continue
    community = Community(id=identifier, name=name, created_at=now)
    session.add(community)
    return community


def new_community_id(name: str) -> str:
    """Return an id for a community of this name: `sunny-court-4f2a`."""
    slug = re.sub(r"[^a-z0-9]+", "-", name.lower())[:_SLUG_LENGTH].strip("-")
    return f"{slug or _NAMELESS}-{secrets.token_hex(2)}"


def find_community(session: Session, community: str) -> Community:
    """Return a community that is not revoked.

    Raises:
        NotFound: `community-unknown`.
    """
    row = session.get(Community, community)
    if row is None or row.revoked_at is not None:
        raise NotFound("community-unknown")
    return row


def pair_community(session: Session, community: str, link_key: bytes, now: int) -> None:
    """Keep the link key (Ed25519, 32 bytes raw) that a community's server has proven.

    Raises:
        NotFound: it was revoked meanwhile (`community-unknown`).
    """
    row = find_community(session, community)
    row.link_key = link_key
    row.paired_at = now


def revoke_community(session: Session, community: str, now: int) -> None:
    """End a community here: its link is closed and its pages are gone.

    Raises:
        NotFound: `community-unknown`.
    """
    find_community(session, community).revoked_at = now


def find_link_key(session: Session, community: str) -> Ed25519PublicKey | None:
    """Return the key that a community's server proves, or None if it may not link."""
    key = session.scalar(
        select(Community.link_key).where(Community.id == community, Community.revoked_at.is_(None))
    )
    return None if key is None else Ed25519PublicKey.from_public_bytes(key)


def cloud_key(session: Session) -> Ed25519PrivateKey:
    """Return the cloud's own link key; the first process to ask makes it."""
    row = session.get(CloudIdentity, 1, with_for_update=True)
    if row is None:
        row = CloudIdentity(id=1, private_key=Ed25519PrivateKey.generate().private_bytes_raw())
        session.add(row)
    return Ed25519PrivateKey.from_private_bytes(row.private_key)
