"""One's own account, for programs: password, second factor, sessions."""

from dataclasses import asdict, dataclass, field
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from community_server.audit.log import audit
from community_server.desk import EstateDep, address_of, check_origin, reader, writer
from community_server.errors import SignInRefused
from community_server.estate import Estate
from community_server.setup.community import get_community
from community_server.staff.accounts import living_account, set_password, use_link
from community_server.staff.contact import (
    MAX_EMAIL,
    MAX_PHONE,
    Contact,
    contact_of,
    set_contact,
)
from community_server.staff.passwords import hash_password
from community_server.staff.permissions import Permission
from community_server.staff.routes import Code, Password
from community_server.staff.second_factor import (
    address_of_secret,
    begin_second_factor,
    confirm_second_factor,
    drop_second_factor,
    written_secret,
)
from community_server.staff.sessions import (
    OwnSession,
    SignedIn,
    end_own_session,
    end_sessions,
    list_sessions,
)

router = APIRouter(prefix="/api/v1", tags=["account"])

Reader = Annotated[SignedIn, reader(Permission.OWN_ACCOUNT)]
Writer = Annotated[SignedIn, writer(Permission.OWN_ACCOUNT)]
ProvenWriter = Annotated[SignedIn, writer(Permission.OWN_ACCOUNT, proven=True)]


class OwnAccount(BaseModel):
    """Whoever is signed in. `restricted`: the role asks for a second factor, and none is there."""

    username: str
    role: str
    permissions: list[Permission]
    second_factor: bool
    restricted: bool


class OwnContact(BaseModel):
    """Where messages about alarms reach oneself; empty for nowhere."""

    email: Annotated[str, Field(max_length=MAX_EMAIL)] = Field(default="", repr=False)
    phone: Annotated[str, Field(max_length=MAX_PHONE)] = Field(default="", repr=False)


class NewPassword(BaseModel):
    """The password to be."""

    new_password: Password


class LinkUsed(BaseModel):
    """What a link to a first password carries, and that password."""

    secret: Annotated[str, Field(max_length=100, repr=False)]
    new_password: Password


class CodeGiven(BaseModel):
    """A code of the app."""

    code: Code


class SecretDrawn(BaseModel):
    """A second factor's secret, shown this once: as text, and as an app reads it from a QR code."""

    secret: str = Field(repr=False)
    address: str = Field(repr=False)


class RecoveryCodes(BaseModel):
    """Codes in place of the app's, each once; shown this once."""

    codes: list[str] = Field(repr=False)


@dataclass(frozen=True)
class ShownSecret:
    """A second factor's secret as it is typed, and as an app reads it."""

    secret: str = field(repr=False)
    address: str = field(repr=False)


@router.get("/account")
def show_account(staff: Reader) -> OwnAccount:
    """Say who is signed in and what they may do."""
    return OwnAccount(
        username=staff.username,
        role=staff.role,
        permissions=sorted(staff.permissions),
        second_factor=staff.second_factor,
        restricted=staff.restricted,
    )


@router.get("/account/contact")
def show_contact(estate: EstateDep, staff: Reader) -> OwnContact:
    """Say where messages about alarms reach oneself."""
    kept = own_contact(estate, staff)
    return OwnContact(email=kept.email, phone=kept.phone)


@router.put("/account/contact", status_code=204)
def change_contact(body: OwnContact, estate: EstateDep, staff: Writer) -> None:
    """Set where messages about alarms reach oneself."""
    keep_contact(estate, staff, Contact(body.email, body.phone))


@router.post("/account/password", status_code=204)
def change_password(body: NewPassword, estate: EstateDep, staff: ProvenWriter) -> None:
    """Change one's own password; other sessions end."""
    replace_password(estate, staff, body.new_password)


@router.post("/account/second-factor", status_code=201)
def draw_secret(estate: EstateDep, staff: ProvenWriter) -> SecretDrawn:
    """Draw a secret for an authenticator app; it is in force once a code has come back."""
    drawn = begin(estate, staff)
    return SecretDrawn(secret=drawn.secret, address=drawn.address)


