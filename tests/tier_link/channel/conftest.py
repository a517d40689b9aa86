from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.databases import postgresql_database
from tests.tier_link.channel.nodes import Node, Server


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    with ExitStack() as stack:
        if request.param == "postgresql":
            url = stack.enter_context(postgresql_database())
        else:
            url = f"sqlite:///{tmp_path}/server.sqlite"
        node = Server(url)
        stack.callback(node.engine.dispose)
        yield node


@pytest.fixture
def door(tmp_path: Path, server: Server) -> Iterator[Node]:
    """A door that the server knows."""
    node = Node("d00f", f"sqlite:///{tmp_path}/door.sqlite")
    server.paired["d00f"] = node.public_key
    yield node
    node.engine.dispose()
