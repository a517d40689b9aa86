"""An input on one of the computer's own lines, by gpiozero."""

from typing import Literal

import gpiozero

from door_terminal.errors import StartRefused


class GpioInput:
    """A line read as a level; a contact to ground with the pull-up on is the usual wiring."""

    def __init__(
        self,
        pin: str,
        *,
        active_high: bool,
        pull: Literal["up", "down", "none"],
        factory: gpiozero.Factory | None = None,
    ) -> None:
        """Take the line.

        Raises:
            StartRefused: there is no such line here (`wiring-unusable`).
        """
        self._active_high = active_high
        self._inverted = pull == "up"  # gpiozero calls the level away from the resistor active
        try:
            self._line = gpiozero.InputDevice(
                int(pin) if pin.isdecimal() else pin,
                pull_up={"up": True, "down": False, "none": None}[pull],
                active_state=True if pull == "none" else None,
                pin_factory=factory,
            )
        except (gpiozero.GPIOZeroError, OSError) as error:
            raise StartRefused(
                f"input line '{pin}' cannot be used: {error}", code="wiring-unusable"
            ) from error

    def read(self) -> bool | None:
        """Say whether the line has its active level."""
        try:
            high = bool(self._line.value) is not self._inverted
        except (gpiozero.GPIOZeroError, OSError):
            return None
        return high is self._active_high

    def close(self) -> None:
        """Let the line go."""
        self._line.close()
