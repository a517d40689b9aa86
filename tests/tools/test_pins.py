"""What is installed without a version and a hash is found, in locks and in recipes."""

import json
import shutil
from pathlib import Path

import pytest

from tools import check_repository


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    real = check_repository.ROOT
    for name in ("requirements.lock", "Makefile", "web/package-lock.json", ".ci", "deploy"):
        place = tmp_path / name
        place.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (real / name).is_dir() else shutil.copy
        copy(real / name, place)
    monkeypatch.setattr(check_repository, "ROOT", tmp_path)
    return tmp_path


def test_what_is_there_is_pinned() -> None:
    assert list(check_repository.every_pin_has_its_hash()) == []
    assert list(check_repository.nothing_is_installed_unpinned()) == []


@pytest.mark.parametrize(
    "line", ["left-pad==1.0", "left-pad>=1.0 \\\n    --hash=sha256:00", "left-pad"]
)
@pytest.mark.parametrize("lock", ["requirements.lock", "deploy/requirements/door.lock"])
def test_a_line_without_version_or_hash_is_named(root: Path, lock: str, line: str) -> None:
    with (root / lock).open("a") as file:
        file.write(line + "\n")
    (found,) = check_repository.every_pin_has_its_hash()
    assert lock in found
    assert "left-pad" in found


def test_a_package_of_the_pages_without_hash_is_named(root: Path) -> None:
    path = root / "web/package-lock.json"
    lock = json.loads(path.read_text())
    del lock["packages"]["node_modules/hpke"]["integrity"]
    path.write_text(json.dumps(lock))
    assert [*check_repository.every_pin_has_its_hash()] == [
        "web/package-lock.json has no SHA-512 of node_modules/hpke"
    ]


@pytest.mark.parametrize(
    ("recipe", "line"),
    [
        ("Makefile", "\t$(BIN)/pip install ruff"),
        (".ci/run", "python3 -m pip install --quiet -r requirements.txt"),
        ("deploy/Containerfile.door", "RUN apt-get update && \\\n    pip install --no-deps numpy"),
    ],
)
def test_an_install_without_hashes_is_named(root: Path, recipe: str, line: str) -> None:
    with (root / recipe).open("a") as file:
        file.write("\n" + line + "\n")
    (found,) = check_repository.nothing_is_installed_unpinned()
    assert recipe in found
