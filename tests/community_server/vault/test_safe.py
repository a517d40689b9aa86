"""The vault opens for its owner, place and master key only, and forgets for good."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.database import Base, Sealed
from community_server.errors import StartRefused, VaultLocked
from community_server.tables import SLICES
from community_server.vault.bulk import BulkOpener
from community_server.vault.erasure_key import ErasureKeys, open_erasure_keys
from community_server.vault.master_key import KeyFile, Passphrase, choose_source
from community_server.vault.safe import Safe, SafeBroken
from community_server.vault.tables import DataKey
from tier_link.store import open_database


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    assert SLICES
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    Base.metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def erasure(tmp_path: Path) -> ErasureKeys:
    return open_erasure_keys(tmp_path / "erasure.key", KeyFile(tmp_path / "master.key"))


def test_a_value_opens_in_its_own_place_and_nowhere_else(
    engine: Engine, erasure: ErasureKeys
) -> None:
    safe = Safe(erasure)
    with Session(engine) as session, session.begin():
        safe.add_owner(session, "person:a")
        safe.add_owner(session, "person:b")
        sealed = safe.seal(session, "person:a", "template/x", b"secret")
        assert safe.open(session, "person:a", "template/x", sealed) == b"secret"
        assert b"secret" not in bytes(sealed)
        assert "secret" not in repr(sealed)
        altered = Sealed(bytes(sealed)[:-1] + bytes([sealed[-1] ^ 1]))
        for owner, context, box in (
            ("person:b", "template/x", sealed),
            ("person:a", "template/y", sealed),
            ("person:a", "template/x", altered),
            ("person:a", "template/x", Sealed(b"\2" + bytes(sealed)[1:])),
        ):
            with pytest.raises(SafeBroken):
                safe.open(session, owner, context, box)


def test_opening_many_values_at_once_keeps_to_the_same_places(
    engine: Engine, erasure: ErasureKeys
) -> None:
    safe = Safe(erasure)
    with Session(engine) as session, session.begin():
        boxes = {}
        for owner in ("person:a", "person:b", "person:gone"):
            safe.add_owner(session, owner)
            boxes[owner] = safe.seal(session, owner, "template/x", owner.encode())
            safe.begin_renewal()  # each key under another erasure key
        safe.destroy(session, "person:gone")
        opener = BulkOpener(session, safe)
        for owner in ("person:a", "person:b", "person:a"):
            assert opener.open(owner, "template/x", boxes[owner]) == owner.encode()
        for owner, context, box in (
            ("person:gone", "template/x", boxes["person:gone"]),
            ("person:a", "template/y", boxes["person:a"]),
            ("person:a", "template/x", boxes["person:b"]),
        ):
            with pytest.raises(SafeBroken):
                opener.open(owner, context, box)


def test_a_destroyed_owner_stays_shut_even_from_a_copy_once_the_erasure_key_was_renewed(
    engine: Engine, erasure: ErasureKeys
) -> None:
    safe = Safe(erasure)
    with Session(engine) as session, session.begin():
        safe.add_owner(session, "person:a")
        safe.add_owner(session, "person:b")
        gone = safe.seal(session, "person:a", "x", b"1")
        stays = safe.seal(session, "person:b", "x", b"2")
        kept_copy = session.get_one(DataKey, "person:a")
        generation, wrapped = kept_copy.generation, kept_copy.wrapped
        safe.destroy(session, "person:a")

    safe.begin_renewal()
    with Session(engine) as session, session.begin():
        assert safe.rewrap(session) == 1
    with Session(engine) as session, session.begin():
        assert safe.rewrap(session) == 0
        assert safe.finish_renewal(session)

    assert not safe.renewing
    with Session(engine) as session, session.begin():
        assert safe.open(session, "person:b", "x", stays) == b"2"
        session.add(DataKey(owner="person:a", generation=generation, wrapped=wrapped))
        session.flush()
        with pytest.raises(SafeBroken):
            safe.open(session, "person:a", "x", gone)


def test_a_renewal_that_was_cut_short_goes_on_after_the_next_start(
    engine: Engine, erasure: ErasureKeys, tmp_path: Path
) -> None:
    safe = Safe(erasure)
    with Session(engine) as session, session.begin():
        safe.add_owner(session, "person:a")
        sealed = safe.seal(session, "person:a", "x", b"1")
    safe.begin_renewal()

    again = Safe(open_erasure_keys(erasure.path, KeyFile(tmp_path / "master.key")))

    assert again.renewing
    with Session(engine) as session, session.begin():
        assert again.open(session, "person:a", "x", sealed) == b"1"
        again.rewrap(session)
        assert again.finish_renewal(session)
        assert again.open(session, "person:a", "x", sealed) == b"1"


def test_another_master_key_does_not_open_the_vault(erasure: ErasureKeys, tmp_path: Path) -> None:
    (tmp_path / "other.key").write_bytes(b"\1" * 32)
    with pytest.raises(VaultLocked):
        open_erasure_keys(erasure.path, KeyFile(tmp_path / "other.key"))
    with pytest.raises(StartRefused, match="attach the medium"):
        open_erasure_keys(erasure.path, KeyFile(tmp_path / "absent.key"))
    erasure.path.write_text("{}")
    with pytest.raises(VaultLocked, match="damaged"):
        open_erasure_keys(erasure.path, KeyFile(tmp_path / "master.key"))


def test_a_passphrase_opens_what_it_closed(tmp_path: Path) -> None:
    path, salt = tmp_path / "erasure.key", tmp_path / "salt"
    first = open_erasure_keys(path, Passphrase(salt, lambda: "a long passphrase"))
    again = open_erasure_keys(path, Passphrase(salt, lambda: "a long passphrase"))
    assert (again.estate, again.keys) == (first.estate, first.keys)
    with pytest.raises(VaultLocked):
        open_erasure_keys(path, Passphrase(salt, lambda: "another passphrase"))
    with pytest.raises(StartRefused, match="fewer than"):
        open_erasure_keys(path, Passphrase(salt, lambda: "short"))


def test_sources_are_named_in_the_settings(tmp_path: Path) -> None:
    assert choose_source("file", tmp_path) == KeyFile(tmp_path / "master.key")
    assert choose_source("path:/media/key", tmp_path) == KeyFile(Path("/media/key"))
    assert isinstance(choose_source("passphrase", tmp_path), Passphrase)
    with pytest.raises(StartRefused):
        choose_source("tea leaves", tmp_path)


def test_key_files_are_for_their_owner_alone(erasure: ErasureKeys, tmp_path: Path) -> None:
    for path in (erasure.path, tmp_path / "master.key"):
        assert path.stat().st_mode & 0o077 == 0
