"""Signing in: a password, then a code where the account has a second factor.

Hashes are checked while no transaction is open. Failures slow down the name and the address that
they come from; a browser in which the same person signed in before is counted by itself, so that a
stranger who guesses elsewhere does not keep them out.
"""

import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Changer
from community_server.database import now
from community_server.errors import InputRefused, SignInRefused
from community_server.staff.accounts import MAX_USERNAME
from community_server.staff.backoff import Backoff
from community_server.staff.passwords import is_right_password
from community_server.staff.permissions import Role
from community_server.staff.second_factor import take_code
from community_server.staff.sessions import SignedIn, digest, is_restricted, open_session
from community_server.staff.tables import KnownDevice, StaffMember
from community_server.staff.tickets import find_ticket, issue_ticket

CODE_WAITS: Final = 300
"""Seconds in which the code has to follow the password."""
DEVICE_LASTS: Final = 180 * 24 * 3600
"""Seconds after which a browser that nobody signed in with is forgotten."""


@dataclass(frozen=True)
class Caller:
    """Where a request comes from: its address, and the cookie of a browser known here, or empty."""

    address: str
    device: str = field(default="", repr=False)


@dataclass(frozen=True)
class Opened:
    """A session just opened: its cookie, the browser's, and whose it is."""

    token: str = field(repr=False)
    device: str = field(repr=False)
    signed_in: SignedIn


@dataclass(frozen=True)
class CodeWanted:
    """The password was right, and the code of the second factor is still to come."""

    ticket: str = field(repr=False)


@dataclass(frozen=True)
class Entrance:
    """Where staff sign in.

    `second_factor_roles` are those whose accounts may do nothing before they have one.
    """

    reading: Callable[[], AbstractContextManager[Session]]
    changer: Changer
    backoff: Backoff
    second_factor_roles: frozenset[Role]

    def take_password(self, username: str, password: str, caller: Caller) -> Opened | CodeWanted:
        """Check a name and a password, and open a session unless a code is wanted first.

        Raises:
            TooManyAttempts: wait first.
            SignInRefused: `password-wrong`, whether or not there is such an account.
        """
        name = username.strip()[:MAX_USERNAME]
        with self.reading() as session:
            member = session.scalar(
                select(StaffMember).where(
                    StaffMember.username == name, StaffMember.state == "active"
                )
            )
            keys = _keys(session, name, member, caller)
        self.backoff.check(*keys)
        if not is_right_password(member.password_hash if member else None, password) or not member:
            self.backoff.fail(*keys)
            raise SignInRefused("name or password is not right", code="password-wrong")
        if member.totp_since:
            with self.changer.change() as change:
                return CodeWanted(issue_ticket(change.session, member.id, "code", CODE_WAITS))
        self.backoff.succeed(*keys)
        with self.changer.change() as change:
            return self._open(change.session, member.id, caller)

    def take_code(self, ticket: str, code: str, caller: Caller) -> Opened:
        """Check the code that follows a password, and open a session.

        Raises:
            TooManyAttempts: wait first.
            SignInRefused: `sign-in-over`: begin again with the password.
            InputRefused: `code-wrong`.
        """
        with self.reading() as session:
            row = find_ticket(session, ticket, "code")
            member = session.get(StaffMember, row.staff_id) if row else None
            if member is None:
                raise SignInRefused("begin again with the password", code="sign-in-over")
            keys = _keys(session, member.username, member, caller)
        self.backoff.check(*keys)
        try:
            with self.changer.change() as change:
                found = change.session.get(StaffMember, member.id, with_for_update=True)
                row = find_ticket(change.session, ticket, "code")
                if row is None or found is None:
                    raise SignInRefused("begin again with the password", code="sign-in-over")
                take_code(change.session, change.safe, found, code)
                change.session.delete(row)
                opened = self._open(change.session, found.id, caller)
        except InputRefused:
            self.backoff.fail(*keys)
            raise
        self.backoff.succeed(*keys)
        return opened

    def _open(self, session: Session, staff: str, caller: Caller) -> Opened:
        member = session.get(StaffMember, staff)
        if member is None or member.state != "active":
            raise SignInRefused("name or password is not right", code="password-wrong")
        restricted = is_restricted(member, self.second_factor_roles)
        token, signed_in = open_session(session, member, caller.address, restricted=restricted)
        device = _know_device(session, member.id, caller.device)
        audit(session, member.id, "sign-in")
        return Opened(token, device, signed_in)


def _keys(
    session: Session, name: str, member: StaffMember | None, caller: Caller
) -> tuple[str, ...]:
    """Return what failures are counted by."""
    if member is not None and caller.device:
        device = session.get(KnownDevice, (digest(caller.device), member.id))
        if device is not None:
            return (f"device:{device.token_hash.hex()}:{member.id}",)
    return f"name:{name.casefold()}", f"address:{caller.address}"


def _know_device(session: Session, staff: str, device: str) -> str:
    """Note the browser that somebody signed in with; return its cookie, a new one if need be."""
    moment, device = now(), device or secrets.token_urlsafe(32)
    session.execute(delete(KnownDevice).where(KnownDevice.seen_at <= moment - DEVICE_LASTS))
    row = session.get(KnownDevice, (digest(device), staff))
    if row is None:
        row = KnownDevice(token_hash=digest(device), staff_id=staff)
        session.add(row)
    row.seen_at = moment
    session.flush()
    return device
