"""Disks as files: what was written on one, deleted files and the journal included."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

FORMAT: Final = "ext4"
TOOLS: Final = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@contextmanager
def mounted(image: Path, folder: Path, *, megabytes: int) -> Iterator[Path]:
    """Make an image of ext4, mount it while the block runs, and leave it as a switched-off disk.

    Skips the test where an image cannot be made or mounted.
    """
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    make = shutil.which("mke2fs", path=TOOLS)
    if make is None or os.geteuid() != 0:
        pytest.skip("a disk's image needs mke2fs, and root to mount it")
    subprocess.run([make, "-q", "-t", FORMAT, image], check=True)
    with attached(image, folder):
        yield folder


@contextmanager
def attached(image: Path, folder: Path) -> Iterator[Path]:
    """Mount an image that was made before."""
    folder.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(
        ["mount", "-o", "loop", image, folder], capture_output=True, check=False, text=True
    )
    if done.returncode != 0:
        pytest.skip(f"no image can be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", folder], check=True)
