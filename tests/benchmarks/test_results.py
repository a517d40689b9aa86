import json
from dataclasses import asdict, replace
from pathlib import Path

from benchmarks.__main__ import line
from benchmarks.figures import Figure
from benchmarks.results import Kind, last_figures

HERE = Kind("a processor", 2, "3.11")
ELSEWHERE = replace(HERE, processor="another")
FIGURE = Figure("search", 2.0, "ms", 5, reference="bare", reference_median=1.0, ratio=2.0)


def keep(folder: Path, name: str, machine: Kind, figure: Figure) -> None:
    document = {"machine": asdict(machine), "figures": {"gallery": [asdict(figure)]}}
    (folder / name).write_text(json.dumps(document))


def test_the_newest_figure_of_the_same_kind_of_machine_is_found(tmp_path: Path) -> None:
    keep(tmp_path, "1.json", HERE, replace(FIGURE, ratio=9.0))
    keep(tmp_path, "2.json", HERE, FIGURE)
    keep(tmp_path, "3.json", ELSEWHERE, replace(FIGURE, ratio=7.0))
    assert last_figures(tmp_path, HERE) == {("gallery", "search"): FIGURE}


def test_results_of_another_form_are_passed_over(tmp_path: Path) -> None:
    (tmp_path / "1.json").write_text("{")
    (tmp_path / "2.json").write_text('{"figures": []}')
    assert last_figures(tmp_path, HERE) == {}


def test_a_figure_is_told_with_its_change() -> None:
    assert "ratio last time 2: +50%" in line(replace(FIGURE, ratio=3.0), FIGURE)
    alone = replace(FIGURE, ratio=None)
    assert "last time 2 ms: -25%" in line(replace(alone, median=1.5), alone)
    assert "last time" not in line(FIGURE, None)
