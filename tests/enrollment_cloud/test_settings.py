from pathlib import Path

import pytest
from pydantic import SecretStr, ValidationError

from enrollment_cloud.settings import Settings


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEHOUSE_CONFIG", raising=False)


def test_without_a_file_the_defaults_hold() -> None:
    file = Path(".gatehouse/cloud/cloud.sqlite").resolve()
    assert Settings().database_url == f"sqlite:///{file}"


def test_the_file_is_shared_by_the_tiers_and_only_our_table_counts() -> None:
    Path("gatehouse.toml").write_text('[door]\nport = 1\n[cloud]\nport = 9\ndata = "x"\n')
    settings = Settings()
    assert (settings.port, settings.data) == (9, Path("x"))


def test_the_environment_beats_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("here.toml").write_text("[cloud]\nport = 9\n")
    monkeypatch.setenv("GATEHOUSE_CONFIG", "here.toml")
    monkeypatch.setenv("GATEHOUSE_CLOUD_PORT", "10")
    assert Settings().port == 10


def test_an_argument_beats_both(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_CLOUD_PORT", "10")
    assert Settings(port=11).port == 11


def test_a_misspelt_setting_is_refused() -> None:
    Path("gatehouse.toml").write_text("[cloud]\nprot = 9\n")
    with pytest.raises(ValidationError, match="prot"):
        Settings()


def test_half_a_tls_pair_is_refused() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        Settings(tls_key=Path("key.pem"))


@pytest.mark.parametrize(
    "relay",
    ["", "nats://", "http://a:4222", "nats://a,", "nats://user@a:4222", "nats://a,tls://b"],
)
def test_a_relay_that_names_no_brokers_is_refused(relay: str) -> None:
    with pytest.raises(ValidationError, match="relay"):
        Settings(relay=relay)


def test_brokers_are_named_with_commas_between() -> None:
    assert Settings(relay="nats://a, nats://b-1.example:4223").relay_servers == (
        "nats://a",
        "nats://b-1.example:4223",
    )


def test_half_a_pair_for_the_brokers_is_refused() -> None:
    with pytest.raises(ValidationError, match="belong together"):
        Settings(relay_certificate=Path("chain.pem"))


def test_the_brokers_password_stands_in_no_repr() -> None:
    assert "word" not in repr(Settings(relay="nats://a", relay_password=SecretStr("word")))
