"""PINs: issued here, entered at doors with the unit's number, kept as argon2id hashes."""

import secrets
from collections.abc import Iterable
from itertools import pairwise
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

PIN_DIGITS: Final = 6
"""Six digits and a door that backs off; more is not remembered."""

# RFC 9106's second profile needs 64 MiB; small doors verify this one in a fraction of a second.
_hasher: Final = PasswordHasher(time_cost=3, memory_cost=19 * 1024, parallelism=1)


def draw_pin(neighbours: Iterable[str]) -> tuple[str, str]:
    """Draw a PIN that nobody of the same unit has; return it and its hash.

    Args:
        neighbours: the PIN hashes of the unit's other people.
    """
    hashes = [taken for taken in neighbours if taken]
    while True:
        pin = f"{secrets.randbelow(10**PIN_DIGITS):0{PIN_DIGITS}}"
        if not _is_simple(pin) and not any(_fits(taken, pin) for taken in hashes):
            return pin, _hasher.hash(pin)


def _is_simple(pin: str) -> bool:
    """Say whether people would try this one first: 111111, 123456, 987654."""
    steps = {int(b) - int(a) for a, b in pairwise(pin)}
    return steps in ({0}, {1}, {-1})


def _fits(hashed: str, pin: str) -> bool:
    try:
        return _hasher.verify(hashed, pin)
    except VerifyMismatchError:
        return False
