"""A backup that any release made is opened here, and its release reads the header of ours."""

import json
from pathlib import Path

import msgspec
import pytest

from community_server.backups.sealed_file import MAGIC, Kind, opened_file
from tests.community_server.backups.make_kept import (
    BODY,
    ESTATE,
    FOLDER,
    KEY,
    KINDS,
    MADE_AT,
    write,
)
from tests.tier_link.wire.schema import reader

RELEASES = sorted(one.name for one in FOLDER.iterdir())


def test_the_first_release_is_kept() -> None:
    assert "0.1" in RELEASES


@pytest.mark.parametrize("release", RELEASES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_backup_of_a_release_is_opened_here(release: str, kind: Kind) -> None:
    with opened_file(FOLDER / release / f"{kind}.gatehouse-backup", KEY, kind) as opened:
        assert b"".join(opened.chunks) == BODY
    assert (opened.header.estate, opened.header.made_at) == (ESTATE, MADE_AT)


@pytest.mark.parametrize("release", RELEASES)
def test_a_release_reads_what_a_backup_made_here_says_of_itself(
    release: str, tmp_path: Path
) -> None:
    write(tmp_path)
    shape = json.loads((FOLDER / release / "header.json").read_text("utf-8"))
    for kind in KINDS:
        file = (tmp_path / f"{kind}.gatehouse-backup").read_bytes()
        start = len(MAGIC) + 4
        length = int.from_bytes(file[len(MAGIC) : start])
        header = msgspec.msgpack.decode(file[start : start + length], type=reader(shape))
        assert (header.kind, header.estate, header.made_at) == (kind, ESTATE, MADE_AT)
