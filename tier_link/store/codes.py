"""Open pairing codes in a tier's database: ten minutes, five tries in all."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import Engine, delete, update
from sqlalchemy.orm import Session

from tier_link.errors import PairingRefused
from tier_link.pairing import PairingRole, derive_locator, derive_pairing_key, new_code
from tier_link.store.tables import LinkPairingCode

CODE_LIFETIME_S: Final = 600
"""Seconds a code can be used: enough to walk to the door with it."""
CODE_TRIES: Final = 5
"""Attempts at all open codes together: enough for slips of the finger, hopeless for guessing."""


@dataclass(frozen=True, slots=True)
class IssuedCode:
    """A fresh code as it is shown, and until when it can be used (Unix seconds)."""

    code: str = field(repr=False)
    expires_at: int


@dataclass(frozen=True, slots=True)
class OpenCode:
    """A code that an attempt named: what it was issued for."""

    locator: str
    subject: str
    key: bytes = field(repr=False)


class PairingCodes:
    """Issues codes, counts the tries, and uses them up."""

    def __init__(self, engine: Engine, *, clock: Callable[[], float] = time.time) -> None:
        self._engine = engine
        self._clock = clock

    def issue(self, session: Session, *, role: PairingRole, subject: str) -> IssuedCode:
        """Issue a code for a lower tier of `role`, in the caller's transaction.

        `subject` is the tier's own note of what it is for, at most 64 characters. A new code
        replaces an older open one for the same subject.
        """
        session.execute(
            delete(LinkPairingCode).where(
                (LinkPairingCode.subject == subject) & (LinkPairingCode.role == role)
            )
        )
        code = new_code()
        expires_at = int(self._clock()) + CODE_LIFETIME_S
        session.add(
            LinkPairingCode(
                locator=derive_locator(code).hex(),
                key=derive_pairing_key(code),
                role=role,
                subject=subject,
                expires_at=expires_at,
                tries_left=CODE_TRIES,
            )
        )
        session.flush()
        return IssuedCode(code, expires_at)

    def attempt(self, locator: bytes, role: PairingRole) -> OpenCode:
        """Spend one try and return the code that `locator` names.

        The try is spent before anything is proven, so that breaking off costs one too. An
        attempt at an unknown code spends one of every open code.

        Raises:
            PairingRefused: `pairing-code-unknown`, `pairing-code-expired` or
                `pairing-code-used-up`.
        """
        with Session(self._engine) as session, session.begin():
            row = session.get(LinkPairingCode, locator.hex(), with_for_update=True)
            if row is None or row.role != role:
                session.execute(
                    update(LinkPairingCode).values(tries_left=LinkPairingCode.tries_left - 1)
                )
                refusal = "pairing-code-unknown"
            elif row.expires_at <= self._clock():
                refusal = "pairing-code-expired"
            elif row.tries_left <= 0:
                refusal = "pairing-code-used-up"
            else:
                row.tries_left -= 1
                return OpenCode(row.locator, row.subject, row.key)
        raise PairingRefused("the code is not right or no longer open", code=refusal)

    def spend(self, session: Session, code: OpenCode) -> None:
        """Use the code up, in the transaction that stores the new peer's key.

        Raises:
            PairingRefused: `pairing-code-used-up`, somebody else was faster.
        """
        row = session.get(LinkPairingCode, code.locator, with_for_update=True)
        if row is None:
            raise PairingRefused("the code was used meanwhile", code="pairing-code-used-up")
        session.delete(row)
        session.flush()

    def prune(self) -> None:
        """Delete codes that have expired."""
        with Session(self._engine) as session, session.begin():
            session.execute(
                delete(LinkPairingCode).where(LinkPairingCode.expires_at <= self._clock())
            )
