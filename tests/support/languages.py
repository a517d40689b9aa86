"""Languages for a test of pages: Chinese each time, English as well where there is time."""

from typing import Final

import pytest

EITHER: Final = ("zh-CN", pytest.param("en", marks=pytest.mark.long))
"""For a test that reads its words from the catalogues: `make test` takes one, `make long` both."""