@router.post("/account/second-factor/confirm", status_code=201)
def confirm_secret(body: CodeGiven, estate: EstateDep, staff: Writer) -> RecoveryCodes:
    """Put the second factor in force; other sessions end."""
    return RecoveryCodes(codes=put_in_force(estate, staff, body.code))


@router.delete("/account/second-factor", status_code=204)
def delete_second_factor(estate: EstateDep, staff: ProvenWriter) -> None:
    """Do without the second factor from now on."""
    do_without(estate, staff)


@router.get("/account/sessions")
def show_sessions(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List one's own sessions, the newest first."""
    return [asdict(one) for one in sessions_of(estate, staff)]


@router.delete("/account/sessions/{session}", status_code=204)
def delete_session(session: str, estate: EstateDep, staff: Writer) -> None:
    """End one of one's own sessions."""
    end_one(estate, staff, session)


@router.post("/account/link", status_code=204)
def set_first_password(body: LinkUsed, request: Request, estate: EstateDep) -> None:
    """Set a password by the link that an administrator handed over."""
    check_origin(request)
    follow_link(estate, body.secret, body.new_password, address_of(request))


def own_contact(estate: Estate, staff: SignedIn) -> Contact:
    """Return where messages reach whoever is signed in."""
    with estate.reading() as session:
        return contact_of(session, estate.safe, staff.staff)


def keep_contact(estate: Estate, staff: SignedIn, contact: Contact) -> None:
    """Keep it; refuses what `set_contact` refuses."""
    with estate.changer.change() as change:
        set_contact(change, staff.staff, contact)


def replace_password(estate: Estate, staff: SignedIn, password: str) -> None:
    """Change one's own password.

    Raises:
        InputRefused: `password-short`, `password-long`.
    """
    hashed = hash_password(password)
    with estate.changer.change() as change:
        set_password(change, staff.staff, hashed, staff.session)


def begin(estate: Estate, staff: SignedIn) -> ShownSecret:
    """Draw a secret, and return how it is shown; refuses what `begin_second_factor` refuses."""
    with estate.changer.change() as change:
        secret = begin_second_factor(change, staff.staff)
        name = get_community(change.session).name
    return ShownSecret(written_secret(secret), address_of_secret(secret, staff.username, name))


def put_in_force(estate: Estate, staff: SignedIn, code: str) -> list[str]:
    """Put a second factor in force, note it, and end the sessions that were opened without it."""
    with estate.changer.change() as change:
        codes = confirm_second_factor(change, staff.staff, code)
        end_sessions(change.session, staff.staff, staff.session)
        audit(change.session, staff.staff, "second-factor", staff.staff)
    return codes


def do_without(estate: Estate, staff: SignedIn) -> None:
    """Take one's own second factor away, and note it."""
    with estate.changer.change() as change:
        drop_second_factor(change.session, living_account(change.session, staff.staff))
        audit(change.session, staff.staff, "no-second-factor", staff.staff)


def sessions_of(estate: Estate, staff: SignedIn) -> list[OwnSession]:
    """List somebody's own sessions."""
    with estate.reading() as session:
        return list_sessions(session, staff)


def end_one(estate: Estate, staff: SignedIn, own: str) -> None:
    """End one of somebody's own sessions; refuses what `end_own_session` refuses."""
    with estate.changer.change() as change:
        end_own_session(change.session, staff.staff, own)


def follow_link(estate: Estate, secret: str, password: str, address: str) -> None:
    """Set a password by a link, as slow to guess as a password.

    Raises:
        TooManyAttempts: wait first.
        SignInRefused: `link-over`.
        InputRefused: `password-short`, `password-long`.
    """
    key = f"link:{address}"
    estate.backoff.check(key)
    hashed = hash_password(password)
    try:
        with estate.changer.change() as change:
            use_link(change, secret, hashed)
    except SignInRefused:
        estate.backoff.fail(key)
        raise
