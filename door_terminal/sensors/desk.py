"""All that is wired beside the gate, put together: readings become openings, alarms and remarks."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final

from access_rules.alarms import AlarmKind, EntryRemark
from access_rules.decision import DecisionReason
from door_terminal.alarms import AlarmLog
from door_terminal.configuration import Configuration
from door_terminal.decisions.decider import Outcome
from door_terminal.entries import EntryLog
from door_terminal.gate import Gate, Opening
from door_terminal.sensors.contact import AlarmNews, ContactWatch, News, RemarkNews
from door_terminal.sensors.egress import ExitButton, Exits, FireRelease
from door_terminal.sensors.inputs import Input, Source
from door_terminal.sensors.tailgating import TailgateWatch
from door_terminal.sensors.wanting import Wanting
from door_terminal.sensors.watch import InputWatch

_log = logging.getLogger(__name__)

USUAL_OPEN_S: Final = 5.0
"""How long the exit button opens a door that no server has configured yet."""
USUAL_HELD_OPEN_S: Final = 30.0


class SensorDesk:
    """The door's surroundings. Slow work is done beside the thread that reads the inputs."""

    def __init__(
        self,
        sources: Mapping[Input, Source],
        *,
        steady_s: float,
        configuration: Callable[[], Configuration | None],
        entries: EntryLog,
        alarms: AlarmLog,
        gate: Gate,
        publish: Callable[[Outcome], None],
        called: Callable[[], None],
        wanted: Callable[[], None] = lambda: None,
    ) -> None:
        """Take what is wired, and what it acts on.

        `called` is told of the call button, `wanted` whenever somebody begins or ceases to want in.
        """
        self._sources = sources
        self._configuration = configuration
        self._entries = entries
        self._alarms = alarms
        self._called = called
        self._lock = Lock()  # of what the readings' thread and the deciding ones both touch
        self._contact = ContactWatch(self._held_open_s)
        self._tailgating = TailgateWatch()
        self.wanting = Wanting()
        self._wanted = wanted
        self._was_wanted = False
        self._presses = ThreadPoolExecutor(1, thread_name_prefix="exit")
        self._notes = ThreadPoolExecutor(1, thread_name_prefix="alarms")
        self._calls = ThreadPoolExecutor(1, thread_name_prefix="call")
        exits = Exits(entries, gate, publish)
        self._button = ExitButton(exits, self._open_s)
        self.watch = InputWatch(
            sources, steady_s=steady_s, changed=self._changed, lost=self._lost, tick=self._passed
        )
        self.fire = FireRelease(exits, alarms, lambda: self.watch.level(Input.FIRE))

    @property
    def feels_presence(self) -> bool:
        """Whether there is an input by which somebody can show that they want in."""
        return Input.PRESENCE in self._sources

    @property
    def burning(self) -> bool:
        """Whether the fire input is on now."""
        return bool(self.watch.level(Input.FIRE))

    def start(self) -> None:
        """Begin to read and to act."""
        if Input.CONTACT not in self._sources:
            self._note([_over(AlarmKind.FORCED_OPEN), _over(AlarmKind.HELD_OPEN)])
        if Input.TAMPER not in self._sources:
            self._note([_over(AlarmKind.CASE_TAMPER)])
        self.fire.start()
        self.watch.start()

    def stop(self) -> None:
        """Let the wiring go and finish what is under way."""
        self.watch.stop()
        self.fire.stop()
        for pool in (self._presses, self._notes, self._calls):
            pool.shutdown(wait=True)

    def released(self, opening: Opening) -> None:
        """Hear of an order to the gate, before it is given; from any thread."""
        with self._lock:
            self._contact.released(
                opening.entry, time.monotonic(), opening.seconds, awaited=opening.awaited
            )

    def decided(self, outcome: Outcome) -> None:
        """Hear of a decision; from any thread."""
        if outcome.granted and outcome.reason not in _FROM_INSIDE:
            with self._lock:
                self._tailgating.granted(outcome.entry, outcome.decided_ns / 1e9)

    def saw(self, faces: int) -> None:
        """Hear how many faces were near at once in the last second; from any thread."""
        with self._lock:
            self._tailgating.saw(faces, time.monotonic())

    def _changed(self, one: Input, level: bool, before: bool | None) -> None:  # noqa: FBT001
        match one:
            case Input.EXIT:
                if level and before is False:  # a button found pressed was not pressed now
                    self._presses.submit(self._press, time.monotonic_ns())
            case Input.FIRE:
                self.fire.look()
            case Input.TAMPER:
                self._note([AlarmNews(AlarmKind.CASE_TAMPER, active=level)])
            case Input.CALL:
                if level and before is False:
                    self._calls.submit(self._ring)
            case Input.PRESENCE:
                self.wanting.changed(time.monotonic(), active=level)
            case Input.CONTACT:
                self._moved(time.monotonic(), is_open=level, first=before is None)

    def _press(self, pressed_ns: int) -> None:
        try:
            self._button.press(pressed_ns)
        except Exception:  # noqa: BLE001 - logged; the next press must work all the same
            _log.exception("a press of the exit button was lost")

    def _ring(self) -> None:
        try:
            self._called()
        except Exception:  # noqa: BLE001 - logged; the next press must work all the same
            _log.exception("a press of the call button was lost")

    def _moved(self, at: float, *, is_open: bool, first: bool) -> None:
        with self._lock:
            if first:
                news = list(self._contact.first(at, is_open=is_open))
            elif is_open:
                news = list(self._contact.opened(at))
            else:
                news = list(self._contact.shut())
                self._tailgating.shut(at)
        self._note(news)

    def _passed(self, at: float) -> None:
        is_wanted = self.wanting.covers(at)
        if is_wanted is not self._was_wanted:
            self._was_wanted = is_wanted
            self._wanted()
        if Input.CONTACT not in self._sources:
            return
        with self._lock:
            news = list(self._contact.passed(at))
            if any(isinstance(one, RemarkNews) for one in news):
                self._tailgating.forget()
            news += [
                RemarkNews(entry, EntryRemark.TAILGATING) for entry in self._tailgating.passed(at)
            ]
        self._note(news)

    def _lost(self, lost: bool) -> None:  # noqa: FBT001 - the watch's callback
        self._note([AlarmNews(AlarmKind.INPUT_LOST, active=lost)])

    def _note(self, news: Iterable[News]) -> None:
        for one in news:
            self._notes.submit(self._keep, one)

    def _keep(self, news: News) -> None:
        try:
            match news:
                case AlarmNews(kind=kind, active=active):
                    self._alarms.put(kind, active=active)
                case RemarkNews(entry=entry, remark=remark):
                    self._entries.remark(entry, remark)
        except Exception:  # noqa: BLE001 - logged; a fault in one must not silence the next
            _log.exception("an alarm or remark was lost")

    def _open_s(self) -> float:
        configuration = self._configuration()
        return configuration.wire.gate_open_s if configuration else USUAL_OPEN_S

    def _held_open_s(self) -> float:
        configuration = self._configuration()
        return configuration.wire.held_open_s if configuration else USUAL_HELD_OPEN_S


_FROM_INSIDE: Final = frozenset({DecisionReason.EXIT_BUTTON, DecisionReason.FIRE_RELEASE})


def _over(kind: AlarmKind) -> AlarmNews:
    return AlarmNews(kind, active=False)
