"""What is little worth trusting is named as such, and what to do about it."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from door_terminal.device_keys import Custody
from door_terminal.identity import Pairing, save_pairing
from gatehouse.trust_findings import door_findings, server_findings


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(tmp_path / "server"))
    monkeypatch.setenv("GATEHOUSE_DOOR_DATA", str(tmp_path / "door"))
    return tmp_path


def paired(folder: Path, custody: Custody = "available") -> None:
    key = Ed25519PrivateKey.generate()
    public, private = key.public_key().public_bytes_raw(), key.private_bytes_raw()
    (folder / "door").mkdir()
    save_pairing(
        folder / "door", Pairing("https://s:8443", "0d" * 16, "s", public, private, "", custody)
    )


def test_nothing_is_said_of_tiers_that_are_not_here() -> None:
    assert not list(server_findings())
    assert not list(door_findings())


def test_a_master_key_beside_the_data_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "server" / "vault").mkdir(parents=True)
    (found,) = server_findings()
    assert found.state == "warning"
    assert "whoever takes the disk" in found.sentence
    monkeypatch.setenv("GATEHOUSE_SERVER_MASTER_KEY", "passphrase")
    (found,) = server_findings()
    assert found.state == "fine"


def test_an_address_for_phones_that_the_certificate_does_not_name_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "server" / "vault").mkdir(parents=True)
    monkeypatch.setenv("GATEHOUSE_SERVER_OWN_ADDRESS", "https://gate.example:8443")
    (_, found) = server_findings()
    assert found.state == "problem"
    assert "gate.example" in found.sentence
    monkeypatch.setenv("GATEHOUSE_SERVER_NAMES", '["gate.example"]')
    (_, found) = server_findings()
    assert found.state == "fine"


@pytest.mark.parametrize(
    ("gate", "state", "said"),
    [
        ("http", "warning", "anybody on the network"),
        ("mqtt", "warning", "whoever may publish"),
        ("simulated", "warning", "nothing opens"),
        ("gpio", "fine", "wired to this unit"),
    ],
)
def test_a_gate_that_others_can_open_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, gate: str, state: str, said: str
) -> None:
    paired(folder, "confidential")
    monkeypatch.setenv("GATEHOUSE_DOOR_GATE", gate)
    relay, key = door_findings()
    assert (relay.state, key.state) == (state, "fine")
    assert said in relay.sentence
    assert "in memory alone" in key.sentence


def test_a_setting_that_cannot_be_used_is_a_problem(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paired(folder)
    monkeypatch.setenv("GATEHOUSE_DOOR_GATE", "drawbridge")
    (found,) = door_findings()
    assert found.state == "problem"
