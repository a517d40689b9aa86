"""How long a door may trust its roster without news, graded by what a mistake would cost.

A resident who moved out last week and still opens a door is a smaller wrong than a resident
locked out by a broken cable; for a visitor it is the other way round.
"""

from dataclasses import dataclass
from enum import StrEnum

from access_rules.people import Category

_HOUR = 3600

LONGEST_LEASE_HOURS = 30 * 24
"""No estate may set more: after this long a roster is history, not a permission."""


class LeaseState(StrEnum):
    """How far a lease has run."""

    FRESH = "fresh"
    AGEING = "ageing"
    ENDING = "ending"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class LeasePolicy:
    """Hours since the server's last word after which a category is no longer let in.

    Attributes:
        resident_hours: Residents, 1..720.
        visitor_hours: Visitors, 1..720 (their own validity usually ends sooner).
        service_worker_hours: Service workers, 1..720.

    Residents are warned while there is time to mend the network: from half of their lease on it is
    ageing, from three quarters on ending. For the others it is too short for that.
    """

    resident_hours: int = 7 * 24
    visitor_hours: int = 24
    service_worker_hours: int = 24

    def __post_init__(self) -> None:
        for hours in (self.resident_hours, self.visitor_hours, self.service_worker_hours):
            if not 0 < hours <= LONGEST_LEASE_HOURS:
                raise ValueError(f"a lease is between 1 and {LONGEST_LEASE_HOURS} hours")

    @property
    def longest_seconds(self) -> int:
        """The longest of the three, in seconds."""
        hours = max(self.resident_hours, self.visitor_hours, self.service_worker_hours)
        return hours * _HOUR

    def state(self, category: Category, news_age: int | None) -> LeaseState:
        """Say how far the lease has run for a category.

        Args:
            category: Whose lease.
            news_age: Seconds since the server's last word; None when there never was one.
        """
        hours = {
            Category.RESIDENT: self.resident_hours,
            Category.VISITOR: self.visitor_hours,
            Category.SERVICE_WORKER: self.service_worker_hours,
        }[category]
        if news_age is None or news_age >= hours * _HOUR:
            return LeaseState.OVER
        if category is Category.RESIDENT and 4 * news_age >= 3 * hours * _HOUR:
            return LeaseState.ENDING
        if category is Category.RESIDENT and 2 * news_age >= hours * _HOUR:
            return LeaseState.AGEING
        return LeaseState.FRESH


USUAL_LEASES = LeasePolicy()
