import os
import secrets
from pathlib import Path

import pytest

from tests.support.disk_images import mounted
from tier_kit.private_files import make_private_folder, write_private


def test_a_private_file_is_its_owners_alone_and_so_is_a_folder_made_for_it(tmp_path: Path) -> None:
    write_private(tmp_path / "vault" / "key", b"secret")
    assert (tmp_path / "vault" / "key").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "vault").stat().st_mode & 0o777 == 0o700


def test_an_interrupted_write_is_begun_again_and_lends_its_mode_to_nothing(tmp_path: Path) -> None:
    left_over = tmp_path / ".key.new"
    left_over.write_bytes(b"half")
    left_over.chmod(0o666)
    write_private(tmp_path / "key", b"whole")
    assert (tmp_path / "key").read_bytes() == b"whole"
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    assert not left_over.exists()


def test_what_a_file_held_before_is_overwritten_on_the_disk(tmp_path: Path) -> None:
    former, next_one = secrets.token_bytes(200), secrets.token_bytes(200)
    image = tmp_path / "disk.img"
    with mounted(image, tmp_path / "disk", megabytes=8) as disk:
        write_private(disk / "key", former)
        os.sync()
        assert former in image.read_bytes(), "it never was on the disk"
        write_private(disk / "key", next_one)
    assert next_one in image.read_bytes()
    assert former not in image.read_bytes()


def test_whoever_keeps_a_file_by_another_name_keeps_what_it_held(tmp_path: Path) -> None:
    write_private(tmp_path / "key", b"former")
    (tmp_path / "copy").hardlink_to(tmp_path / "key")
    write_private(tmp_path / "key", b"next")
    assert (tmp_path / "copy").read_bytes() == b"former"


def test_a_folder_is_made_with_those_above_it_and_each_name_is_durable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def watch(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    make_private_folder(tmp_path / "gatehouse" / "door")
    assert synced == [str(tmp_path), str(tmp_path / "gatehouse")]
    assert (tmp_path / "gatehouse" / "door").stat().st_mode & 0o777 == 0o700
    make_private_folder(tmp_path / "gatehouse" / "door")
    assert len(synced) == 2
