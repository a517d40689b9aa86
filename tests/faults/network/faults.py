"""What befalls an estate, one thing after the other, by chance."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Final

import psutil

from tests.faults.network.estate import FarEstate
from tests.faults.network.namespaces import CLEAR, SWALLOWING, Weather, Wire

_HOUR: Final = 3600
_YEAR: Final = 365 * 24 * _HOUR
_RARELY, _SOMETIMES, _OFTEN = 1, 3, 6


@dataclass
class Faults:
    """Does harm to an estate. Each method is one fault; `heal` ends all that last."""

    far: FarEstate
    chance: Random
    done: Counter[str] = field(default_factory=Counter)

    def all_kinds(self) -> list[Callable[[], None]]:
        """Return each kind once."""
        return [fault for fault, _ in self._kinds()]

    def draw(self) -> Callable[[], None]:
        """Return one by chance."""
        kinds, weights = zip(*self._kinds(), strict=True)
        fault: Callable[[], None] = self.chance.choices(kinds, weights)[0]
        return fault

    def befall(self, fault: Callable[[], None]) -> None:
        self.done[fault.__name__.replace("_", " ")] += 1
        fault()

    def heal(self) -> None:
        """Make everything whole and running, and the weather fair."""
        for wire in (self.far.upper, self.far.lower):
            wire.plug()
            wire.weather = CLEAR
        self.far.free_disk()
        for tier in ("cloud", "server", "door"):
            self.far.clocks.set(tier, 0)
        self.far.await_page()

    def _kinds(self) -> Sequence[tuple[Callable[[], None], int]]:
        return (
            (self.bad_weather, _OFTEN),
            (self.swallowing_line, _SOMETIMES),
            (self.pulled_line, _SOMETIMES),
            (self.killed_door, _SOMETIMES),
            (self.killed_vision, _SOMETIMES),
            (self.killed_server, _SOMETIMES),
            (self.killed_cloud, _RARELY),
            (self.rebooted_door, _SOMETIMES),
            (self.jump_of_the_doors_clock, _SOMETIMES),
            (self.jump_of_the_servers_clock, _RARELY),
            (self.full_disk, _SOMETIMES),
            (self.restored_server, _RARELY),
        )

    def _wire(self) -> Wire:
        return self.chance.choice([self.far.upper, self.far.lower, self.far.lower])

    def bad_weather(self) -> None:
        """Loss, delay, doubling, overtaking; now and then it clears up."""
        chance, wire = self.chance, self._wire()
        wire.plug()
        wire.weather = chance.choice(
            [
                CLEAR,
                Weather(loss=chance.uniform(0, 0.4)),
                Weather(delay_s=chance.uniform(0, 0.3), jitter_s=chance.uniform(0, 0.3)),
                Weather(
                    loss=chance.uniform(0, 0.2),
                    delay_s=chance.uniform(0, 0.1),
                    jitter_s=chance.uniform(0, 0.2),
                    doubled=chance.uniform(0, 0.3),
                ),
            ]
        )

    def swallowing_line(self) -> None:
        self._wire().weather = SWALLOWING

    def pulled_line(self) -> None:
        self._wire().pull()

    def killed_door(self) -> None:
        self.far.estate.doors[self.far.door].kill()
        self.far.start_door()
        self._maybe_await_door()

    def rebooted_door(self) -> None:
        """The power goes, and with it what the hardware clock knew, or not."""
        self.far.estate.doors[self.far.door].kill()
        self.far.clocks.reboot("door")
        self.far.clocks.set("door", self._jump())
        self.far.start_door()
        self._maybe_await_door()

    def killed_vision(self) -> None:
        tier = self.far.estate.doors[self.far.door].process
        if tier is None or not psutil.pid_exists(tier.pid):
            return
        for child in psutil.Process(tier.pid).children():
            child.kill()

    def killed_server(self) -> None:
        self.far.estate.server.kill()
        self.far.server.run(self.far.estate.server.start)

    def killed_cloud(self) -> None:
        self.far.estate.cloud.kill()
        self.far.cloud.run(self.far.estate.cloud.start)

    def restored_server(self) -> None:
        self.far.estate.server.kill()
        self.far.restore()
        self.far.server.run(self.far.estate.server.start)

    def jump_of_the_doors_clock(self) -> None:
        self.far.clocks.set("door", self._jump())

    def jump_of_the_servers_clock(self) -> None:
        """An hour; by a year a server would rightly forget what it keeps for less."""
        self.far.clocks.set("server", self.chance.choice([-_HOUR, 0, _HOUR]))

    def full_disk(self) -> None:
        """Full to the last byte, or with room again."""
        if (self.far.disk / "filler").exists():
            self.far.free_disk()
        else:
            self.far.fill_disk()

    def _jump(self) -> int:
        return self.chance.choice([-_HOUR, 0, _HOUR, _YEAR])

    def _maybe_await_door(self) -> None:
        """Mostly let it come up again; a door that is always dead makes no entries."""
        if self.chance.random() < 3 / 4:
            self.far.await_page()
