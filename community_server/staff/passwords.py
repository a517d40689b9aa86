"""Passwords: argon2id, and the same work for an unknown name as for a wrong password."""

from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from community_server.errors import InputRefused
from community_server.staff.hashing import HashingLine

MIN_PASSWORD: Final = 10
MAX_PASSWORD: Final = 200
"""Characters: nobody types more, and hashing has to end."""

LINE: Final = HashingLine()
"""This process's; what it bounds, cores and memory, is the process's too."""

_hasher: Final = PasswordHasher()
_NOBODYS_HASH: Final = (
    "$argon2id$v=19$m=65536,t=3,p=4"
    "$ZE1YkAp1pu4QYKIo41JF6A$fMUoPNIji3JvOyOcjR5vb9lwuz45QcfvrwXeWLZsnJo"
)
"""Random bytes in the form of a hash that `_hasher` makes: no password fits it, and checking one
takes as long as against somebody's."""


def hash_password(password: str) -> str:
    """Hash a new password.

    Raises:
        InputRefused: `password-short`, `password-long`.
        TooManyAttempts: too many passwords are hashed right now.
    """
    if len(password) < MIN_PASSWORD:
        raise InputRefused(
            f"a password has at least {MIN_PASSWORD} characters",
            field="password",
            code="password-short",
        )
    if len(password) > MAX_PASSWORD:
        raise InputRefused("this password is too long", field="password", code="password-long")
    with LINE.turn():
        return _hasher.hash(password)


def is_right_password(hashed: str | None, password: str) -> bool:
    """Check a password against a hash, or against nobody's, taking as long.

    Raises:
        TooManyAttempts: too many passwords are hashed right now.
    """
    try:
        with LINE.turn():
            _hasher.verify(hashed or _NOBODYS_HASH, password[:MAX_PASSWORD])
    except VerifyMismatchError:
        return False
    return hashed is not None
