"""Everything the analysis shows, gathered in one reading."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import select

from community_server.analysis.figures import (
    FaceHours,
    Share,
    Window,
    by_category,
    by_door,
    by_kind,
    by_reason,
    by_weekday_and_hour,
    faces_by_hour,
)
from community_server.analysis.patterns import Patterns
from community_server.database import now
from community_server.doors.tables import Door
from community_server.entries.hours import DAY, HOUR, hour_of
from community_server.estate import Estate
from community_server.services.figures import TimeInside, time_inside
from community_server.visits.queries import busiest_units

SPANS: Final = (7, 30, 90, 365)
"""Days that can be looked back."""
LIGHT: Final = 30
"""Days of faces at most: how a door is lit now is the question, not how it was last winter."""

MOST_UNITS: Final = 20
"""Units that are shown with their visitors."""


@dataclass(frozen=True)
class Analysis:
    """What the last days show. `doors` names every door there ever was, by id.

    `time_inside` is of service workers, and `visitors` counts those of the units that had the
    most, by whole months; both are of all doors together.
    """

    since: int
    until: int
    doors: Mapping[str, str]
    hours: list[list[int]]
    by_door: dict[str, Share]
    by_category: dict[str, Share]
    refusals: dict[str, int]
    faces: list[FaceHours]
    patterns: Patterns
    time_inside: TimeInside
    visitors: dict[str, int]

    @property
    def total(self) -> int:
        """How many entries are in it."""
        return sum(map(sum, self.hours))


def analyse(estate: Estate, days: int, door: str) -> Analysis:
    """Look back so many days, at one door or at all of them."""
    zone, moment = ZoneInfo(estate.settings.time_zone), now()
    until = hour_of(moment, zone) + HOUR
    window = Window(until - days * DAY, until, zone, door)
    light, first = until - LIGHT * DAY, datetime.fromtimestamp(window.since, zone)
    with estate.reading() as session:
        kinds = by_kind(session, window)
        return Analysis(
            since=window.since,
            until=until,
            doors=dict(session.execute(select(Door.id, Door.name)).all()),
            hours=by_weekday_and_hour(session, window),
            by_door=by_door(kinds),
            by_category=by_category(kinds),
            refusals=by_reason(kinds),
            faces=faces_by_hour(session, replace(window, since=max(window.since, light))),
            patterns=estate.patterns.lately(session, zone, moment),
            time_inside=time_inside(session, first.date().isoformat()),
            visitors=busiest_units(session, f"{first:%Y-%m}", MOST_UNITS),
        )
