"""The published bundle can be compared with what anybody builds from the same sources."""

import gzip
import hashlib
import json

import pytest

from web import build

LARGEST = 150 * 1024


@pytest.mark.parametrize("tier", build.TIERS)
def test_every_served_file_is_named_after_its_own_digest(tier: str) -> None:
    folder = build.ROOT / tier / "static"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    for name, entry in manifest.items():
        content = (folder / entry["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == entry["sha256"]
        stem, _, suffix = name.rpartition(".")
        assert entry["file"] == f"{stem}-{entry['sha256'][:12]}.{suffix}"
    assert {entry["file"] for entry in manifest.values()} | {"manifest.json"} == {
        path.name for path in folder.iterdir()
    }


@pytest.mark.parametrize("tier", build.TIERS)
def test_the_scripts_of_a_page_weigh_less_than_150_kilobytes(tier: str) -> None:
    folder = build.ROOT / tier / "static"
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    scripts = [folder / one["file"] for name, one in manifest.items() if name.endswith(".js")]
    if tier == "door_terminal":  # its few lines are served as they are written
        scripts += (build.ROOT / tier / "screen").glob("*.js")
    assert scripts
    # All of a tier's together: no page has more.
    assert sum(len(gzip.compress(one.read_bytes())) for one in scripts) < LARGEST


def test_the_same_sources_give_the_same_bytes() -> None:
    manifest = json.loads(
        (build.ROOT / "enrollment_cloud" / "static" / "manifest.json").read_text("utf-8")
    )
    built = {name: hashlib.sha256(content).hexdigest() for name, content in build.bundles()}
    for name in ("form.js", "detector.js", "form.css"):
        assert built[name] == manifest[name]["sha256"]


def test_the_lock_file_names_no_registry() -> None:
    lock = json.loads((build.WEB / "package-lock.json").read_text("utf-8"))
    for name, package in lock["packages"].items():
        assert "resolved" not in package
        assert not name or package["integrity"].startswith("sha512-")
