"""`gatehouse bench`: what this machine is good for, in faces, as a door and as a server."""

import json
import platform
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Final

import click
import numpy as np

from door_terminal.probe import choose_mode, measure
from face_engine.alignment import CROP_SIZE
from face_engine.errors import FaceEngineError
from face_engine.models import FacePack, default_folder, load_pack
from face_engine.models.registry import DEFAULT_PACK, Runtime

FRAMES: Final = 2
"""Good frames of one sighting, as doors are set up."""
_SECONDS: Final = 3.0
_RUNS: Final = 5

_ADVICE: Final = {
    "local": "A door here matches by itself.",
    "hybrid": "A door here matches by itself and asks the server when in doubt.",
    "remote": "A door here leaves matching to the server.",
}


@dataclass(frozen=True)
class Bench:
    """What was measured here.

    Attributes:
        pack: the model pack.
        threads: of one model run.
        detect_ms: one search of 640 x 480, milliseconds of wall time, like the next.
        encode_ms: one face.
        sighting_ms: last frame to probe: one search and the encoding of all its frames.
        mode: what a door here would choose: local, hybrid or remote.
        faces_per_second: what a server here encodes while nothing else runs.
    """

    pack: str
    threads: int
    detect_ms: float
    encode_ms: float
    sighting_ms: float
    mode: str
    faces_per_second: float


def look(pack: FacePack, threads: int) -> Bench:
    """Time the pack on this machine; some seconds."""
    speed = measure(pack.detector, pack.encoder)
    return Bench(
        pack=pack.name,
        threads=threads,
        detect_ms=speed.detect_ms,
        encode_ms=speed.encode_ms,
        sighting_ms=speed.detect_ms + FRAMES * speed.encode_ms,
        mode=choose_mode("auto", speed, FRAMES),
        faces_per_second=_rate(pack),
    )


def _rate(pack: FacePack) -> float:
    """Return faces a second in batches, as a busy server encodes them."""
    crops = np.random.default_rng(0).integers(0, 256, (8, CROP_SIZE, CROP_SIZE, 3), np.uint8)
    pack.encoder.encode(crops)
    times: list[float] = []
    started = time.perf_counter()
    while time.perf_counter() - started < _SECONDS or len(times) < _RUNS:
        began = time.perf_counter()
        pack.encoder.encode(crops)
        times.append(time.perf_counter() - began)
    return len(crops) / median(times)


@click.command()
@click.option("--pack", "name", default=DEFAULT_PACK, show_default=True, help="The model pack.")
@click.option(
    "--threads", type=click.IntRange(1, 64), default=1, show_default=True, help="Of one model run."
)
@click.option(
    "--runtime",
    type=click.Choice([one.value for one in Runtime]),
    default=Runtime.ONNXRUNTIME.value,
    show_default=True,
    help="What runs the models.",
)
@click.option(
    "--models",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    default=default_folder,
    help="The models folder.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def bench(name: str, threads: int, runtime: str, folder: Path, *, as_json: bool) -> None:
    """Time the face models on this machine: which door mode fits, how many faces a second."""
    try:
        result = look(load_pack(name, folder, threads=threads, runtime=runtime), threads)
    except FaceEngineError as error:
        raise click.ClickException(str(error)) from error
    if as_json:
        print(json.dumps({"machine": platform.machine(), **asdict(result)}))
        return
    print(
        f"{result.pack}, {threads} thread{'s' if threads > 1 else ''} a run, {platform.machine()}"
    )
    print(f"  find faces in 640 x 480   {result.detect_ms:8.1f} ms")
    print(f"  encode one face           {result.encode_ms:8.1f} ms")
    print(f"  one sighting, {FRAMES} frames    {result.sighting_ms:8.1f} ms")
    print(f"  {_ADVICE[result.mode]} (mode {result.mode})")
    matches = result.faces_per_second / FRAMES
    print(
        f"  A server here encodes {result.faces_per_second:.0f} faces a second: "
        f"{matches:.0f} matches for weak doors, if it does nothing else."
    )
