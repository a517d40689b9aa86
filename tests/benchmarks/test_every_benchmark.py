"""Each benchmark runs to its end and gives figures; what they say is looked at by people."""

import importlib
import os

import pytest

from benchmarks.__main__ import names
from benchmarks.identification import VARIABLE
from face_engine.errors import ModelsMissing
from face_engine.models import default_folder, load_pack


@pytest.mark.soak
@pytest.mark.parametrize("name", names())
def test_it_measures_something(name: str) -> None:
    try:
        load_pack(folder=default_folder())
    except ModelsMissing as missing:
        pytest.skip(str(missing))
    if name == "identification" and VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} names no folder of photos")
    figures = importlib.import_module(f"benchmarks.{name}").run()
    assert figures
    assert all(figure.median >= 0 and figure.samples > 0 for figure in figures)
