"""What the device seals, only the device opens, and only as what it was sealed for."""

from pathlib import Path

import pytest

from door_terminal.device_keys import DeviceKey
from door_terminal.errors import SecretDamaged, StartRefused


def test_a_key_survives_a_restart(tmp_path: Path) -> None:
    sealed = DeviceKey.open(tmp_path).seal(b"template", "roster", "door", "person", "space")
    again = DeviceKey.open(tmp_path)
    assert again.open_sealed(sealed, "roster", "door", "person", "space") == b"template"


def test_only_the_terminals_user_can_read_the_key(tmp_path: Path) -> None:
    DeviceKey.open(tmp_path)
    assert (tmp_path / "device.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    "context",
    [
        ("roster", "door", "someone else", "space"),
        ("roster", "other door", "person", "space"),
        ("roster", "door", "person", "other space"),
        ("roster", "door", "person"),
    ],
)
def test_a_template_does_not_open_as_anothers(tmp_path: Path, context: tuple[str, ...]) -> None:
    key = DeviceKey.open(tmp_path)
    sealed = key.seal(b"template", "roster", "door", "person", "space")
    with pytest.raises(SecretDamaged):
        key.open_sealed(sealed, *context)


def test_what_was_altered_or_cut_does_not_open(tmp_path: Path) -> None:
    key = DeviceKey.open(tmp_path)
    sealed = key.seal(b"template", "roster")
    for damaged in (sealed[:-1] + bytes([sealed[-1] ^ 1]), sealed[:5], b""):
        with pytest.raises(SecretDamaged):
            key.open_sealed(damaged, "roster")


def test_a_damaged_key_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "device.key").write_bytes(b"short")
    with pytest.raises(StartRefused) as refused:
        DeviceKey.open(tmp_path)
    assert refused.value.code == "data-unusable"
