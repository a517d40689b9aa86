"""The master key is changed without losing anything, and the one before opens nothing any more."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session

from community_server.command import server
from community_server.database import Base
from community_server.errors import StartRefused, VaultLocked
from community_server.estate import Estate, open_estate
from community_server.settings import Settings
from community_server.sweeper import Sweeper
from community_server.tables import SLICES
from community_server.vault.changing import change_key
from community_server.vault.erasure_key import ErasureKeys, open_erasure_keys
from community_server.vault.master_key import (
    Credential,
    KeyFile,
    MasterKeySource,
    Passphrase,
    choose_source,
)
from community_server.vault.safe import Safe, SafeBroken
from community_server.vault.tables import DataKey
from tests.community_server.bench import prepare
from tier_link.store import open_database

OWNER = "person:a"


class Vault:
    """A vault with one value in it, and copies of what a thief had before the change."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.folder, self.engine = folder, engine
        self.path = folder / "erasure.key"
        self.file = KeyFile(folder / "master.key")
        with Session(engine) as session, session.begin():
            safe = self.open(self.file)
            safe.add_owner(session, OWNER)
            self.sealed = safe.seal(session, OWNER, "x", b"what is kept")
            row = session.get_one(DataKey, OWNER)
            self.stolen = (row.generation, row.wrapped)
        shutil.copy(self.path, folder / "stolen.erasure")
        shutil.copy(folder / "master.key", folder / "stolen.master")

    def keys(self, source: MasterKeySource) -> ErasureKeys:
        return open_erasure_keys(self.path, source)

    def open(self, source: MasterKeySource) -> Safe:
        return Safe(self.keys(source))

    def reads(self, source: MasterKeySource) -> bytes:
        with Session(self.engine) as session:
            return self.open(source).open(session, OWNER, "x", self.sealed)


@pytest.fixture
def vault(tmp_path: Path) -> Iterator[Vault]:
    assert SLICES
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    Base.metadata.create_all(engine)
    yield Vault(tmp_path, engine)
    engine.dispose()


def test_what_was_kept_opens_by_the_new_key_and_nothing_by_the_stolen_ones(vault: Vault) -> None:
    change_key(vault.engine, vault.keys(vault.file), vault.file)
    assert vault.reads(vault.file) == b"what is kept"
    assert not (vault.folder / "master.key.next").exists()
    stolen = KeyFile(vault.folder / "stolen.master")
    with pytest.raises(VaultLocked):
        vault.keys(stolen)
    # Whoever has both files of before as well holds erasure keys that wrap nothing any more.
    thief = Safe(open_erasure_keys(vault.folder / "stolen.erasure", stolen))
    with Session(vault.engine) as session:
        with pytest.raises(SafeBroken):
            thief.open(session, OWNER, "x", vault.sealed)
        row = session.get_one(DataKey, OWNER)
        assert row.generation != vault.stolen[0]
    files = [one.read_bytes() for one in vault.folder.glob("x.sqlite*")]
    assert not any(bytes(vault.stolen[1]) in one for one in files)


def test_a_passphrase_takes_a_files_place_and_another_passphrase_the_first_ones(
    vault: Vault,
) -> None:
    salt = vault.folder / "master.salt"
    first = Passphrase(salt, lambda: "a long passphrase")
    change_key(vault.engine, vault.keys(vault.file), first)
    assert vault.reads(first) == b"what is kept"
    second = Passphrase(salt, lambda: "another passphrase")
    change_key(vault.engine, vault.keys(first), second)
    assert vault.reads(second) == b"what is kept"
    for gone in (first, vault.file):
        with pytest.raises(VaultLocked):
            vault.keys(gone)


@pytest.mark.parametrize("kind", ["file", "passphrase"])
def test_a_change_that_the_power_cut_ended_is_whole_under_one_key_or_the_other(
    vault: Vault, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source: MasterKeySource = vault.file
    if kind == "passphrase":
        source = Passphrase(vault.folder / "master.salt", lambda: "a long passphrase")
        change_key(vault.engine, vault.keys(vault.file), source)
    for step in ("hand_over", "settle"):
        with monkeypatch.context() as patch:
            patch.setattr(ErasureKeys if step == "hand_over" else type(source), step, _cut)
            with pytest.raises(KeyboardInterrupt):
                change_key(vault.engine, vault.keys(source), source)
        assert vault.reads(source) == b"what is kept"
        assert vault.reads(source) == b"what is kept"


def _cut(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_credential_comes_from_the_service_manager_alone(
    vault: Vault, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(StartRefused, match="LoadCredentialEncrypted=gatehouse-master-key"):
        vault.keys(choose_source("credential", vault.folder))
    given = vault.folder / "credentials"
    given.mkdir()
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(given))
    with pytest.raises(StartRefused, match="LoadCredentialEncrypted=another"):
        vault.keys(choose_source("credential:another", vault.folder))
    (given / "gatehouse-master-key").write_bytes(b"\7" * 32)
    sealed_to_tpm = choose_source("credential", vault.folder)
    assert isinstance(sealed_to_tpm, Credential)
    change_key(vault.engine, vault.keys(vault.file), sealed_to_tpm)
    assert vault.reads(sealed_to_tpm) == b"what is kept"
    (given / "gatehouse-master-key").write_bytes(b"short")
    with pytest.raises(StartRefused, match="not a master key"):
        vault.keys(sealed_to_tpm)


def test_the_command_changes_it_while_the_server_is_stopped_and_at_no_other_time(
    models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tmp_path / "data"
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(data))
    monkeypatch.setenv("GATEHOUSE_MODELS", str(models))

    def run(*more: str, typed: str = "") -> Result:
        return CliRunner().invoke(server, ["change-master-key", *more], input=typed)

    assert "no-data" in run().output
    estate = open_estate(Settings.read())
    prepare(estate, sign=False)
    try:
        assert "already-running" in run().output
    finally:
        estate.close()
    before = (data / "vault" / "master.key").read_bytes()
    assert run().exit_code == 0
    assert (data / "vault" / "master.key").read_bytes() != before
    again = run("--to", "passphrase", typed="a new passphrase\na new passphrase\n")
    assert again.exit_code == 0, again.output
    assert "master_key = 'passphrase'" in again.output
    with pytest.raises(VaultLocked):
        open_estate(Settings.read())
    monkeypatch.setenv("GATEHOUSE_SERVER_MASTER_KEY", "passphrase")
    monkeypatch.setenv("GATEHOUSE_SERVER_PASSPHRASE", "a new passphrase")
    opened = open_estate(Settings.read())
    try:
        # What waits for doors gets another key at once, too, not a day after the change.
        assert _keys_of_what_waits(opened) == ["outbox:1"]
        Sweeper.of(opened).sweep()
        assert _keys_of_what_waits(opened) == ["outbox:2"]
    finally:
        opened.close()


def _keys_of_what_waits(estate: Estate) -> list[str]:
    with estate.reading() as session:
        owners = session.scalars(select(DataKey.owner).where(DataKey.owner.startswith("outbox:")))
        return list(owners)
