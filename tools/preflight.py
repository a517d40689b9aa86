"""Name what the system lacks, and the command that brings it, before anything fails.

Runs with the standard library alone: `preflight.py before` with the system's Python,
`preflight.py after` with the virtual environment's.
"""

import importlib
import importlib.util
import os
import shutil
import sys
from pathlib import Path
from typing import Final

OLDEST_PYTHON: Final = (3, 11)

# The virtual environment takes some 1.3 GB, models and built pages little beside it.
NEEDED_FREE_BYTES: Final = 2_500_000_000

# Packages with compiled parts that lean on the system, and the shared libraries that a slim
# system may lack, with Debian's names for them.
COMPILED: Final = ("cv2", "onnxruntime", "faiss", "numpy", "cryptography", "psycopg")
DEBIAN_PACKAGES: Final = {
    "libGL.so.1": "libgl1",
    "libgthread-2.0.so.0": "libglib2.0-0",
    "libgomp.so.1": "libgomp1",
    "libstdc++.so.6": "libstdc++6",
}


def before() -> list[str]:
    """Look at the Python and the disk that the set-up will use."""
    problems = []
    if sys.version_info < OLDEST_PYTHON:
        found = ".".join(map(str, sys.version_info[:3]))
        problems.append(
            f"Python {found} is too old; Gatehouse needs 3.11 or newer. "
            "On Debian or Ubuntu: apt-get install python3.11, "
            "then: make PYTHON=/usr/bin/python3.11 …"
        )
    problems.extend(
        f"This Python lacks the module '{module}'. On Debian or Ubuntu: "
        "apt-get install python3-venv"
        for module in ("venv", "ensurepip")
        if importlib.util.find_spec(module) is None
    )
    free = shutil.disk_usage(Path.cwd()).free
    if free < NEEDED_FREE_BYTES and not Path(".venv").exists():
        problems.append(
            f"Only {free / 1e9:.1f} GB are free here; the set-up needs "
            f"{NEEDED_FREE_BYTES / 1e9:.1f} GB. Free some space or clone elsewhere."
        )
    if not os.access(Path.cwd(), os.W_OK):
        problems.append("This folder cannot be written; clone into one that you own.")
    return problems


def after() -> list[str]:
    """Load the packages with compiled parts that this machine has, to see what the system lacks."""
    problems = []
    for name in filter(importlib.util.find_spec, COMPILED):
        try:
            importlib.import_module(name)
        except ImportError as error:
            library = next((key for key in DEBIAN_PACKAGES if key in str(error)), None)
            remedy = (
                f"On Debian or Ubuntu: apt-get install {DEBIAN_PACKAGES[library]}"
                if library
                else "Delete .venv and run 'make setup' again."
            )
            problems.append(f"'{name}' does not load: {error}. {remedy}")
    return problems


def main(stage: str) -> int:
    """Print the problems of one stage; return 1 if there are any."""
    problems = before() if stage == "before" else after()
    for problem in problems:
        print(f"preflight: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:2] or ["before"]))
