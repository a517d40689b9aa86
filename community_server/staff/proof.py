"""Showing once more who sits at the desk, before what is dangerous."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TypeAlias

from sqlalchemy.orm import Session

from community_server.change import Changer
from community_server.errors import InputRefused
from community_server.staff.backoff import Backoff
from community_server.staff.passwords import is_right_password
from community_server.staff.second_factor import take_code
from community_server.staff.sessions import SignedIn, note_proof
from community_server.staff.tables import StaffMember

Reading: TypeAlias = Callable[[], AbstractContextManager[Session]]


@dataclass(frozen=True)
class Proof:
    """What somebody typed to show that it is them, and the address that it came from."""

    address: str
    password: str = field(default="", repr=False)
    code: str = field(default="", repr=False)


def prove_again(
    reading: Reading,
    backoff: Backoff,
    signed_in: SignedIn,
    password: str,
    address: str,
    field: str = "password",
) -> None:
    """Make whoever is signed in prove by their password that it is still them.

    It alone stands before opening a door and locking down, which cannot wait for the next code of
    a second factor. Failures are counted by account and address, apart from those of signing in: a
    stranger keeps no guard from opening. No transaction is open while the hash is checked.

    Raises:
        TooManyAttempts: wait first.
        InputRefused: `password-not-yours`.
    """
    key = _key(signed_in, address)
    backoff.check(key)
    with reading() as session:
        row = session.get(StaffMember, signed_in.staff)
        hashed = row.password_hash if row else None
    if not is_right_password(hashed, password):
        backoff.fail(key)
        raise InputRefused("this is not your password", field=field, code="password-not-yours")
    backoff.succeed(key)


def confirm(
    reading: Reading, changer: Changer, backoff: Backoff, signed_in: SignedIn, proof: Proof
) -> None:
    """Make sure that whoever sits there gave their password, and a code where there are codes.

    What they gave counts for some minutes, so that one evening's work asks for it once.

    Raises:
        TooManyAttempts: wait first.
        InputRefused: `proof-needed`, `password-not-yours`, `code-wrong`.
    """
    if signed_in.proven:
        return
    if not proof.password:
        raise InputRefused("your password is needed", field="own_password", code="proof-needed")
    prove_again(reading, backoff, signed_in, proof.password, proof.address, "own_password")
    try:
        with changer.change() as change:
            if signed_in.second_factor:
                member = change.session.get_one(StaffMember, signed_in.staff, with_for_update=True)
                take_code(change.session, change.safe, member, proof.code)
            note_proof(change.session, signed_in.session)
    except InputRefused:
        backoff.fail(_key(signed_in, proof.address))
        raise


def _key(signed_in: SignedIn, address: str) -> str:
    return f"again:{signed_in.staff}:{address}"
