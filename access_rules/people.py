"""Who may ask: the plain facts about a person that a decision needs, and nothing else."""

from dataclasses import dataclass
from enum import StrEnum

from access_rules.schedules import ALWAYS, Validity, WeeklyWindow


class Category(StrEnum):
    """What a person is to the estate; leases are graded by it."""

    RESIDENT = "resident"
    VISITOR = "visitor"
    SERVICE_WORKER = "service"


class Credential(StrEnum):
    """What a person shows to be let through."""

    FACE = "face"
    PIN = "pin"
    PASS = "pass"  # noqa: S105 - a QR pass, not a password
    CARD = "card"
    NONE = "none"


class Direction(StrEnum):
    """Which way a door lets people through."""

    IN = "in"
    OUT = "out"
    BOTH = "both"

    def covers(self, other: "Direction") -> bool:
        """Say whether a door of this direction serves a crossing in the other."""
        return self is Direction.BOTH or self is other


@dataclass(frozen=True, slots=True)
class Person:
    """One row of a door's roster, as far as rules go.

    Attributes:
        person: Opaque id; empty for the bearer of a pass whom the roster does not hold.
        category: Grades the lease.
        validity: From when until when the person may come at all.
        windows: Weekly windows in the estate's wall time; empty means at any hour.
        groups: Numbers of the person's groups: of those that name the door, any one's hours are
            enough, within the windows. Empty means that no group is needed.
        second_credential: A single credential is not enough for this person.
        suspended: The estate has closed its doors to this person for now.
    """

    person: str
    category: Category
    validity: Validity = ALWAYS
    windows: tuple[WeeklyWindow, ...] = ()
    groups: tuple[int, ...] = ()
    second_credential: bool = False
    suspended: bool = False
