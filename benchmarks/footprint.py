"""What each tier takes: on the disk, to start, and in memory once it has nothing to do.

Sizes are those of an installation as `deploy/Containerfile.*` make it: Python's own packages by the
tier's lock, this project and the models; they are installed anew, from the network. A start runs
from the process's begin to its first answer, for a door until it is seeing: warm, and where this
may empty the system's page cache (as root on Linux), cold. Memory is what the kernel counts for the
tier's processes, shared pages shared out (PSS), a while after the start.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import httpx
import psutil

from benchmarks.figures import Figure
from face_engine.models import default_folder
from gatehouse.camera_feed import CameraFeed
from gatehouse.local_estate import LocalEstate, TierProcess, wait_for

ROOT: Final = Path(__file__).parent.parent
PACKAGES: Final = {
    "cloud": ("enrollment_cloud", "tier_kit", "tier_link", "gatehouse", "migrations"),
    "server": (
        "community_server",
        "face_engine",
        "access_rules",
        "tier_kit",
        "tier_link",
        "gatehouse",
        "migrations",
    ),
    "door": (
        "door_terminal",
        "face_engine",
        "access_rules",
        "tier_kit",
        "tier_link",
        "gatehouse",
        "migrations",
    ),
}
STARTS: Final = 5
SETTLED_S: Final = 15.0
_DROP: Final = Path("/proc/sys/vm/drop_caches")
_MIB: Final = 2**20


def run() -> list[Figure]:
    """Install, start and weigh each tier."""
    return [*_sizes(), *_starts()]


def _sizes() -> Iterator[Figure]:
    models = _size(default_folder())
    for tier, packages in PACKAGES.items():
        own = sum(_size(ROOT / name) for name in packages)
        with tempfile.TemporaryDirectory() as folder:
            pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
            lock = ROOT / "deploy" / "requirements" / f"{tier}.lock"
            into = ["--target", folder, "--require-hashes", "--no-deps", "-r", str(lock)]
            subprocess.run([*pip, *into], check=True)
            libraries = _size(Path(folder))
        faces = 0 if tier == "cloud" else models
        yield Figure(
            f"{tier}: installed, beside Python itself",
            (libraries + own + faces) / _MIB,
            "MiB",
            1,
            note=f"libraries {libraries / _MIB:.0f} MiB, the project {own / _MIB:.1f} MiB,"
            f" models {faces / _MIB:.0f} MiB",
        )


def _starts() -> Iterator[Figure]:
    with (
        tempfile.TemporaryDirectory() as folder,
        CameraFeed() as feed,
        LocalEstate(Path(folder)) as estate,
    ):
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Bench Court")
        door = estate.add_door("Gate", feed.url, gate="simulated")
        seeing = f"http://127.0.0.1:{estate.door_ports[door]}/state"
        tiers: dict[str, tuple[TierProcess, Callable[[], bool]]] = {
            "cloud": (estate.cloud, lambda: _answers(f"{estate.cloud_address}/health")),
            "server": (estate.server, lambda: _answers(f"{estate.server_address}/health")),
            "door": (estate.doors[door], lambda: _sees(seeing)),
        }
        for _, ready in tiers.values():
            wait_for("every tier", ready)
        time.sleep(SETTLED_S)
        for name, (tier, _) in tiers.items():
            yield Figure(f"{name}: memory with nothing to do", _memory(tier), "MiB", 1)
        for name, (tier, ready) in tiers.items():
            for state in ("warm", "cold") if os.access(_DROP, os.W_OK) else ("warm",):
                seconds = [_start(tier, ready, cold=state == "cold") for _ in range(STARTS)]
                yield Figure(
                    f"{name}: from a {state} start to "
                    + ("seeing" if name == "door" else "its first answer"),
                    statistics.median(seconds),
                    "s",
                    STARTS,
                    note=f"longest {max(seconds):.1f} s",
                )


def _start(tier: TierProcess, ready: Callable[[], bool], *, cold: bool) -> float:
    tier.stop()
    if cold:
        os.sync()
        _DROP.write_text("3")
    began = time.monotonic()
    tier.start()
    wait_for("the tier", ready)
    return time.monotonic() - began


def _answers(address: str) -> bool:
    try:
        return httpx.get(address, verify=False, trust_env=False).is_success  # noqa: S501 - no secret travels
    except httpx.TransportError:
        return False


def _sees(address: str) -> bool:
    try:
        state = httpx.get(address, trust_env=False).json()
    except httpx.TransportError:
        return False
    return bool(state["frames"])


def _memory(tier: TierProcess) -> float:
    if tier.process is None:
        raise RuntimeError("the tier is not running")
    first = psutil.Process(tier.process.pid)
    everyone = [first, *first.children(recursive=True)]
    return sum(float(one.memory_full_info().pss) for one in everyone) / _MIB


def _size(folder: Path) -> int:
    """Return the bytes of a folder's files, without what Python compiles by itself."""
    files = (one for one in folder.rglob("*") if one.is_file() and "__pycache__" not in one.parts)
    return sum(one.stat().st_size for one in files)
