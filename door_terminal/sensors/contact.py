"""What the door contact tells, beside what was released: pure, with the time given in seconds."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from access_rules.alarms import AlarmKind, EntryRemark

GRACE_S: Final = 3.0
"""After a release a door may still be pushed open: locks let go late, closers move slowly."""


@dataclass(frozen=True, slots=True)
class AlarmNews:
    """An alarm is raised or over."""

    kind: AlarmKind
    active: bool


@dataclass(frozen=True, slots=True)
class RemarkNews:
    """Something is to be noted about an entry."""

    entry: str
    remark: EntryRemark


News = AlarmNews | RemarkNews


class ContactWatch:
    """Follows one door. Not thread-safe.

    Args:
        held_open_s: Seconds for which the door may stand open after a release.
    """

    def __init__(self, held_open_s: Callable[[], float]) -> None:
        self._held_open_s = held_open_s
        self._open_since: float | None = None
        self._released_until = float("-inf")
        self._held = False
        self._awaited: dict[str, float] = {}  # entries that released, by the end of their release

    def released(self, entry: str, at: float, seconds: float, *, awaited: bool) -> None:
        """Note an order to release; `awaited` ones are somebody's, who is expected to pass."""
        self._released_until = max(self._released_until, at + seconds)
        if awaited and self._open_since is None:
            self._awaited[entry] = at + seconds

    def first(self, at: float, *, is_open: bool) -> Iterator[News]:
        """Take the level that the door is found with: it may have been opened rightly before."""
        if is_open:
            self._open_since = at
        else:
            yield AlarmNews(AlarmKind.FORCED_OPEN, active=False)
            yield AlarmNews(AlarmKind.HELD_OPEN, active=False)

    def opened(self, at: float) -> Iterator[News]:
        """Take that the door was opened."""
        self._open_since = at
        self._awaited.clear()
        if at > self._released_until + GRACE_S:
            yield AlarmNews(AlarmKind.FORCED_OPEN, active=True)

    def shut(self) -> Iterator[News]:
        """Take that the door was shut."""
        self._open_since, self._held = None, False
        yield AlarmNews(AlarmKind.FORCED_OPEN, active=False)
        yield AlarmNews(AlarmKind.HELD_OPEN, active=False)

    def passed(self, at: float) -> Iterator[News]:
        """Take that time has passed."""
        if self._open_since is not None:
            counted = max(self._open_since, self._released_until)
            if not self._held and at > counted + self._held_open_s():
                self._held = True
                yield AlarmNews(AlarmKind.HELD_OPEN, active=True)
            return
        for entry, until in list(self._awaited.items()):
            if at > until + GRACE_S:
                del self._awaited[entry]
                yield RemarkNews(entry, EntryRemark.NOT_PASSED)
