"""A year of an estate's entries, drawn at random and put into a server's own tables in bulk.

Residents come and go in the morning and evening; some visitors, couriers and strangers; one camera
is badly lit after dusk. Counts by the hour are summed up from them.
"""

import secrets
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

import numpy as np
from sqlalchemy import Engine, insert, text
from sqlalchemy.orm import Session

from community_server.doors.service import add_door
from community_server.entries.hours import HOUR, KINDS
from community_server.entries.tables import Entry

DAY: Final = 24 * HOUR
YEAR: Final = 365 * DAY
DOORS: Final = 12
BATCH: Final = 20_000
_AHEAD: Final = 8 * HOUR
"""Of the estate's clock: Asia/Shanghai."""

_HOURS: Final = np.array(
    [3, 2, 1, 1, 1, 6, 22, 60, 64, 30, 20, 24, 34, 26, 22, 24, 32, 56, 70, 60, 46, 34, 18, 8],
    np.float64,
)
"""How many come in each hour of a day, in proportion."""
_WHO: Final = (("resident", 0.86), ("visitor", 0.05), ("service", 0.02), ("", 0.07))
_CREDENTIALS: Final = (("face", 0.78), ("card", 0.12), ("pin", 0.05), ("pass", 0.05))
_REFUSALS: Final = (
    ("second-credential-needed", 0.35),
    ("not-for-this-door", 0.25),
    ("outside-schedule", 0.2),
    ("suspended", 0.1),
    ("validity-over", 0.08),
    ("spoof-suspected", 0.02),
)
_STRANGERS: Final = (
    ("not-recognized", 0.6),
    ("face-unclear", 0.2),
    ("pin-wrong", 0.12),
    ("credential-unknown", 0.08),
)


@dataclass(frozen=True)
class Year:
    """What was drawn: the doors, and the times (Unix seconds) between which entries lie."""

    doors: list[str]
    since: int
    until: int


def fill_year(engine: Engine, people: list[str], count: int) -> Year:
    """Put so many entries of these people into an empty log."""
    with Session(engine) as session, session.begin():
        doors = [add_door(session, f"Gate {number + 1}", "both") for number in range(DOORS)]
    until = int(time.time()) // HOUR * HOUR
    year = Year(doors, until - YEAR, until)
    rows = _rows(year, people, count, np.random.default_rng(5))
    while batch := list(islice(rows, BATCH)):
        with engine.begin() as connection:
            connection.execute(insert(Entry), batch)
    kinds, same = ", ".join(KINDS), " AND ".join(f"k.{name} = e.{name}" for name in KINDS)
    hour = f'e."at" / 1000 - e."at" / 1000 % {HOUR}'
    with engine.begin() as connection:
        connection.execute(
            text(f"INSERT INTO entry_kinds ({kinds}) SELECT DISTINCT {kinds} FROM entries")  # noqa: S608 -- our own names
        )
        connection.execute(
            text(
                f'INSERT INTO entry_hours (hour, kind_id, "count") SELECT {hour}, k.id, count(*)'  # noqa: S608 -- the same
                f" FROM entries e JOIN entry_kinds k ON {same} GROUP BY 1, 2"
            )
        )
        if engine.dialect.name == "postgresql":  # which does so by itself, sooner or later
            connection.execute(text("ANALYZE"))
    return year


def _rows(
    year: Year, people: list[str], count: int, random: np.random.Generator
) -> Iterator[dict[str, Any]]:
    days = random.integers(0, YEAR // DAY, count)
    hours = random.choice(24, count, p=_HOURS / _HOURS.sum())
    within = random.integers(0, HOUR * 1000, count)
    begin = (year.since + _AHEAD) // DAY * DAY - _AHEAD
    times = np.sort((begin + days * DAY + hours * HOUR) * 1000 + within)
    who, credentials = _draw(random, _WHO, count), _draw(random, _CREDENTIALS, count)
    refusals, strangers = _draw(random, _REFUSALS, count), _draw(random, _STRANGERS, count)
    persons, doors = random.integers(0, len(people), count), random.integers(0, DOORS, count)
    chance, took = random.random((count, 3)), random.integers(8, 400, count)
    for n in range(count):
        at = int(times[n])
        hour = (at // 1000 + _AHEAD) % DAY // HOUR
        dark = doors[n] == 0 and (hour >= 18 or hour < 6) and credentials[n] == "face"
        category = "" if dark and chance[n, 0] < 0.3 else who[n]
        from_inside = not category and chance[n, 1] < 0.2
        granted = from_inside or (bool(category) and chance[n, 0] > 0.03)
        reason = refusals[n] if category else strangers[n]
        if granted:
            reason = "exit-button" if from_inside else "within-rules"
        credential = "none" if from_inside else credentials[n]
        yield {
            "entry": secrets.token_hex(16),
            "door_id": year.doors[doors[n]],
            "door_sequence": n + 1,
            "at": at,
            "time_known": True,
            "received_at": at // 1000 + 1,
            "direction": ("in", "out", "both")[doors[n] % 3],
            "person_id": people[persons[n]] if category else "",
            "category": category,
            "credential": credential,
            "granted": granted,
            "reason": reason,
            "matched": "" if credential != "face" else "remote" if doors[n] < 2 else "local",
            "took_ms": int(took[n]),
            "frames": 2,
            "liveness": "live" if credential == "face" else "",
            "remarks": "not-passed" if chance[n, 2] < 0.003 else "",
        }


def _draw(
    random: np.random.Generator, weighted: tuple[tuple[str, float], ...], count: int
) -> list[str]:
    words, weights = zip(*weighted, strict=True)
    chosen = random.choice(len(words), count, p=np.array(weights) / sum(weights))
    return [words[one] for one in chosen]
