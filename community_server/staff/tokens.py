"""Programs' tokens: made by an administrator, shown once, kept as hashes, revoked at once."""

import secrets
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import InputRefused, NotFound, SignInRefused
from community_server.staff.permissions import SCOPES, Permission
from community_server.staff.sessions import NOTED_EVERY, SignedIn, digest
from community_server.staff.tables import ApiToken

PREFIX: Final = "gatehouse_"
"""By which people, and programs that look for lost secrets, know a token when they see one."""
MAX_NAME: Final = 64
LONGEST: Final = 2 * 366 * 24 * 3600
"""Seconds: a token ends, if only so that somebody asks whether it is still needed."""


@dataclass(frozen=True)
class ShownToken:
    """One token as an administrator sees it. `used_at` is exact to five minutes, 0 for never."""

    token: str
    name: str
    scopes: tuple[str, ...]
    made_at: int
    expires_at: int
    used_at: int


def make_token(
    change: Change, by: str, name: str, scopes: Collection[str], expires_at: int
) -> tuple[str, str]:
    """Make a token; return its id and itself, once.

    Raises:
        InputRefused: `name-missing`, `scopes-wrong`, `end-wrong`.
    """
    named = name.strip()
    if not named or len(named) > MAX_NAME:
        raise InputRefused("a token has a name", field="name", code="name-missing")
    if not scopes or not set(scopes) <= set(SCOPES):
        raise InputRefused("a token has scopes", field="scopes", code="scopes-wrong")
    moment = now()
    if not moment < expires_at <= moment + LONGEST:
        raise InputRefused("a token ends within two years", field="expires_at", code="end-wrong")
    token = PREFIX + secrets.token_urlsafe(32)
    row = ApiToken(
        id=new_id(),
        token_hash=digest(token),
        name=named,
        scopes=" ".join(one for one in SCOPES if one in scopes),
        made_at=moment,
        expires_at=expires_at,
    )
    change.session.add(row)
    change.session.flush()
    audit(change.session, by, "make-token", row.id)
    return row.id, token


def list_tokens(session: Session) -> list[ShownToken]:
    """List the tokens that were not revoked, the newest first."""
    rows = session.scalars(
        select(ApiToken).where(ApiToken.revoked_at == 0).order_by(ApiToken.made_at.desc())
    )
    return [
        ShownToken(
            token=row.id,
            name=row.name,
            scopes=tuple(row.scopes.split()),
            made_at=row.made_at,
            expires_at=row.expires_at,
            used_at=row.used_at,
        )
        for row in rows
    ]


def revoke_token(change: Change, by: str, token: str) -> None:
    """Take a token back, at once.

    Raises:
        NotFound: `token-unknown`.
    """
    row = change.session.get(ApiToken, token)
    if row is None or row.revoked_at:
        raise NotFound("no such token", code="token-unknown")
    row.revoked_at = now()
    change.record("token-revoked", token)
    audit(change.session, by, "revoke-token", token)


def find_token(session: Session, given: str) -> tuple[SignedIn, bool]:
    """Return the program that a token stands for, and whether its use is due to be noted.

    Raises:
        SignInRefused: `token-wrong`.
    """
    row = session.scalar(select(ApiToken).where(ApiToken.token_hash == digest(given)))
    if row is None or not _counts(row):
        raise SignInRefused("this token is not known, or is over", code="token-wrong")
    scopes = frozenset(Permission(one) for one in row.scopes.split())
    due = row.used_at + NOTED_EVERY <= now()
    return SignedIn(row.id, row.name, role="", csrf="", scopes=scopes), due


def is_valid(session: Session, token: str) -> bool:
    """Say whether a token, by its id, counts yet."""
    return _counts(session.get_one(ApiToken, token))


def note_token_use(session: Session, token: str) -> None:
    """Note that a token is in use."""
    session.get_one(ApiToken, token).used_at = now()


def _counts(row: ApiToken) -> bool:
    return not row.revoked_at and row.expires_at > now()
