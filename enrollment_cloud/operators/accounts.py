"""Property groups, operators' keys, and staying signed in."""

import base64
import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from enrollment_cloud.communities.service import new_community_id
from enrollment_cloud.communities.tables import MAX_NAME
from enrollment_cloud.operators.tables import Operator, OperatorSession, PropertyGroup
from tier_kit.forms.errors import Malformed, NotFound

SESSION_SECONDS: Final = 12 * 3600
"""A working day; then the key is asked for again."""
_KEY_BYTES: Final = 20
"""160 bits: nobody guesses one, so a plain hash guards it."""
_GROUP: Final = 4


@dataclass(frozen=True)
class SignedIn:
    """Whoever sits there. `csrf` is what forms of this session carry."""

    operator: str
    name: str
    group: str | None
    csrf: str = field(repr=False)


@dataclass(frozen=True)
class IssuedKey:
    """A new operator and the key, which is shown once."""

    operator: str
    key: str = field(repr=False)


def add_group(session: Session, name: str, now: int) -> PropertyGroup:
    """Register a property group.

    Raises:
        Malformed: an empty or endless name (`request-malformed`).
    """
    group = PropertyGroup(id=new_community_id(_named(name)), name=_named(name), created_at=now)
    session.add(group)
    session.flush()
    return group


def find_group(session: Session, group: str) -> PropertyGroup:
    """Return a group.

    Raises:
        NotFound: there is none of this id (`page-unknown`).
    """
    row = session.get(PropertyGroup, group)
    if row is None:
        raise NotFound("page-unknown")
    return row


def add_operator(session: Session, name: str, group: str | None, now: int) -> IssuedKey:
    """Make an account for a group's staff, or without a group for the provider's.

    Raises:
        Malformed: an empty or endless name (`request-malformed`).
        NotFound: no such group.
    """
    if group is not None:
        find_group(session, group)
    text = base64.b32encode(secrets.token_bytes(_KEY_BYTES)).decode()
    key = "-".join(text[start : start + _GROUP] for start in range(0, len(text), _GROUP))
    row = Operator(
        id=secrets.token_hex(8),
        name=_named(name),
        group_id=group,
        key_hash=_hash_of_key(key),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return IssuedKey(row.id, key)


def revoke_operator(session: Session, operator: str, now: int) -> None:
    """End an account and its sessions.

    Raises:
        NotFound: there is none of this id, or it is over already (`page-unknown`).
    """
    row = session.get(Operator, operator)
    if row is None or row.revoked_at is not None:
        raise NotFound("page-unknown")
    row.revoked_at = now
    session.execute(delete(OperatorSession).where(OperatorSession.operator_id == operator))


def sign_in(session: Session, key: str, now: int) -> str | None:
    """Return a new session's token, or None for a key that opens nothing."""
    row = session.scalar(
        select(Operator).where(
            Operator.key_hash == _hash_of_key(key), Operator.revoked_at.is_(None)
        )
    )
    if row is None:
        return None
    session.execute(delete(OperatorSession).where(OperatorSession.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(
        OperatorSession(
            token_hash=_hash(token), operator_id=row.id, expires_at=now + SESSION_SECONDS
        )
    )
    return token


def find_session(session: Session, token: str, now: int) -> SignedIn | None:
    """Return who is signed in by this token, or None."""
    row = session.execute(
        select(Operator.id, Operator.name, Operator.group_id)
        .join(OperatorSession, OperatorSession.operator_id == Operator.id)
        .where(
            OperatorSession.token_hash == _hash(token),
            OperatorSession.expires_at > now,
            Operator.revoked_at.is_(None),
        )
    ).one_or_none()
    return (
        None
        if row is None
        else SignedIn(row.id, row.name, row.group_id, _hash(f"csrf {token}").hex())
    )


def sign_out(session: Session, token: str) -> None:
    """End one session."""
    session.execute(delete(OperatorSession).where(OperatorSession.token_hash == _hash(token)))


def _named(name: str) -> str:
    name = name.strip()
    if not 1 <= len(name) <= MAX_NAME:
        raise Malformed("request-malformed")
    return name


def _hash_of_key(key: str) -> bytes:
    return _hash("".join(key.upper().replace("-", "").split()))


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode()).digest()
