"""The standby's vault holds the keys that its replica needs, and no others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.database import Base
from community_server.errors import LetterRefused, StartRefused, VaultLocked
from community_server.keys.root import root_key
from community_server.standby import keeping
from community_server.standby.keeping import KeyKeeper, adopt, check_keys, needed, use_upcoming
from community_server.standby.letters import KeyRing
from community_server.standby.notes import StandsBy
from community_server.tables import SLICES
from community_server.vault.erasure_key import ErasureKeys, open_erasure_keys
from community_server.vault.master_key import KeyFile
from community_server.vault.safe import Safe
from tier_link.store import open_database

NOTE = StandsBy("a" * 32, "https://gate-a.example:8443", "https://gate-b.example:8443")
K3, K4, K5, K6 = (letter * 32 for letter in (b"3", b"4", b"5", b"6"))


@pytest.fixture
def keys(tmp_path: Path) -> ErasureKeys:
    made = open_erasure_keys(tmp_path / "erasure.key", KeyFile(tmp_path / "master.key"))
    made.replace({3: K3}, (4, K4))
    return made


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    assert SLICES
    made = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    Base.metadata.create_all(made)
    yield made
    made.dispose()


def on_disk(keys: ErasureKeys) -> tuple[dict[int, bytes], tuple[int, bytes] | None]:
    again = open_erasure_keys(keys.path, KeyFile(keys.path.with_name("master.key")))
    return again.keys, again.upcoming


def ring(keys: ErasureKeys, held: dict[int, bytes], upcoming: object = None) -> KeyRing:
    assert upcoming is None or isinstance(upcoming, tuple)
    return KeyRing(keys.estate, held, upcoming)


def test_a_key_that_ended_is_destroyed_once_the_replica_needs_it_no_more(
    keys: ErasureKeys,
) -> None:
    ended = ring(keys, {4: K4}, (5, K5))
    assert adopt(keys, ended, frozenset({3, 4}))  # the replica lags
    assert on_disk(keys) == ({3: K3, 4: K4}, (5, K5))
    assert not adopt(keys, ended, frozenset({3, 4}))
    assert adopt(keys, ended, frozenset({4}))
    assert on_disk(keys) == ({4: K4}, (5, K5))
    assert K3 not in keys.path.read_bytes()


def test_a_key_is_held_before_it_wraps_anything(keys: ErasureKeys) -> None:
    assert keys.generation == 3
    use_upcoming(keys, frozenset({3}))
    assert on_disk(keys) == ({3: K3}, (4, K4))
    use_upcoming(keys, frozenset({3, 4}))  # the other server began to use it, and was lost
    assert on_disk(keys) == ({3: K3, 4: K4}, None)
    assert keys.generation == 4


def test_another_key_drawn_in_its_place_takes_its_place(keys: ErasureKeys) -> None:
    assert adopt(keys, ring(keys, {3: K3, 4: K6}), frozenset({3}))
    assert on_disk(keys) == ({3: K3, 4: K6}, None)


def test_the_keys_of_another_vault_are_refused(keys: ErasureKeys) -> None:
    with pytest.raises(LetterRefused, match="another vault"):
        adopt(keys, KeyRing("f" * 32, {9: K6}, None), frozenset())
    assert on_disk(keys) == ({3: K3}, (4, K4))


def test_a_standby_that_was_away_for_long_gets_the_key_that_it_missed(
    keys: ErasureKeys, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Session(engine) as session, session.begin():
        root = root_key(session, Safe(keys))
    given: list[tuple[int, ...]] = []

    def fetch(
        note: StandsBy, signing: Ed25519PrivateKey, holds: tuple[int, ...], behind_s: int
    ) -> KeyRing:
        assert (note, behind_s) == (NOTE, 0)
        assert signing.private_bytes_raw() == root.private_bytes_raw()
        given.append(holds)
        return ring(keys, {5: K5})

    monkeypatch.setattr(keeping, "fetch_keys", fetch)
    monkeypatch.setattr(keeping, "seconds_behind", lambda _: 0)
    keeper = KeyKeeper(NOTE, keys, engine)
    keeper._read_root()
    renew_elsewhere(engine, keys)
    keeper.step()
    assert on_disk(keys) == ({5: K5}, None)
    assert given == [(3, 4), (5,)]
    check_keys(engine, keys)


def renew_elsewhere(engine: Engine, keys: ErasureKeys) -> None:
    """Wrap the replica's data keys by a key that the standby was never given."""
    primary = ErasureKeys(keys.path.with_name("primary.key"), keys.estate, keys.master, {3: K3})
    primary.replace({3: K3, 5: K5})
    with Session(engine) as session, session.begin():
        Safe(primary).rewrap(session)


def test_a_standby_that_lacks_a_key_says_so_and_what_to_do(
    keys: ErasureKeys, engine: Engine
) -> None:
    with Session(engine) as session, session.begin():
        root_key(session, Safe(keys))
    assert needed(engine) == {3}
    check_keys(engine, keys)
    keys.replace({5: K5})
    with pytest.raises(StartRefused, match="newest backup") as refused:
        check_keys(engine, keys)
    assert refused.value.code == "standby-keys-missing"
    keys.replace({3: K6})
    with pytest.raises(VaultLocked):
        check_keys(engine, keys)
