"""Who answers for the data here, as the sign, the public page and the assessment name them."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.errors import InputRefused
from community_server.people.census import faces_held, faces_in_a_year
from community_server.privacy.tables import PrivacyDetails

MAX_CONTROLLER: Final = 100
MAX_CONTACT: Final = 200
MOST_OTHERS: Final = 10_000_000
"""More people than any operator houses."""
FILING_AT: Final = 100_000
"""People whose faces are stored, from which on the operator files with the provincial cyberspace
authority within 30 working days (China's measures on face recognition, 2025, Art. 15)."""
NEAR: Final = 0.8
"""Of that, from which on an alarm says so: there is time to prepare the filing."""
_ONLY: Final = 1


@dataclass(frozen=True)
class Details:
    """Name and reach of whoever answers for the data; empty until the officer has written them.

    `other_faces` is how many people's faces the operator holds at other estates.
    """

    controller: str = ""
    contact: str = ""
    other_faces: int = 0


@dataclass(frozen=True)
class Census:
    """How many people's faces there are: held here now, at most in the last year, and elsewhere."""

    held: int
    year: int
    others: int

    @property
    def total(self) -> int:
        """What is set against the number from which filing is due."""
        return self.year + self.others

    @property
    def near(self) -> bool:
        """Whether that number is near."""
        return self.total >= FILING_AT * NEAR

    @property
    def share(self) -> float:
        """How much of it there is, in percent."""
        return 100 * self.total / FILING_AT


def read_details(session: Session) -> Details:
    """Return who answers for the data."""
    row = session.get(PrivacyDetails, _ONLY)
    return Details(row.controller, row.contact, row.other_faces) if row else Details()


def write_details(change: Change, staff: str, wanted: Details) -> None:
    """Note who answers for the data from now on.

    Raises:
        InputRefused: `name-missing`, `note-long`, `faces-wrong`.
    """
    controller, contact = wanted.controller.strip(), wanted.contact.strip()
    if not controller or not contact:
        empty = "contact" if controller else "controller"
        raise InputRefused("say who and how", field=empty, code="name-missing")
    if len(controller) > MAX_CONTROLLER or len(contact) > MAX_CONTACT:
        raise InputRefused("shorter", field="contact", code="note-long")
    if not 0 <= wanted.other_faces <= MOST_OTHERS:
        raise InputRefused("out of range", field="other_faces", code="faces-wrong")
    change.session.merge(
        PrivacyDetails(
            id=_ONLY, controller=controller, contact=contact, other_faces=wanted.other_faces
        )
    )
    audit(change.session, staff, "set-privacy-details", detail=f"others={wanted.other_faces}")


def take_census(session: Session) -> Census:
    """Count the faces."""
    others = read_details(session).other_faces
    return Census(faces_held(session), faces_in_a_year(session), others)
