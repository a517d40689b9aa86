"""Earlier results of machines of the same kind."""

import json
import os
import platform
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks.figures import Figure


@dataclass(frozen=True)
class Kind:
    """What must be equal for two machines' figures to be compared."""

    processor: str
    cpus: int
    python: str


def this_machine() -> Kind:
    """Return this machine's kind."""
    return Kind(_processor(), os.cpu_count() or 1, ".".join(map(str, sys.version_info[:2])))


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass  # not Linux
    return platform.processor() or platform.machine()


def last_figures(folder: Path, machine: Kind) -> dict[tuple[str, str], Figure]:
    """Return the newest figure of each (benchmark, name); files of another form are passed over."""
    found: dict[tuple[str, str], Figure] = {}
    for file in sorted(folder.glob("*.json")):
        try:
            document: dict[str, Any] = json.loads(file.read_text("utf-8"))
            if document["machine"] != asdict(machine):
                continue
            for benchmark, figures in document["figures"].items():
                for fields in figures:
                    found[benchmark, fields["name"]] = Figure(**fields)
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
