"""Environment beats file, the file may be absent, and nonsense is refused plainly."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from community_server.settings import Settings
from tier_kit.settings import ConfigurationRefused


def test_the_environment_beats_the_file_and_the_file_the_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "gatehouse.toml"
    file.write_text('[server]\nport = 1111\nfirst_opening = "pin"\n[door]\nport = 3\n')
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(file))
    monkeypatch.setenv("GATEHOUSE_SERVER_PORT", "2222")
    settings = Settings()
    assert (settings.port, settings.first_opening, settings.strangers_per_day) == (2222, "pin", 50)


def test_no_file_means_the_defaults(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "absent.toml"))
    settings = Settings(data=tmp_path)
    assert settings.database_url == f"sqlite:///{tmp_path / 'server.sqlite'}"


@pytest.mark.parametrize(
    "address", ["http://gate.example", "gate.example:8443", "https://gate.example/c", "https://"]
)
def test_an_address_for_links_that_no_phone_could_open_is_refused(address: str) -> None:
    with pytest.raises(ValidationError):
        Settings(own_address=address)


def test_no_password_stands_in_a_repr() -> None:
    hidden = "s3cret"
    settings = Settings(
        database=f"postgresql+psycopg://gatehouse:{hidden}@127.0.0.1/gatehouse",
        mail_password=hidden,
        sms_secret=hidden,
        mqtt_password=hidden,
    )
    assert hidden not in repr(settings)


def test_nonsense_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValidationError):
        Settings(first_opening="door")  # type: ignore[arg-type]  # that is the point
    file = tmp_path / "gatehouse.toml"
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(file))
    for content in ("not toml [", "server = 3"):
        file.write_text(content)
        with pytest.raises(ConfigurationRefused):
            Settings()
