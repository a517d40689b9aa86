"""What time it is at a door that may have no clock: the server's last word and time since boot.

Effective time is the time in the server's last news plus the boot-time clock (CLOCK_BOOTTIME:
it runs through suspend and no one can set it). After a reboot a hardware clock is believed only
between the stored floor and the floor plus the longest lease. Otherwise the time is unknown, and
leases run by counted powered time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock

from access_rules.decision import Moment

SAVE_INTERVAL_S = 60
"""How often the count is stored: a write a minute is nothing to flash memory. Each start is
charged one whole interval, so that cutting the power every minute does not stop the count."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class Machine:
    """The clocks of this computer.

    Attributes:
        boot_id: Changes with each boot.
        since_boot: Seconds since boot, steady.
        wall: What the hardware clock claims, Unix seconds.
    """

    boot_id: str
    since_boot: Callable[[], float]
    wall: Callable[[], float]

    @classmethod
    def here(cls) -> "Machine":
        """Return the clocks of the machine this runs on (Linux)."""
        return cls(
            boot_id=_BOOT_ID.read_text("ascii").strip(),
            since_boot=lambda: time.clock_gettime(time.CLOCK_BOOTTIME),
            wall=time.time,
        )


@dataclass(frozen=True, slots=True)
class ClockRecord:
    """What of the clock is stored.

    Attributes:
        boot_id, since_boot: when this was written, by the machine's own measure.
        floor: Unix seconds; it is certainly not earlier.
        powered_s: Seconds this terminal's machine has been powered, all in all.
        news_unix: The server's last word, Unix seconds; 0 when there never was one.
        news_boot_id, news_since_boot: when that word came.
        news_powered_s: `powered_s` when that word came.
        starts_since_news: Boots since that word.
    """

    boot_id: str = ""
    since_boot: float = 0.0
    floor: int = 0
    powered_s: float = 0.0
    news_unix: int = 0
    news_boot_id: str = ""
    news_since_boot: float = 0.0
    news_powered_s: float = 0.0
    starts_since_news: int = 0


class EffectiveClock:
    """Effective time, its floor, and the age of the server's last word. Thread-safe.

    Args:
        record: What was stored.
        machine: Where the clocks are.
        longest_lease_s: So far a hardware clock may be ahead of the floor.
        keep: Stores what is to be known after a power cut, or leaves it where no disk takes it.
    """

    def __init__(
        self,
        record: ClockRecord,
        machine: Machine,
        *,
        longest_lease_s: Callable[[], int],
        keep: Callable[[ClockRecord], None] = lambda _: None,
    ) -> None:
        self._keep = keep
        self._machine = machine
        self._longest_lease_s = longest_lease_s
        self._lock = Lock()
        now = machine.since_boot()
        same_boot = record.boot_id == machine.boot_id
        # Within one boot the machine was powered all the while, whatever this process did.
        passed = max(0.0, now - record.since_boot) if same_boot else now
        self._record = replace(
            record,
            boot_id=machine.boot_id,
            since_boot=now,
            powered_s=record.powered_s + passed,
            starts_since_news=record.starts_since_news + (0 if same_boot else 1),
        )
        self._believed_offset: float | None = None  # hardware time minus since_boot

    @property
    def known(self) -> bool:
        """Whether the door knows what time it is."""
        return self.moment().unix is not None

    def powered_s(self) -> float:
        """Seconds the machine has been powered, all in all; steady, survives restarts."""
        with self._lock:
            return self._powered(self._machine.since_boot())

    def moment(self) -> Moment:
        """Return what the door knows about now."""
        with self._lock:
            now = self._machine.since_boot()
            precise = self._effective(now)
            unix = None if precise is None else int(precise)
            if unix is not None and unix > self._record.floor:
                self._record = replace(self._record, floor=unix)
            return Moment(unix=unix, floor=self._record.floor, news_age=self._news_age(now, unix))

    def milliseconds(self) -> int | None:
        """Return effective time in Unix milliseconds; None when it is unknown."""
        with self._lock:
            precise = self._effective(self._machine.since_boot())
            return None if precise is None else int(precise * 1000)

    def hear(self, unix: int) -> bool:
        """Take the server's word for now. Says whether it is the first of this boot.

        That one is stored before anybody is let in by it, who would else be refused after a power
        cut.

        The word came over a proven link, so it also sets the floor, down as well as up: a server
        whose clock was set wrong and then right takes its doors along.
        """
        with self._lock:
            first = self._record.news_boot_id != self._machine.boot_id
            now = self._machine.since_boot()
            powered = self._powered(now)
            heard = ClockRecord(
                boot_id=self._machine.boot_id,
                since_boot=now,
                floor=unix,
                powered_s=powered,
                news_unix=unix,
                news_boot_id=self._machine.boot_id,
                news_since_boot=now,
                news_powered_s=powered,
            )
        if first:
            # Not under the lock: who stores something else meanwhile may ask what time it is.
            self._keep(heard)
        with self._lock:
            self._record = heard
        return first

    def record(self) -> ClockRecord:
        """Return what is to be stored."""
        self.moment()
        with self._lock:
            now = self._machine.since_boot()
            powered = self._powered(now)
            self._record = replace(self._record, since_boot=now, powered_s=powered)
            return self._record

    def _powered(self, now: float) -> float:
        return self._record.powered_s + (now - self._record.since_boot)

    def _effective(self, now: float) -> float | None:
        record = self._record
        if record.news_boot_id == self._machine.boot_id:
            return record.news_unix + (now - record.news_since_boot)
        if self._believed_offset is None:
            wall = self._machine.wall()
            if record.floor == 0 or not 0 <= wall - record.floor <= self._longest_lease_s():
                return None
            self._believed_offset = wall - now
        return now + self._believed_offset

    def _news_age(self, now: float, unix: int | None) -> int | None:
        record = self._record
        if record.news_unix == 0:
            return None
        counted = int(
            self._powered(now) - record.news_powered_s + record.starts_since_news * SAVE_INTERVAL_S
        )
        # A hardware clock may be set back to the floor, never behind the counted time.
        return counted if unix is None else max(counted, unix - record.news_unix)
