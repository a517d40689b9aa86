"""A terminal is set up by the environment, then the file, and told plainly what is wrong."""

from pathlib import Path
from typing import get_args

import pytest

from door_terminal.settings import Settings
from face_engine.models.registry import LIVENESS_PACKS
from tier_kit.settings import ConfigurationRefused


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "gatehouse.toml"
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(path))
    return path


def test_arguments_beat_the_environment_and_the_environment_the_file(
    file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file.write_text('[server]\nport = 1\n[door]\ncamera = "file"\nmode = "remote"\nport = 1000\n')
    monkeypatch.setenv("GATEHOUSE_DOOR_MODE", "hybrid")
    monkeypatch.setenv("GATEHOUSE_DOOR_PORT", "2000")
    settings = Settings(port=3000)
    assert (settings.camera, settings.mode, settings.port) == ("file", "hybrid", 3000)


def test_without_a_file_the_defaults_hold(file: Path) -> None:
    del file
    settings = Settings()
    assert (settings.host, settings.gate, settings.camera) == ("127.0.0.1", "simulated", "")
    assert settings.database_url.startswith("sqlite:///")


@pytest.mark.parametrize("content", ["[door", "door = 3"])
def test_a_broken_file_is_named(file: Path, content: str) -> None:
    file.write_text(content)
    with pytest.raises(ConfigurationRefused) as refused:
        Settings()
    assert refused.value.code == "configuration-malformed"
    assert str(file) in str(refused.value)


def test_secrets_of_a_relay_board_stay_out_of_a_repr(file: Path) -> None:
    del file
    assert "s3cret" not in repr(Settings(gate_headers={"authorization": "s3cret"}))


def test_addresses_with_a_password_in_them_stay_out_of_a_repr(file: Path) -> None:
    del file
    hidden = "s3cret"
    address = f"rtsp://door:{hidden}@10.0.0.7/stream"
    settings = Settings(camera=address, gate_url=address, mqtt_password=hidden, database=address)
    assert hidden not in repr(settings)


def test_settings_reach_the_vision_process_whole(file: Path) -> None:
    del file
    settings = Settings(camera="0", data=Path("here"), threads=2)
    assert Settings.model_validate_json(settings.model_dump_json()) == settings


def test_every_pack_that_tells_faces_from_pictures_can_be_chosen(file: Path) -> None:
    del file
    choices = get_args(Settings.model_fields["liveness_pack"].annotation)
    assert set(choices) == set(LIVENESS_PACKS)
    assert Settings().liveness_pack == "silent-face"
