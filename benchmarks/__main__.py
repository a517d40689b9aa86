"""`make bench`: run every benchmark of this folder, print its figures, keep them in a file.

A benchmark is a module here with `run() -> list[Figure]`. `python -m benchmarks NAME …` runs
those alone. Each figure is set beside the last one measured on a machine of the same kind.
"""

import importlib
import json
import sys
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import Figure
from benchmarks.results import Kind, last_figures, this_machine

FOLDER = Path(__file__).parent
RESULTS = FOLDER / "results"
NOT_BENCHMARKS = {
    "__init__",
    "__main__",
    "figures",
    "results",
    "sample",
    "traffic",
    "long_run",
    "cloud_estates",
    "cloud_people",
    "cloud_plan",
    "cloud_scale",
    "cloud_site",
    "crowd",
    "entry_log",
    "forgetting",
    "large_estate",
    "processes",
    "simulated_doors",
    "year",
}


def names() -> list[str]:
    """Return the benchmarks' names in alphabetical order."""
    return sorted({path.stem for path in FOLDER.glob("*.py")} - NOT_BENCHMARKS)


def line(figure: Figure, last: Figure | None) -> str:
    """Return one figure as lines for people, with its change since the last results."""
    text = f"  {figure.name}: {figure.median:.4g} {figure.unit}"
    if figure.reference_median is not None:
        text += f" against {figure.reference_median:.4g} {figure.unit} {figure.reference}"
    if figure.ratio is not None:
        text += f", ratio {figure.ratio:.3g}"
        if figure.ratio < 1:
            text += f" ({1 / figure.ratio:.2f} times as fast)"
    text += f" (n = {figure.samples})"
    if figure.note:
        text += f"\n      {figure.note}"
    if last is not None:
        text += f"\n      {_change(figure, last)}"
    return text


def _change(figure: Figure, last: Figure) -> str:
    """Compare ratios where there are some: machines drift, ratios hardly."""
    if figure.ratio is not None and last.ratio:
        return f"ratio last time {last.ratio:.3g}: {figure.ratio / last.ratio - 1:+.0%}"
    change = figure.median / last.median - 1 if last.median else 0.0
    return f"last time {last.median:.4g} {last.unit}: {change:+.0%}"


def main(chosen: list[str]) -> None:
    """Run the chosen benchmarks, or all."""
    machine = this_machine()
    before = last_figures(RESULTS, machine)
    results: dict[str, list[dict[str, object]]] = {}
    for name in chosen or names():
        print(name, flush=True)
        figures = importlib.import_module(f"benchmarks.{name}").run()
        for figure in figures:
            print(line(figure, before.get((name, figure.name))), flush=True)
        results[name] = [asdict(figure) for figure in figures]
    print(f"written to benchmarks/results/{_write(results, machine)}")


def _write(results: dict[str, list[dict[str, object]]], machine: Kind) -> str:
    now = datetime.now(UTC)
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{now:%Y%m%dT%H%M%SZ}.json"
    document = {"at": now.isoformat(), "machine": asdict(machine), "figures": results}
    file.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    return file.name


if __name__ == "__main__":
    main(sys.argv[1:])
