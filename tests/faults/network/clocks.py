"""The clocks of an estate's machines, as a test sets them; see `clocks/sitecustomize.py`."""

import json
import os
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

_PATCHES: Final = Path(__file__).parents[1] / "clocks"


@dataclass
class Clocks:
    """Files in a folder, one for each tier."""

    folder: Path
    _now: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir()
        for tier in ("cloud", "server", "door"):
            self._now[tier] = {"ahead": 0, "boot": "the-first", "booted": 0}
            self._write(tier)

    @property
    def environment(self) -> dict[str, str]:
        """What processes need in their environment."""
        paths = [str(_PATCHES), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            "PYTHONPATH": os.pathsep.join(paths),
            "GATEHOUSE_TEST_CLOCKS": str(self.folder),
        }

    def set(self, tier: str, ahead_s: int) -> None:
        """Put a tier's time so far ahead of the right one."""
        self._now[tier]["ahead"] = ahead_s
        self._write(tier)

    def reboot(self, tier: str) -> None:
        """Let the tier's next start be the first of a new boot."""
        self._now[tier] |= {
            "boot": secrets.token_hex(8),
            "booted": time.clock_gettime(time.CLOCK_BOOTTIME),
        }
        self._write(tier)

    def _write(self, tier: str) -> None:
        part = self.folder / "part"
        part.write_text(json.dumps(self._now[tier]))
        part.replace(self.folder / f"{tier}.json")
