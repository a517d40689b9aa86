"""`make bench`: run every benchmark of this folder, print its figures, keep them in a file.

A benchmark is a module here with `run() -> list[Figure]`. `python -m benchmarks NAME …` runs
those alone.
"""

import importlib
import json
import os
import platform
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure

FOLDER = Path(__file__).parent
NOT_BENCHMARKS = {"__init__", "__main__", "figures"}


def names() -> list[str]:
    """Return the benchmarks' names in alphabetical order."""
    return sorted({path.stem for path in FOLDER.glob("*.py")} - NOT_BENCHMARKS)


def line(figure: Figure) -> str:
    """Return one figure as a line for people."""
    text = f"  {figure.name}: {figure.median:.4g} {figure.unit}"
    if figure.reference_median is not None:
        text += f" against {figure.reference_median:.4g} {figure.unit} {figure.reference}"
    if figure.ratio is not None:
        text += f", ratio {figure.ratio:.3g}"
    text += f" (n = {figure.samples})"
    return f"{text}\n      {figure.note}" if figure.note else text


def main(chosen: list[str]) -> None:
    """Run the chosen benchmarks, or all."""
    results: dict[str, list[dict[str, object]]] = {}
    for name in chosen or names():
        print(f"{name}", flush=True)
        figures = importlib.import_module(f"benchmarks.{name}").run()
        for figure in figures:
            print(line(figure), flush=True)
        results[name] = [asdict(figure) for figure in figures]
    now = datetime.now(UTC)
    machine = {
        "cpus": os.cpu_count(),
        "machine": platform.machine(),
        "python": sys.version.split()[0],
    }
    folder = FOLDER / "results"
    folder.mkdir(exist_ok=True)
    file = folder / f"{now:%Y%m%dT%H%M%SZ}.json"
    file.write_text(json.dumps({"at": now.isoformat(), **machine, "figures": results}, indent=1))
    print(f"written to benchmarks/results/{file.name}")


if __name__ == "__main__":
    main(sys.argv[1:])
