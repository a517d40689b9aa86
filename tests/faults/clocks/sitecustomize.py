"""Gives a tier's processes clocks that a test can set: the hardware's time, and which boot this is.

Python imports a module of this name at start when its folder is on `PYTHONPATH`; the tests put it
there. `GATEHOUSE_TEST_CLOCKS` names a folder; what a tier finds there in `<tier>.json` is how far
its time is `ahead` (seconds, also negative), asked anew each time, and for a door the id of its
`boot` and when that began (`booted`, CLOCK_BOOTTIME), read once.
"""

import json
import os
import sys
import time
from pathlib import Path

_TIERS = {"cloud": "cloud", "server": "server", "door": "door", "door_terminal.vision": "door"}
_tier = next((_TIERS[one] for one in sys.orig_argv if one in _TIERS), "")
_file = Path(os.environ["GATEHOUSE_TEST_CLOCKS"]) / f"{_tier}.json"
_wall, _steady = time.time, time.clock_gettime


def _set_wall() -> float:
    return _wall() + float(json.loads(_file.read_text())["ahead"])


def _boot() -> None:
    from door_terminal import clock  # noqa: PLC0415 - a door's alone

    began = json.loads(_file.read_text())
    name = _file.with_name(f"boot-{began['boot']}")
    name.write_text(began["boot"])
    vars(clock)["_BOOT_ID"] = name
    vars(time)["clock_gettime"] = lambda which: (
        _steady(which) - (began["booted"] if which == time.CLOCK_BOOTTIME else 0.0)
    )


if _tier:
    vars(time)["time"] = _set_wall
if _tier == "door":
    _boot()
