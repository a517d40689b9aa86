"""What people agree to is known by its version; no text changes under the version of another."""

import hashlib
import json
from pathlib import Path
from typing import Any, Final

import pytest

FILE: Final = Path(__file__).parents[3] / "community_server" / "consents.json"
VERSIONS: Final = {
    "2026-11": "11e007305758d9b321cf0d3e674215c659fa750048e4a49e32c212eeada1c605",
    "2026-11-28": "e30a705e87a8739dac316350bb6f4446a7df7fd080c13b4ab468b7ef80f5bee8",
}
"""SHA-256 of all texts that ever had a version: a changed text adds a line, and alters none."""


@pytest.fixture
def document() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(FILE.read_text("utf-8"))
    return found


def test_the_texts_are_those_that_their_version_stands_for(document: dict[str, Any]) -> None:
    version = document.pop("version")
    texts = json.dumps(document, sort_keys=True, ensure_ascii=False)
    assert hashlib.sha256(texts.encode()).hexdigest() == VERSIONS[version]
    assert list(VERSIONS)[-1] == version


@pytest.mark.parametrize(
    ("language", "keeping", "renewing"),
    [
        ("en", ("own page", "property desk"), ("resident's page", "the desk")),
        ("zh-CN", ("自己的页面", "物业前台"), ("住户页面", "物业前台")),
    ],
)
def test_both_ways_to_withdraw_are_named_where_keeping_is_agreed_to(
    document: dict[str, Any],
    language: str,
    keeping: tuple[str, str],
    renewing: tuple[str, str],
) -> None:
    (keep,) = [one for one in document["consents"] if one["id"] == "keep"]
    for one, ways in ((keep, keeping), (document["renewal"], renewing)):
        assert all(way in one[language]["text"] for way in ways)
