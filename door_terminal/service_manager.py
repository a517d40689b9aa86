"""What the controller tells systemd: that it serves, that it is alive, that it stops.

The protocol of sd_notify(3): datagrams of `NAME=value` lines to the socket that the environment
names. Without one, as outside of systemd, nothing is told.
"""

import logging
import os
import socket
from collections.abc import MutableMapping
from typing import Final, Self

_log = logging.getLogger(__name__)

READY: Final = "READY=1"
STOPPING: Final = "STOPPING=1"
ALIVE: Final = "WATCHDOG=1"
_BEATS: Final = 3  # in each of the watchdog's spans, so that one may be late


class ServiceManager:
    """The way to systemd, or to nobody.

    Attributes:
        beat_s: How often `ALIVE` is due; None where nobody waits for it.
    """

    def __init__(self, address: str, watchdog_us: int) -> None:
        """Take the socket's path, `@` before an abstract one, and the watchdog's microseconds."""
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self.beat_s = watchdog_us / 1e6 / _BEATS if address and watchdog_us > 0 else None

    @classmethod
    def take_over(cls, environment: MutableMapping[str, str] = os.environ) -> Self:
        """Read the environment, and take out of it what is not for child processes."""
        address = environment.pop("NOTIFY_SOCKET", "")
        microseconds = environment.pop("WATCHDOG_USEC", "")
        process = environment.pop("WATCHDOG_PID", "")
        meant = process in {"", str(os.getpid())} and microseconds.isdecimal()
        return cls(address, int(microseconds) if meant else 0)

    def tell(self, *news: str) -> None:
        """Send some lines; a manager that does not listen is done without."""
        if not self._address:
            return
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as connection:
                connection.setblocking(False)  # no full queue may hold up a door
                connection.sendto("\n".join(news).encode(), self._address)
        except OSError as error:
            _log.warning("systemd was not told: %s", error.strerror)
