"""What the officer's desk reads and changes, each in a transaction of its own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from community_server.estate import Estate
from community_server.intake.approvals import count_held
from community_server.privacy.assessment import (
    Signed,
    find_signed,
    list_signed,
    plain,
    read_facts,
    sign_assessment,
)
from community_server.privacy.details import (
    Census,
    Details,
    read_details,
    take_census,
    write_details,
)
from community_server.privacy.differences import Difference, differences
from community_server.privacy.faces import faces_are_on


@dataclass(frozen=True)
class Overview:
    """The desk at a glance. `facts` is what an assessment signed now would rest on.

    `faces` says whether faces may be used, `held` how many enrollments wait for that.
    """

    census: Census
    details: Details
    facts: Mapping[str, Any]
    signed: Sequence[Signed]
    faces: bool
    held: int

    @property
    def changed(self) -> bool:
        """Whether the configuration is another than the one that was signed last."""
        return bool(self.changes)

    @property
    def changes(self) -> list[Difference]:
        """What changed in the configuration since it was signed last."""
        if not self.signed:
            return []
        now = plain(self.facts["configuration"])
        return differences(self.signed[0].document["configuration"], now)


def overview(estate: Estate) -> Overview:
    """Return the desk at a glance."""
    with estate.reading() as session:
        return Overview(
            take_census(session),
            read_details(session),
            read_facts(session, estate),
            list_signed(session),
            faces_are_on(session),
            count_held(session),
        )


def save_details(estate: Estate, staff: str, wanted: Details) -> None:
    """Note who answers for the data.

    Raises:
        InputRefused: see `details.write_details`.
    """
    with estate.changer.change() as change:
        write_details(change, staff, wanted)


def sign(estate: Estate, staff: str, name: str) -> int:
    """Sign the assessment as it is now; return its number.

    Raises:
        InputRefused: see `assessment.sign_assessment`.
    """
    with estate.changer.change() as change:
        return sign_assessment(change, estate, staff, name)


def signed(estate: Estate, number: int) -> Signed:
    """Return an assessment as it was signed.

    Raises:
        NotFound: `assessment-unknown`.
    """
    with estate.reading() as session:
        return find_signed(session, number)
