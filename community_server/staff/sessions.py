"""Staying signed in: sessions opened, found, listed and ended."""

import hashlib
import secrets
from dataclasses import dataclass, field
from typing import Final, Self

from sqlalchemy import ColumnElement, delete, or_, select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.errors import NotFound, NotPermitted, SignInRefused
from community_server.staff.permissions import PERMISSIONS, Permission, Role
from community_server.staff.tables import StaffMember, StaffSession

HOUR: Final = 3600
LONGEST: Final = 24 * HOUR
"""A session ends after a day, used or not ..."""
IDLE: Final = 8 * HOUR
"""... and after a shift in which nobody used it."""
NOTED_EVERY: Final = 300
"""Seconds between two notes that a session is in use, so that reading pages writes little."""
PROOF_LASTS: Final = 300
"""Seconds for which a password given, at the sign-in too, shows who sits there."""


@dataclass(frozen=True)
class SignedIn:
    """Whoever is at the desk, or the program whose token came with the request.

    `session` names the session among the account's own, `proven_at` is when they last gave their
    password, `second_factor` whether they have one, `scopes` what a program may do, None for
    people. `restricted` says that the role asks for a second factor which is not there yet.
    """

    staff: str
    username: str
    role: str
    csrf: str = field(repr=False)
    session: str = field(default="", repr=False)
    proven_at: int = 0
    second_factor: bool = False
    restricted: bool = False
    scopes: frozenset[Permission] | None = None

    @property
    def permissions(self) -> frozenset[Permission]:
        """What they may do."""
        if self.scopes is not None:
            return self.scopes
        if self.restricted:
            return frozenset({Permission.OWN_ACCOUNT})
        return PERMISSIONS[Role(self.role)]

    @property
    def proven(self) -> bool:
        """Whether they gave their password a moment ago."""
        return self.proven_at + PROOF_LASTS > now()

    def need(self, permission: Permission) -> Self:
        """Return this, if they may.

        Raises:
            NotPermitted: `not-permitted`, or `second-factor-first`.
        """
        if permission not in self.permissions:
            code = "second-factor-first" if self.restricted else None
            raise NotPermitted(f"this takes the permission {permission}", code=code)
        return self

    def need_proof(self) -> Self:
        """Return this, if they gave their password a moment ago.

        Raises:
            SignInRefused: `proof-needed`.
        """
        if not self.proven:
            raise SignInRefused("show first that it is you", code="proof-needed")
        return self


@dataclass(frozen=True)
class OwnSession:
    """One of an account's sessions, as its owner sees it."""

    session: str = field(repr=False)
    began_at: int
    used_at: int
    address: str
    this: bool


def open_session(
    session: Session, member: StaffMember, address: str, *, restricted: bool
) -> tuple[str, SignedIn]:
    """Open a session for whoever has shown who they are; return its cookie and who it is."""
    token, moment = secrets.token_urlsafe(32), now()
    session.execute(delete(StaffSession).where(_is_over(moment)))
    row = StaffSession(
        token_hash=digest(token),
        staff_id=member.id,
        csrf=secrets.token_urlsafe(24),
        created_at=moment,
        seen_at=moment,
        proven_at=moment,
        address=address[:64],
    )
    session.add(row)
    session.flush()
    return token, _signed_in(member, row, restricted=restricted)


def find_session(
    session: Session, token: str | None, second_factor_roles: frozenset[Role] = frozenset()
) -> tuple[SignedIn, bool]:
    """Return whose session a cookie is, and whether its use is due to be noted.

    Raises:
        SignInRefused: `sign-in-needed`.
    """
    found = _find(session, digest(token)) if token else None
    if found is None:
        raise SignInRefused("please sign in")
    row, member = found
    due = row.seen_at + NOTED_EVERY <= now()
    return _signed_in(member, row, restricted=is_restricted(member, second_factor_roles)), due


def is_open(session: Session, own: str) -> bool:
    """Say whether a session, as `SignedIn` names it, has not ended."""
    return _find(session, bytes.fromhex(own)) is not None


def is_restricted(member: StaffMember, second_factor_roles: frozenset[Role]) -> bool:
    """Say whether an account lacks a second factor that its role asks for."""
    return not member.totp_since and member.role in second_factor_roles


def note_use(session: Session, token: str) -> None:
    """Note that a session is in use."""
    row = session.get(StaffSession, digest(token))
    if row is not None:
        row.seen_at = now()


def note_proof(session: Session, own: str) -> None:
    """Note that whoever has this session gave their password just now."""
    row = session.get(StaffSession, bytes.fromhex(own))
    if row is not None:
        row.proven_at = now()


def sign_out(session: Session, token: str) -> None:
    """End a session."""
    session.execute(delete(StaffSession).where(StaffSession.token_hash == digest(token)))


def list_sessions(session: Session, signed_in: SignedIn) -> list[OwnSession]:
    """List an account's own sessions, the newest first."""
    rows = session.scalars(
        select(StaffSession)
        .where(StaffSession.staff_id == signed_in.staff, ~_is_over(now()))
        .order_by(StaffSession.created_at.desc(), StaffSession.token_hash)
    )
    return [
        OwnSession(
            session=row.token_hash.hex(),
            began_at=row.created_at,
            used_at=row.seen_at,
            address=row.address,
            this=row.token_hash.hex() == signed_in.session,
        )
        for row in rows
    ]


def end_own_session(session: Session, staff: str, own: str) -> None:
    """End one of an account's own sessions.

    Raises:
        NotFound: `session-unknown`.
    """
    try:
        row = session.get(StaffSession, bytes.fromhex(own))
    except ValueError:
        row = None
    if row is None or row.staff_id != staff:
        raise NotFound("no such session", code="session-unknown")
    session.delete(row)


def end_sessions(session: Session, staff: str, but: str = "") -> None:
    """End all sessions of an account, but for one."""
    session.execute(
        delete(StaffSession).where(
            StaffSession.staff_id == staff, StaffSession.token_hash != bytes.fromhex(but)
        )
    )


def check_csrf(signed_in: SignedIn, given: str | None) -> None:
    """Check the token that a write carries beside the cookie.

    Raises:
        SignInRefused: `csrf-wrong`.
    """
    if given is None or not secrets.compare_digest(given.encode(), signed_in.csrf.encode()):
        raise SignInRefused("this page is too old; reload it", code="csrf-wrong")


def digest(token: str) -> bytes:
    """Return what is stored of a secret that only whoever was given it knows."""
    return hashlib.sha256(token.encode()).digest()


def _find(session: Session, token_hash: bytes) -> tuple[StaffSession, StaffMember] | None:
    row = session.get(StaffSession, token_hash)
    moment = now()
    if row is None or row.created_at + LONGEST <= moment or row.seen_at + IDLE <= moment:
        return None
    member = session.get(StaffMember, row.staff_id)
    return (row, member) if member is not None and member.state == "active" else None


def _signed_in(member: StaffMember, row: StaffSession, *, restricted: bool) -> SignedIn:
    return SignedIn(
        staff=member.id,
        username=member.username,
        role=member.role,
        csrf=row.csrf,
        session=row.token_hash.hex(),
        proven_at=row.proven_at,
        second_factor=bool(member.totp_since),
        restricted=restricted,
    )


def _is_over(moment: int) -> ColumnElement[bool]:
    return or_(StaffSession.created_at <= moment - LONGEST, StaffSession.seen_at <= moment - IDLE)
