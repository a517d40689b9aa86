"""A pinned version that an advisory names fails the check; an old snapshot says how old it is."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tools import advisories
from tools.advisories import Pinned, affected, age_warning, is_in, pinned, read_snapshot, renew


def record(*events: dict[str, str], name: str = "Some.Package", **more: Any) -> dict[str, Any]:
    place = {
        "package": {"ecosystem": "PyPI", "name": name},
        "ranges": [{"type": "ECOSYSTEM", "events": list(events)}],
    }
    return {"id": "GHSA-1", "summary": "bytes end it", "affected": [place | more]}


RECORD = record(
    {"introduced": "1.2"}, {"fixed": "1.4.2"}, {"introduced": "2.0rc1"}, {"fixed": "2.1"}
)


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ("1.1", False),
        ("1.2", True),
        ("1.4.1", True),
        ("1.4.2", False),
        ("1.10", False),
        ("2.0rc1", True),
        ("2.0", True),
        ("2.1", False),
    ],
)
def test_versions_lie_in_the_spans_that_a_record_names(version: str, named: bool) -> None:  # noqa: FBT001 -- parametrised
    assert is_in(version, RECORD["affected"][0]) is named
    found = list(affected({"advisories": [RECORD]}, [Pinned("PyPI", "some-package", version)]))
    assert bool(found) is named
    assert all("GHSA-1" in one and version in one for one in found)


def test_a_record_may_name_versions_or_the_last_one() -> None:
    (place,) = record({"introduced": "0"}, {"last_affected": "3.1"})["affected"]
    assert [is_in(version, place) for version in ("0.1", "3.1", "3.1.1")] == [True, True, False]
    (place,) = record(versions=["9.9"])["affected"]
    assert [is_in(version, place) for version in ("9.9", "9.8")] == [True, False]


def test_another_ecosystem_or_name_is_not_meant() -> None:
    others = [Pinned("npm", "some-package", "1.3"), Pinned("PyPI", "some", "1.3")]
    assert list(affected({"advisories": [RECORD]}, others)) == []


def test_what_is_called_harmless_here_is_passed_by_name_alone() -> None:
    harmless = [{"id": "GHSA-1", "package": "some-package", "reason": "its command is never run"}]
    installed = [Pinned("PyPI", "some-package", "1.3")]
    assert not list(affected({"advisories": [RECORD], "harmless": harmless}, installed))
    other = [{"id": "GHSA-2", "package": "some-package", "reason": "another"}]
    assert list(affected({"advisories": [RECORD], "harmless": other}, installed))


def test_the_snapshots_age_is_told_once_it_is_old() -> None:
    snapshot = {"as_of": "2026-11-01"}
    assert age_warning(snapshot, date(2026, 12, 1)) == ""
    assert "31 days ago" in age_warning(snapshot, date(2026, 12, 2))


def test_every_lock_is_read_and_the_snapshot_would_have_found_what_it_names() -> None:
    installed = pinned(advisories.ROOT)
    names = {(one.ecosystem, one.name) for one in installed}
    assert {("PyPI", "starlette"), ("PyPI", "cryptography"), ("npm", "esbuild")} <= names
    snapshot = read_snapshot()
    for one in snapshot["advisories"]:
        for place in one["affected"]:
            package = place["package"]
            assert (package["ecosystem"], package["name"]) in names, one["id"]
            first = next(event for event in place["ranges"][0]["events"] if "introduced" in event)
            version = "0.0.1" if first["introduced"] == "0" else first["introduced"]
            old = Pinned(package["ecosystem"], package["name"], version)
            assert any(one["id"] in found for found in affected(snapshot, [old])), one["id"]


def test_renewing_keeps_what_concerns_pinned_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    """As OSV answers: ids by package, then each record whole."""
    whole = {
        "id": "GHSA-1",
        "aliases": ["CVE-1"],
        "details": "Bytes end it.\nMore words.",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "Starlette", "purl": "pkg:x"},
                "ranges": [
                    {"type": "GIT", "events": [{"introduced": "0"}]},
                    {"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "0.1"}]},
                ],
                "versions": ["0.0.1"],
            },
            {"package": {"ecosystem": "PyPI", "name": "unheard-of"}, "ranges": []},
        ],
    }
    asked: list[str] = []

    def ask(path: str, body: Any = None) -> dict[str, Any]:
        asked.append(path)
        if path != "/querybatch":
            return whole
        found = [
            {"vulns": [{"id": "GHSA-1"}]} if one["package"]["name"] == "starlette" else {}
            for one in body["queries"]
        ]
        return {"results": found}

    monkeypatch.setattr(advisories, "_ask", ask)
    fresh = renew({"harmless": [{"id": "x"}]}, date(2026, 11, 27))
    assert asked == ["/querybatch", "/vulns/GHSA-1"]
    assert (fresh["as_of"], fresh["harmless"]) == ("2026-11-27", [{"id": "x"}])
    (kept,) = fresh["advisories"]
    assert (kept["summary"], kept["aliases"]) == ("Bytes end it.", ["CVE-1"])
    (place,) = kept["affected"]
    assert [span["type"] for span in place["ranges"]] == ["ECOSYSTEM"]
    assert is_in("0.0.9", place)
    assert not is_in("0.1", place)


def test_without_the_network_renewing_says_so(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    snapshot = tmp_path / "advisories.json"
    snapshot.write_text(json.dumps({"as_of": "2026-11-01", "advisories": []}))
    monkeypatch.setattr(advisories, "SNAPSHOT", snapshot)
    monkeypatch.setattr(advisories, "OSV", "http://127.0.0.1:9")
    monkeypatch.setattr("sys.argv", ["advisories.py", "renew"])
    assert advisories.main() == 1
    assert "cannot be reached" in capsys.readouterr().err
    assert json.loads(snapshot.read_text())["as_of"] == "2026-11-01"
