"""What names a visitor: sealed as one value under their visit's own data key."""

from typing import Final

import msgspec
from sqlalchemy.orm import Session

from community_server.change import Change
from community_server.database import Sealed
from community_server.people.particulars import Known
from community_server.vault.safe import Safe
from community_server.visits.tables import Visit

_CONTEXT: Final = "visit-details"


class Details(msgspec.Struct, frozen=True):
    """What was written of a visit; silent when printed. `doors` empty are the host's."""

    name: str = ""
    phone: str = ""
    visiting: str = ""
    purpose: str = ""
    plate: str = ""
    company: str = ""
    doors: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return "Details(…)"

    @property
    def known(self) -> Known:
        """What the estate knows of the visitor from it."""
        words = [part for part in (self.company, self.purpose) if part]
        return Known(
            name=self.name,
            phone=self.phone,
            visiting=self.visiting,
            purpose=" · ".join(words),
            plate=self.plate,
        )

    def with_known(self, known: Known) -> "Details":
        """Return it with what the estate knows of the visitor by now, who wrote a form since."""
        return msgspec.structs.replace(
            self,
            name=known.name or self.name,
            phone=known.phone or self.phone,
            plate=known.plate or self.plate,
            purpose=self.purpose or known.purpose,
        )


def visit_owner(visit: str) -> str:
    """Return the owner of a visit's data key."""
    return f"visit:{visit}"


def seal_details(change: Change, visit: str, details: Details) -> Sealed:
    """Seal a new visit's details under a key of its own."""
    change.safe.add_owner(change.session, visit_owner(visit))
    data = msgspec.json.encode(details)
    return change.safe.seal(change.session, visit_owner(visit), _CONTEXT, data)


def open_details(session: Session, safe: Safe, visit: Visit) -> Details:
    """Open a visit's details."""
    data = safe.open(session, visit_owner(visit.id), _CONTEXT, visit.details)
    return msgspec.json.decode(data, type=Details)
