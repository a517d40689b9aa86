"""A relay on one of the computer's own lines, by gpiozero.

The line's idle level is the one it has when nobody drives it: before the start, after the end,
after a power cut. `fail_safe` says what that level means for the gate.
"""

import time
from threading import Lock, Timer

import gpiozero

from door_terminal.errors import GateFailed, StartRefused
from door_terminal.gate.driver import Opening


class GpioGate:
    """Releases for the opening's time; the end is a timer of this process, which nothing outlives.

    Args:
        pin: The line, as gpiozero names it.
        active_high: Whether the high level switches the relay on.
        fail_safe: The relay is on to keep the gate shut, so that a stopped terminal lets go;
            otherwise it is on to release.
        factory: Where gpiozero finds the line; None: on this machine.
    """

    def __init__(
        self,
        pin: str,
        *,
        active_high: bool,
        fail_safe: bool,
        factory: gpiozero.Factory | None = None,
    ) -> None:
        """Take the line and keep the gate shut.

        Raises:
            StartRefused: there is no such line here (`wiring-unusable`).
        """
        self._on_releases = not fail_safe
        self._lock = Lock()
        self._until = 0.0
        self._timer: Timer | None = None
        try:
            self._relay = gpiozero.OutputDevice(
                int(pin) if pin.isdecimal() else pin,
                active_high=active_high,
                initial_value=fail_safe,
                pin_factory=factory,
            )
        except (gpiozero.GPIOZeroError, OSError) as error:
            raise StartRefused(
                f"gate_pin '{pin}' cannot be used: {error}", code="wiring-unusable"
            ) from error

    def open(self, opening: Opening) -> None:
        """Release for the opening's time, or longer if an earlier one lasts longer.

        Raises:
            GateFailed: the line does not take the level (`gate-refused`) or is gone.
        """
        with self._lock:
            self._until = max(self._until, time.monotonic() + opening.seconds)
            self._wait()
            try:
                self._set(released=True)
                stuck = bool(self._relay.value) is not self._on_releases
            except (gpiozero.GPIOZeroError, OSError) as error:
                raise GateFailed(f"the gate's line is gone: {error}") from error
            if stuck:
                raise GateFailed("the gate's line does not take the level", code="gate-refused")

    def close(self) -> None:
        """Shut, and let the line go to its idle level."""
        with self._lock:
            if self._timer is not None:
                self._timer.cancel()
            if not self._relay.closed:
                self._set(released=False)
                self._relay.close()

    def _set(self, *, released: bool) -> None:
        if released is self._on_releases:
            self._relay.on()
        else:
            self._relay.off()

    def _wait(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer = Timer(self._until - time.monotonic(), self._end)
        self._timer.daemon = True
        self._timer.start()

    def _end(self) -> None:
        with self._lock:
            # A newer order may have come while this timer was waiting for the lock.
            if time.monotonic() >= self._until and not self._relay.closed:
                self._set(released=False)
