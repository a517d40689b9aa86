"""Where messages about alarms reach a member of staff: what they said of themselves, sealed."""

from collections.abc import Iterator
from typing import Final

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.errors import InputRefused
from community_server.imports.cells import EMAIL, PHONE
from community_server.staff.accounts import living_account
from community_server.staff.tables import StaffMember
from community_server.vault.safe import SERVER, Safe

MAX_EMAIL: Final = 254
"""Characters (RFC 5321, 4.5.3.1.3)."""
MAX_PHONE: Final = 32


class Contact(msgspec.Struct, frozen=True):
    """A mail address and a phone number; silent when printed. Empty where there is none."""

    email: str = ""
    phone: str = ""

    def __repr__(self) -> str:
        return "Contact(…)"


NOWHERE: Final = Contact()


def set_contact(change: Change, staff: str, contact: Contact) -> None:
    """Keep where messages reach somebody of the staff, in place of what was kept.

    Raises:
        NotFound: `staff-unknown`.
        InputRefused: `email-wrong`, `phone-wrong`.
    """
    email, phone = contact.email.strip(), contact.phone.strip()
    if email and not (len(email) <= MAX_EMAIL and EMAIL.fullmatch(email)):
        raise InputRefused("not a mail address", field="email", code="email-wrong")
    if phone and not (len(phone) <= MAX_PHONE and PHONE.fullmatch(phone)):
        raise InputRefused("not a phone number", field="phone", code="phone-wrong")
    member = living_account(change.session, staff)
    member.contact = None
    if email or phone:
        data = msgspec.json.encode(Contact(email, phone))
        member.contact = change.safe.seal(change.session, SERVER, _place(staff), data)
    change.wipe()
    audit(change.session, staff, "set-contact", staff)


def contact_of(session: Session, safe: Safe, staff: str) -> Contact:
    """Return where messages reach somebody of the staff."""
    member = session.get(StaffMember, staff)
    return _open(session, safe, member) if member is not None else NOWHERE


def reachable(session: Session, safe: Safe, role: str) -> Iterator[tuple[str, Contact]]:
    """Return who of a role can sign in and has said where messages reach them, by id."""
    members = select(StaffMember).where(
        StaffMember.role == role, StaffMember.state == "active", StaffMember.contact.is_not(None)
    )
    for member in session.scalars(members.order_by(StaffMember.id)):
        yield member.id, _open(session, safe, member)


def _open(session: Session, safe: Safe, member: StaffMember) -> Contact:
    if member.contact is None:
        return NOWHERE
    data = safe.open(session, SERVER, _place(member.id), member.contact)
    return msgspec.json.decode(data, type=Contact)


def _place(staff: str) -> str:
    return f"staff-contact/{staff}"
