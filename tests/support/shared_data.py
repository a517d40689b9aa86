"""Evaluation photos that stay outside the project: tests that use them skip without them."""

import os
from pathlib import Path

import pytest


def shared_folder(name: str) -> Path:
    """Return a folder of the shared data, or skip the test with the reason."""
    default = Path(__file__).parents[3] / "shared"
    folder = Path(os.environ.get("GATEHOUSE_SHARED", default)) / "data" / name
    if not folder.is_dir():
        pytest.skip(f"the evaluation data '{name}' is not here; GATEHOUSE_SHARED names its folder")
    return folder
