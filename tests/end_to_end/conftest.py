"""What the end-to-end tests share."""

from pathlib import Path

import pytest

from face_engine.models import default_folder
from face_engine.models.fetching import fetch
from face_engine.models.registry import OPENCV_ZOO


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder of models, with the default pack in it."""
    folder = default_folder()
    fetch(OPENCV_ZOO, folder)
    return folder
