"""What all tests share: the order in which their files run, and starts that cost little."""

from collections.abc import Iterator
from typing import Final

import pytest

LONGEST_FIRST: Final = (
    "tests/end_to_end/",
    "tests/faults/",
    "tests/browser/",
    "tests/door_terminal/test_door_processes.py",
    "tests/enrollment_cloud/test_whole_cycle.py",
    "tests/community_server/test_whole_server.py",
)
"""Files that drive real processes for a minute or more. A worker takes a whole file; begun last,
one of these would keep it busy while the others have nothing left."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the long files; within each, tests keep their order."""
    items.sort(key=lambda item: not item.nodeid.startswith(LONGEST_FIRST))


@pytest.fixture(scope="session", autouse=True)
def _quick_starts() -> Iterator[None]:
    # In a worker alone: it imports all three tiers, which takes seconds.
    from tests.support.quick_starts import quick_starts  # noqa: PLC0415 -- see above

    with quick_starts():
        yield


@pytest.fixture
def real_hashing() -> Iterator[None]:
    """Hash passwords and PINs at the cost that is shipped."""
    from tests.support.quick_starts import shipped_hashing  # noqa: PLC0415 -- see above

    with shipped_hashing():
        yield
