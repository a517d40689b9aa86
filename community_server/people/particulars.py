"""What names a person: sealed as one value under their own data key."""

import re
from collections.abc import Callable
from functools import partial
from typing import Final, TypeAlias

import msgspec
from sqlalchemy.orm import Session

from community_server.database import Sealed
from community_server.people.tables import Person
from community_server.vault.safe import Safe

_CONTEXT: Final = "particulars"
_NOT_A_DIGIT: Final = re.compile(r"\D")
_CHINA: Final = "86"
_CHINESE_MOBILE_DIGITS: Final = 11


class Known(msgspec.Struct, frozen=True):
    """What the estate knows of a person; silent when printed."""

    name: str = ""
    phone: str = ""
    visiting: str = ""
    purpose: str = ""
    plate: str = ""
    email: str = ""

    def __repr__(self) -> str:
        return "Known(…)"


Opens: TypeAlias = Callable[[str, str, Sealed], bytes]
"""Opens a value: owner, context, sealed."""
_decoder: Final = msgspec.json.Decoder(Known)


def updated(known: Known, given: Known) -> Known:
    """Return what is known once somebody has written of themselves; what they left out stays."""
    return Known(
        **{
            name: getattr(given, name).strip() or getattr(known, name)
            for name in Known.__struct_fields__
        }
    )


def owner(person: str) -> str:
    """Return the owner of a person's data key."""
    return f"person:{person}"


def seal_known(session: Session, safe: Safe, person: str, known: Known) -> Sealed:
    """Seal what is known of a person."""
    return safe.seal(session, owner(person), _CONTEXT, msgspec.json.encode(known))


def open_known(session: Session, safe: Safe, person: Person) -> Known:
    """Open what is known of a person."""
    return open_known_with(partial(safe.open, session), person.id, person.particulars)


def open_known_with(opens: Opens, person: str, particulars: Sealed) -> Known:
    """Open what is known of a person, however values are opened."""
    return _decoder.decode(opens(owner(person), _CONTEXT, particulars))


def bare_phone(phone: str) -> str:
    """Return a phone's digits, by which two are compared; empty for no phone.

    Spaces and signs do not matter, nor does China's country code before a mobile number.
    """
    digits = _NOT_A_DIGIT.sub("", phone).removeprefix("00")
    if len(digits) == len(_CHINA) + _CHINESE_MOBILE_DIGITS and digits.startswith(_CHINA):
        digits = digits.removeprefix(_CHINA)
    return digits
