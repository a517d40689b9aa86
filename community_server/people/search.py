"""Finding people by what memory knows of them: name, unit, and what they lack."""

import re
from collections.abc import Iterable
from typing import Final, Literal

from community_server.rosters.book import Row

Lack = Literal["", "face", "any"]
"""`face`: no face that any model knows; `any`: nothing that opens a door."""

_DIGITS: Final = re.compile(r"(\d+)")


def search(rows: Iterable[Row], words: str, lack: Lack = "", building: str = "") -> list[Row]:
    """Return residents who fit, by unit as people count, then by name.

    Args:
        rows: of everybody.
        words: each has to occur in name or unit.
        lack: what they have not got.
        building: what their unit begins with; empty for any.
    """
    wanted = words.casefold().split()
    found = [
        row
        for row in rows
        if row.roster.category == "resident"
        and (not building or row.roster.unit.startswith(f"{building}-"))
        and all(word in f"{row.name} {row.roster.unit}".casefold() for word in wanted)
        and not (lack == "face" and _has_face(row))
        and not (lack == "any" and (_has_face(row) or _has_other(row)))
    ]
    return sorted(found, key=lambda row: (unit_order(row.roster.unit), row.name))


def unit_order(unit: str) -> list[tuple[int, str]]:
    """Return by what units are sorted: 3-2 comes before 3-10."""
    return [
        (int(part), "") if number % 2 else (0, part)
        for number, part in enumerate(_DIGITS.split(unit))
    ]


def _has_face(row: Row) -> bool:
    return bool(row.roster.template or row.former)


def _has_other(row: Row) -> bool:
    return bool(row.roster.pin or row.roster.pass_id or row.roster.cards)
