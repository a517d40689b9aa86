"""Staff accounts: made, given a role, closed, and always one administrator who can sign in.

A removed account keeps its name, so that the logs go on naming whoever did something; nobody signs
in with it, and nobody gets the name again.
"""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused, NotFound, SignInRefused
from community_server.staff.permissions import Role
from community_server.staff.second_factor import drop_second_factor
from community_server.staff.sessions import end_sessions
from community_server.staff.tables import KnownDevice, StaffMember, StaffTicket
from community_server.staff.tickets import find_ticket, issue_ticket

MAX_USERNAME: Final = 64
LINK_LASTS: Final = 3 * 24 * 3600
"""Seconds in which a new member of staff sets the first password."""


@dataclass(frozen=True)
class ShownAccount:
    """One account as an administrator sees it; `link_until` is the end of an open link, or 0."""

    staff: str
    username: str
    role: str
    state: str
    created_at: int
    has_password: bool
    second_factor: bool
    link_until: int


def add_staff(session: Session, username: str, hashed: str, role: Role) -> str:
    """Add an account; an empty hash is a password that is not set yet. Return its id.

    Raises:
        InputRefused: `username-missing`, `username-taken`.
    """
    name = username.strip()
    if not name or len(name) > MAX_USERNAME:
        raise InputRefused("a user name is needed", field="username", code="username-missing")
    # Two names that differ in case alone could not be told apart in the logs.
    taken = {one.casefold() for one in session.scalars(select(StaffMember.username))}
    if name.casefold() in taken:
        raise InputRefused("this user name is taken", field="username", code="username-taken")
    row = StaffMember(id=new_id(), username=name, password_hash=hashed, role=role, created_at=now())
    session.add(row)
    session.flush()
    return row.id


def list_accounts(session: Session) -> list[ShownAccount]:
    """List the accounts that were not removed, by name."""
    links = {
        row.staff_id: row.expires_at
        for row in session.scalars(
            select(StaffTicket).where(
                StaffTicket.purpose == "password", StaffTicket.expires_at > now()
            )
        )
    }
    rows = session.scalars(
        select(StaffMember).where(StaffMember.state != "removed").order_by(StaffMember.username)
    )
    return [
        ShownAccount(
            staff=row.id,
            username=row.username,
            role=row.role,
            state=row.state,
            created_at=row.created_at,
            has_password=bool(row.password_hash),
            second_factor=bool(row.totp_since),
            link_until=links.get(row.id, 0),
        )
        for row in rows
    ]


def usernames(session: Session) -> dict[str, str]:
    """Return the name of every account by its id, of removed ones, too."""
    return dict(session.execute(select(StaffMember.id, StaffMember.username)).all())


def make_account(change: Change, by: str, username: str, role: Role) -> tuple[str, str]:
    """Make an account; return its id and the secret by which its owner sets a password, once.

    Raises:
        InputRefused: `username-missing`, `username-taken`.
    """
    staff = add_staff(change.session, username, "", role)
    audit(change.session, by, "add-staff", staff, role)
    return staff, issue_ticket(change.session, staff, "password", LINK_LASTS)


def renew_link(change: Change, by: str, staff: str) -> str:
    """Make a new link by which an account's owner sets a password; the one before ends.

    The password so far serves until the link is used.

    Raises:
        NotFound: `staff-unknown`.
        Conflict: `staff-disabled`.
    """
    member = living_account(change.session, staff)
    if member.state != "active":
        raise Conflict("this account is closed", code="staff-disabled")
    audit(change.session, by, "staff-link", staff)
    return issue_ticket(change.session, staff, "password", LINK_LASTS)


def set_role(change: Change, by: str, staff: str, role: Role) -> None:
    """Give an account another role; its sessions end.

    Raises:
        NotFound: `staff-unknown`.
        Conflict: `last-administrator`.
    """
    if role is not Role.ADMINISTRATOR:
        _leave_one(change.session, staff)
    member = living_account(change.session, staff)
    if member.role == role:
        return
    member.role = role
    end_sessions(change.session, staff)
    audit(change.session, by, "staff-role", staff, role)


