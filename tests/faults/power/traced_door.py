"""A door as `gatehouse door run` runs it, which takes texts of passes on its standard input.

Vision would read them from pictures. Each is answered by a line with its outcome. `--unsafe` lets
SQLite leave out its syncs, to prove that the tests would notice.
"""

import json
import sys
import threading
import time
from pathlib import Path
from typing import Any

from door_terminal import controller
from door_terminal.settings import Settings
from door_terminal.terminal import Terminal
from door_terminal.vision.messages import PassSeen
from tier_link.store import database


def _take_passes(terminal: Terminal) -> None:
    for line in sys.stdin:
        outcome = terminal.passes.seen(PassSeen(line.strip(), time.monotonic_ns()))
        told = {"entry": outcome.entry, "granted": outcome.granted} if outcome else {}
        print(json.dumps(told), flush=True)


def _listening(*given: Any) -> Terminal:
    terminal = Terminal(*given)
    threading.Thread(target=_take_passes, args=[terminal], daemon=True).start()
    return terminal


def main() -> None:
    if "--unsafe" in sys.argv:
        pragmas = [one.replace("synchronous = FULL", "synchronous = OFF") for one in _PRAGMAS]
        vars(database)["_PRAGMAS"] = pragmas
    vars(controller)["Terminal"] = _listening
    settings = Settings.read(data=Path(sys.argv[1]), port=0, input_tamper="simulated")
    controller.run(settings, lambda url: print(f"ready {url}", flush=True))


_PRAGMAS = database._PRAGMAS

if __name__ == "__main__":
    main()
