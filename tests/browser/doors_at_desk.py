"""A door of the desk's estate that does what a test wants: rings, alarms, tells entries."""

import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from gatehouse.local_estate import wait_for
from gatehouse.staff_client import StaffClient
from tests.browser.console import PASSWORD, USERNAME, Desk
from tests.community_server.doubles import DoorDouble
from tier_link.estate_messages import AlarmChanged

RING_EVERY_S = 0.5


@contextmanager
def staff_of(desk: Desk) -> Iterator[StaffClient]:
    """Sign in to the API as the desk does in its browser."""
    authority = (desk.estate.folder / "server" / "ca.pem").read_text()
    with StaffClient.connect(desk.estate.server_address, authority_pem=authority) as staff:
        staff.sign_in(USERNAME, PASSWORD)
        yield staff


@dataclass
class DoorAtDesk:
    """A connected door."""

    door: str
    terminal: DoorDouble

    def alarm(self, kind: str) -> AlarmChanged:
        """Raise an alarm."""
        raised = AlarmChanged(secrets.token_hex(16), kind, True, int(time.time() * 1000), True)
        self.terminal.send(raised)
        return raised

    def end(self, alarm: AlarmChanged) -> None:
        """End an alarm."""
        self.terminal.send(AlarmChanged(alarm.alarm, alarm.kind, False, alarm.at + 1, True))

    @contextmanager
    def ringing(self) -> Iterator[str]:
        """Ring, with a new picture each time, until the test is done with it."""
        call, over = secrets.token_hex(16), threading.Event()

        def ring() -> None:
            began = time.monotonic()
            while not over.wait(RING_EVERY_S):
                rung = int((time.monotonic() - began) * 1000)
                self.terminal.ring(call, still(rung // 10 % 255), rung)

        thread = threading.Thread(target=ring, daemon=True)
        thread.start()
        try:
            yield call
        finally:
            over.set()
            thread.join()
            self.terminal.ring("")


@contextmanager
def door_at(desk: Desk, name: str, folder: Path, direction: str = "both") -> Iterator[DoorAtDesk]:
    """Add a door, pair a terminal with it and connect it."""
    with staff_of(desk) as staff:
        door = staff.call("POST", "doors", {"name": name, "direction": direction})["door"]
        code = staff.call("POST", f"doors/{door}/pairing")["code"]
    with DoorDouble(folder, desk.estate.server_address) as terminal:
        terminal.pair(code)
        terminal.connect()
        wait_for("the door's settings", lambda: terminal.configuration)
        terminal.show_presence()
        yield DoorAtDesk(door, terminal)


def still(shade: int) -> bytes:
    """Return a picture of some grey, as a camera would send it."""
    picture = np.full((360, 480, 3), shade, np.uint8)
    done, data = cv2.imencode(".jpg", picture)
    assert done
    return data.tobytes()
