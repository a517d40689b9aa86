"""Graphs that were prepared once are opened without what prepared them."""

import subprocess
import sys
from pathlib import Path

from face_engine.models import default_folder, load_pack

SCRIPT = """
import sys
from pathlib import Path
from face_engine.models import load_pack
load_pack(folder=Path(sys.argv[1]))
print("onnx" in sys.modules)
"""


def test_a_pack_that_was_prepared_is_opened_without_the_library_that_rewrites_graphs() -> None:
    load_pack(folder=default_folder())
    again = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(default_folder())],
        check=True,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[3],
    )
    assert again.stdout == "False\n"