def set_disabled(change: Change, by: str, staff: str, *, disabled: bool) -> None:
    """Close an account for now, or open it again; its sessions end at once.

    Raises:
        NotFound: `staff-unknown`.
        Conflict: `last-administrator`.
    """
    if disabled:
        _leave_one(change.session, staff)
    member = living_account(change.session, staff)
    if disabled:
        _shut(change.session, member, "disabled")
        change.record("account-closed", staff)
    else:
        member.state = "active"
    audit(change.session, by, "disable-staff" if disabled else "enable-staff", staff)


def remove_account(change: Change, by: str, staff: str) -> None:
    """Remove an account for good: nothing is left of it but its name, for the logs.

    Raises:
        NotFound: `staff-unknown`.
        Conflict: `last-administrator`.
    """
    _leave_one(change.session, staff)
    member = living_account(change.session, staff)
    _shut(change.session, member, "removed")
    member.password_hash, member.contact = "", None
    drop_second_factor(change.session, member)
    change.session.execute(delete(KnownDevice).where(KnownDevice.staff_id == staff))
    change.record("account-removed", staff)
    audit(change.session, by, "remove-staff", staff)


def shut_again(change: Change, staff: str, *, removed: bool) -> bool:
    """Close or remove an account that had been so before a backup was put back; say whether it is.

    It stays open where nobody else could sign in as administrator: shutting the estate's own
    people out of a restored server would help nobody.
    """
    member = change.session.get(StaffMember, staff, with_for_update=True)
    if member is None or member.state == "removed" or (member.state != "active" and not removed):
        return True
    try:
        if removed:
            remove_account(change, "", staff)
        else:
            set_disabled(change, "", staff, disabled=True)
    except Conflict:
        audit(change.session, "", "keep-last-administrator", staff)
        return False
    return True


def reset_second_factor(change: Change, by: str, staff: str) -> None:
    """Take an account's second factor away: its owner lost the phone and the recovery codes.

    Raises:
        NotFound: `staff-unknown`.
    """
    member = living_account(change.session, staff)
    drop_second_factor(change.session, member)
    end_sessions(change.session, staff)
    audit(change.session, by, "reset-second-factor", staff)


def set_password(change: Change, staff: str, hashed: str, keep: str) -> None:
    """Replace one's own password; every other session ends."""
    member = living_account(change.session, staff)
    member.password_hash = hashed
    end_sessions(change.session, staff, keep)
    audit(change.session, staff, "change-password", staff)


def use_link(change: Change, secret: str, hashed: str) -> str:
    """Set a password by the link that an administrator made; return whose it is.

    Raises:
        SignInRefused: `link-over`.
    """
    ticket = find_ticket(change.session, secret, "password")
    member = change.session.get(StaffMember, ticket.staff_id) if ticket else None
    if ticket is None or member is None or member.state != "active":
        raise SignInRefused("this link was used or is over", code="link-over")
    member.password_hash = hashed
    change.session.delete(ticket)
    end_sessions(change.session, member.id)
    change.session.execute(delete(KnownDevice).where(KnownDevice.staff_id == member.id))
    audit(change.session, member.id, "set-password", member.id)
    return member.username


def living_account(session: Session, staff: str) -> StaffMember:
    """Return an account that was not removed, locked.

    Raises:
        NotFound: `staff-unknown`.
    """
    member = session.get(StaffMember, staff, with_for_update=True)
    if member is None or member.state == "removed":
        raise NotFound("no such account", code="staff-unknown")
    return member


def _shut(session: Session, member: StaffMember, state: str) -> None:
    member.state = state
    end_sessions(session, member.id)
    session.execute(delete(StaffTicket).where(StaffTicket.staff_id == member.id))


def _leave_one(session: Session, leaving: str) -> None:
    """Refuse to lose the last administrator who has a password.

    All of them are locked, before anybody else, so that two who close each other's take turns.
    """
    able = session.scalars(
        select(StaffMember)
        .where(
            StaffMember.role == Role.ADMINISTRATOR,
            StaffMember.state == "active",
            StaffMember.password_hash != "",
        )
        .order_by(StaffMember.id)
        .with_for_update()
    ).all()
    if [one.id for one in able] == [leaving]:
        raise Conflict("somebody has to be administrator", code="last-administrator")
