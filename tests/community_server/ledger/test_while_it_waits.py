"""Every route that writes was asked whether it may, before a restored server has its ledger."""

import re
from pathlib import Path
from typing import Final

from community_server.app import has_to_wait
from tests.community_server.staff.walker import ROUTES, Line

_LINE: Final = re.compile(r"^(always|waits) +([A-Z]+) +(/\S*)$")
WRITING: Final = [one for one in ROUTES if one.method not in {"GET", "HEAD"}]


def read_table() -> dict[tuple[str, str], bool]:
    """Return by method and path whether a route waits."""
    text = Path(__file__).with_name("while_it_waits.txt").read_text("utf-8")
    found = [_LINE.match(line) for line in text.splitlines() if line and line[0] != "#"]
    assert all(found)
    return {(match[2], match[3]): match[1] == "waits" for match in found if match}


def test_every_route_that_writes_has_a_line_and_no_other() -> None:
    # That `ROUTES` has all there are is a test of its own, beside the table of who may what.
    assert read_table().keys() == {(one.method, one.path) for one in WRITING}


def test_each_waits_or_not_as_its_line_says() -> None:
    table = read_table()
    wrong = [one for one in WRITING if has_to_wait(one.method, one.address()) != _said(table, one)]
    assert wrong == []


def _said(table: dict[tuple[str, str], bool], one: Line) -> bool:
    return table[one.method, one.path]
