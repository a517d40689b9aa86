"""From passings at doors to stays: a pure function, the same for any order in which they arrive.

Only a reader on the way out sees somebody leave. Where there is none, or they slipped by it, a stay
has no end that anybody saw; how it is estimated is for whoever shows it, and says so.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

APART_MS: Final = 12 * 3600 * 1000
"""Whoever was not seen for so long has left: no working day goes on without any door."""
AT_ONCE_MS: Final = 2 * 60 * 1000
"""Within this the door by which somebody came has been passed once, in two tries."""


class EndedBy(StrEnum):
    """How the end of a stay is known."""

    OPEN = ""
    DOOR = "door"
    """A reader on the way out."""
    DESK = "desk"
    """The word of a member of staff."""
    UNSEEN = "unseen"
    """They came anew, so they had left."""


@dataclass(frozen=True, order=True)
class Passing:
    """Somebody was let through.

    Attributes:
        at: Unix milliseconds.
        key: Tells passings of one moment apart, whatever their order of arrival.
        door: Its id; empty for the word of a member of staff, which is always out.
        out: Whether on the way out; a door for both ways counts as one in.
    """

    at: int
    key: str
    door: str = ""
    out: bool = False


@dataclass(frozen=True)
class Stay:
    """From coming to leaving; times are Unix milliseconds.

    `key` is that of the passing it began with, `door` where that was. `ends` is 0 where nobody saw
    the end.
    """

    key: str
    door: str
    begins: int
    last_seen: int
    ends: int = 0
    ended_by: EndedBy = EndedBy.OPEN


def stays_of(passings: Iterable[Passing]) -> list[Stay]:
    """Return one person's stays, in order.

    A stay begins with a way in and goes on through other doors. The door by which somebody came
    is not passed again without having left in between; nor does anybody stay unseen for half a day.
    """
    stays: list[Stay] = []
    now: Stay | None = None
    for one in sorted(passings):
        if now is not None and one.at - now.last_seen > APART_MS:
            stays.append(replace(now, ended_by=EndedBy.UNSEEN))
            now = None
        if one.out:
            if now is not None:
                ended_by = EndedBy.DOOR if one.door else EndedBy.DESK
                stays.append(replace(now, last_seen=one.at, ends=one.at, ended_by=ended_by))
            now = None
            continue
        if now is not None and one.door == now.door and one.at - now.last_seen > AT_ONCE_MS:
            stays.append(replace(now, ended_by=EndedBy.UNSEEN))
            now = None
        if now is None:
            now = Stay(one.key, one.door, one.at, one.at)
        else:
            now = replace(now, last_seen=one.at)
    return [*stays, now] if now is not None else stays
