"""Signing in and staying signed in."""

import hashlib
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final, Self

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from community_server.database import new_id, now
from community_server.errors import InputRefused, NotPermitted, SignInRefused
from community_server.staff.audit import audit
from community_server.staff.backoff import Backoff
from community_server.staff.passwords import hash_password, is_right_password
from community_server.staff.permissions import PERMISSIONS, Permission, Role
from community_server.staff.tables import StaffMember, StaffSession

HOUR: Final = 3600
LONGEST: Final = 24 * HOUR
"""A session ends after a day, used or not ..."""
IDLE: Final = 8 * HOUR
"""... and after a shift in which nobody used it."""
NOTED_EVERY: Final = 300
"""Seconds between two notes that a session is in use, so that reading pages writes little."""
MAX_USERNAME: Final = 64


@dataclass(frozen=True)
class SignedIn:
    """Whoever is at the desk."""

    staff: str
    username: str
    role: str
    csrf: str = field(repr=False)

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do."""
        return PERMISSIONS[Role(self.role)]

    def need(self, permission: Permission) -> Self:
        """Return this, if they may.

        Raises:
            NotPermitted: they may not.
        """
        if permission not in self.permissions:
            raise NotPermitted(f"this takes the permission {permission}")
        return self


def add_staff(session: Session, username: str, password: str, role: Role) -> str:
    """Add an account; return its id.

    Raises:
        InputRefused: `username-missing`, `username-taken`, `password-short`, `password-long`.
    """
    name = username.strip()
    if not name or len(name) > MAX_USERNAME:
        raise InputRefused("a user name is needed", field="username", code="username-missing")
    if session.scalar(select(StaffMember.id).where(StaffMember.username == name)):
        raise InputRefused("this user name is taken", field="username", code="username-taken")
    row = StaffMember(
        id=new_id(),
        username=name,
        password_hash=hash_password(password),
        role=role,
        created_at=now(),
    )
    session.add(row)
    session.flush()
    return row.id


def sign_in(
    session: Session, backoff: Backoff, username: str, password: str, address: str
) -> tuple[str, SignedIn]:
    """Open a session; return the cookie's value and who it is.

    Raises:
        TooManyAttempts: wait first.
        SignInRefused: `password-wrong`, whether or not there is such a name.
    """
    name = username.strip()[:MAX_USERNAME]
    keys = (f"name:{name.casefold()}", f"address:{address}")
    backoff.check(*keys)
    row = session.scalar(select(StaffMember).where(StaffMember.username == name))
    if not is_right_password(row.password_hash if row else None, password) or row is None:
        backoff.fail(*keys)
        raise SignInRefused("name or password is not right", code="password-wrong")
    backoff.succeed(*keys)
    token, csrf, moment = secrets.token_urlsafe(32), secrets.token_urlsafe(24), now()
    session.execute(delete(StaffSession).where(_is_over(moment)))
    session.add(
        StaffSession(
            token_hash=_digest(token),
            staff_id=row.id,
            csrf=csrf,
            created_at=moment,
            seen_at=moment,
        )
    )
    audit(session, row.id, "sign-in")
    return token, SignedIn(row.id, row.username, row.role, csrf)


def prove_again(
    reading: Callable[[], AbstractContextManager[Session]],
    backoff: Backoff,
    signed_in: SignedIn,
    password: str,
    address: str,
) -> None:
    """Make whoever is signed in prove by their password that it is still them.

    Wrong ones count with those of signing in. No transaction is open while the hash is checked.

    Raises:
        TooManyAttempts: wait first.
        InputRefused: `password-not-yours`.
    """
    keys = (f"name:{signed_in.username.casefold()}", f"address:{address}")
    backoff.check(*keys)
    with reading() as session:
        row = session.get(StaffMember, signed_in.staff)
        hashed = row.password_hash if row else None
    if not is_right_password(hashed, password):
        backoff.fail(*keys)
        raise InputRefused("this is not your password", field="password", code="password-not-yours")
    backoff.succeed(*keys)


def find_session(session: Session, token: str | None) -> tuple[SignedIn, bool]:
    """Return whose session a cookie is, and whether its use is due to be noted.

    Raises:
        SignInRefused: `sign-in-needed`.
    """
    row = session.get(StaffSession, _digest(token)) if token else None
    moment = now()
    if row is None or row.created_at + LONGEST <= moment or row.seen_at + IDLE <= moment:
        raise SignInRefused("please sign in")
    member = session.get(StaffMember, row.staff_id)
    if member is None:
        raise SignInRefused("please sign in")
    due = row.seen_at + NOTED_EVERY <= moment
    return SignedIn(member.id, member.username, member.role, row.csrf), due


def note_use(session: Session, token: str) -> None:
    """Note that a session is in use."""
    row = session.get(StaffSession, _digest(token))
    if row is not None:
        row.seen_at = now()


def sign_out(session: Session, token: str) -> None:
    """End a session."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == _digest(token)))


def check_csrf(signed_in: SignedIn, given: str | None) -> None:
    """Check the token that a write carries beside the cookie.

    Raises:
        SignInRefused: `csrf-wrong`.
    """
    if given is None or not secrets.compare_digest(given.encode(), signed_in.csrf.encode()):
        raise SignInRefused("this page is too old; reload it", code="csrf-wrong")


def _is_over(moment: int) -> ColumnElement[bool]:
    return or_(StaffSession.created_at <= moment - LONGEST, StaffSession.seen_at <= moment - IDLE)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
