"""The second factor: codes of an authenticator app (TOTP, RFC 6238), each of which counts once.

Apps know SHA-1, six digits and thirty seconds, whatever else the RFC allows. A clock may be a step
off. Recovery codes of 80 bits stand in when the phone is gone.
"""

import base64
import secrets
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import delete
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import Sealed, now
from community_server.errors import Conflict, InputRefused
from community_server.staff.sessions import digest
from community_server.staff.tables import RecoveryCode, StaffMember
from community_server.vault.safe import SERVER, Safe
from tier_link.pairing import new_code

DIGITS: Final = 6
STEP_S: Final = 30
DRIFT: Final = 1
"""Steps that a phone's clock may be off, either way."""
SECRET_BYTES: Final = 20
"""As long as the hash, as RFC 4226 asks (4, R6)."""
RECOVERY_CODES: Final = 8
_READ: Final = str.maketrans("OIL", "011", "-")
"""What people read into 0 and 1; the hyphens are for their eyes."""


def begin_second_factor(change: Change, staff: str) -> bytes:
    """Draw a secret for an account, in force once a code of it has come back; return it.

    Raises:
        Conflict: `second-factor-there`.
    """
    member = change.session.get_one(StaffMember, staff, with_for_update=True)
    if member.totp_since:
        raise Conflict("there is a second factor already", code="second-factor-there")
    secret = secrets.token_bytes(SECRET_BYTES)
    member.totp = change.safe.seal(change.session, SERVER, _context(staff), secret)
    return secret


def confirm_second_factor(change: Change, staff: str, code: str) -> list[str]:
    """Put a secret in force that the app has taken over; return the recovery codes, once.

    Raises:
        Conflict: `second-factor-there`, `second-factor-not-begun`.
        InputRefused: `code-wrong`.
    """
    member = change.session.get_one(StaffMember, staff, with_for_update=True)
    if member.totp_since:
        raise Conflict("there is a second factor already", code="second-factor-there")
    if member.totp is None:
        raise Conflict("begin with a new secret", code="second-factor-not-begun")
    take_code(change.session, change.safe, member, code)
    member.totp_since = now()
    codes = [new_code() for _ in range(RECOVERY_CODES)]
    change.session.add_all(
        RecoveryCode(code_hash=_hash_recovery(one), staff_id=staff) for one in codes
    )
    return codes


def drop_second_factor(session: Session, member: StaffMember) -> None:
    """Take an account's second factor and recovery codes away."""
    member.totp, member.totp_since, member.totp_step = None, 0, 0
    session.execute(delete(RecoveryCode).where(RecoveryCode.staff_id == member.id))


def take_code(session: Session, safe: Safe, member: StaffMember, code: str) -> None:
    """Take a code of the app or a recovery code; neither counts a second time.

    Raises:
        InputRefused: `code-wrong`.
    """
    typed = "".join(code.split())
    if len(typed) == DIGITS and typed.isascii() and typed.isdigit():
        step = _fitting_step(session, safe, member, typed)
        if step is not None:
            member.totp_step = step
            return
    elif member.totp_since:
        recovery = session.get(RecoveryCode, _hash_recovery(typed))
        if recovery is not None and recovery.staff_id == member.id:
            session.delete(recovery)
            return
    raise InputRefused("this code does not fit", field="own_code", code="code-wrong")


def address_of_secret(secret: bytes, username: str, estate: str) -> str:
    """Return the `otpauth:` address that an app reads from a QR code."""
    return _totp(secret).get_provisioning_uri(username, f"Gatehouse {estate}")


def written_secret(secret: bytes) -> str:
    """Return a secret as it is typed into an app, in groups of four."""
    text = base64.b32encode(secret).decode()
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _fitting_step(session: Session, safe: Safe, member: StaffMember, typed: str) -> int | None:
    if member.totp is None:
        return None
    secret = safe.open(session, SERVER, _context(member.id), Sealed(member.totp))
    totp, present = _totp(secret), now() // STEP_S
    steps = range(max(present - DRIFT, member.totp_step + 1), present + DRIFT + 1)
    return next(
        (
            step
            for step in steps
            if secrets.compare_digest(totp.generate(step * STEP_S), typed.encode())
        ),
        None,
    )


def _hash_recovery(code: str) -> bytes:
    return digest(code.upper().translate(_READ))


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), STEP_S)  # noqa: S303 -- HMAC, as RFC 6238 and the apps have it


def _context(staff: str) -> str:
    return f"totp/{staff}"
