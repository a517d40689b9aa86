"""What waits for doors is under a key that goes before the erasure key does."""

import os
import time

import pytest
from cryptography.exceptions import InvalidTag
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.change import CLOUD
from community_server.link_cipher import OWNER, OutboxCipher
from community_server.sweeper import RENEWAL_EVERY, Sweeper
from community_server.vault.safe import SafeBroken
from community_server.vault.tables import DataKey
from tests.community_server.bench import Bench
from tests.community_server.rosters.told import pair, told
from tier_link.store.tables import LinkOutbox

SWEEPS = 2
"""The next keys, and the older erasure key gone."""


def _keys(bench: Bench) -> list[DataKey]:
    with bench.estate.reading() as session:
        keys = session.scalars(select(DataKey).where(DataKey.owner.startswith(OWNER))).all()
        session.expunge_all()
        return list(keys)


def _stored(bench: Bench, door: str) -> list[bytes]:
    with bench.estate.reading() as session:
        return list(session.scalars(select(LinkOutbox.body).where(LinkOutbox.peer == door)))


def _let_a_day_pass(bench: Bench) -> None:
    passed = time.time() - RENEWAL_EVERY - 60
    os.utime(bench.estate.settings.data / "vault" / "erasure.key", (passed, passed))
    sweeper = Sweeper.of(bench.estate)
    for _ in range(SWEEPS):
        sweeper.sweep()


def test_what_waits_is_read_after_its_keys_renewal_and_a_copy_of_before_stays_shut(
    bench: Bench,
) -> None:
    estate = bench.estate
    door = pair(bench, "Gate")
    said, stored, (key,) = told(bench, door), _stored(bench, door), _keys(bench)
    cipher = estate.safe.cipher(estate.safe.wrapping(key.generation), key.owner, key.wrapped)
    assert cipher is not None, "the copy opens before"

    _let_a_day_pass(bench)

    assert told(bench, door)[: len(said)] == said
    (renewed,) = _keys(bench)
    assert renewed.owner != key.owner
    assert not estate.safe.renewing
    with pytest.raises(SafeBroken):
        estate.safe.wrapping(key.generation)
    for body in stored:
        with pytest.raises(InvalidTag):
            estate.cipher.decrypt(door, body)


def test_a_restart_in_the_middle_of_a_renewal_goes_on_with_it(bench: Bench) -> None:
    estate = bench.estate
    door = pair(bench, "Gate")
    said = told(bench, door)
    with Session(estate.engine) as session, session.begin():
        estate.cipher.add_key(session, estate.safe)
    again = OutboxCipher(estate.secrets.outbox_key)
    with Session(estate.engine) as session, session.begin():
        again.read_keys(session, estate.safe)
    assert again.renewing
    assert [again.decrypt(door, body) for body in _stored(bench, door)] == [
        estate.cipher.decrypt(door, body) for body in _stored(bench, door)
    ]
    with Session(estate.engine) as session, session.begin():
        estate.cipher.read_keys(session, estate.safe)
    _let_a_day_pass(bench)
    assert told(bench, door)[: len(said)] == said
    assert len(_keys(bench)) == 1


def test_what_release_0_1_kept_for_a_door_is_read_and_what_is_for_the_cloud_needs_no_other_key(
    bench: Bench,
) -> None:
    lasting, estate = OutboxCipher(bench.estate.secrets.outbox_key), bench.estate
    of_before = lasting.encrypt("any door", b"of before")
    assert estate.cipher.decrypt("any door", of_before) == b"of before"
    assert lasting.decrypt(CLOUD, estate.cipher.encrypt(CLOUD, b"reply")) == b"reply"
    with pytest.raises(InvalidTag):
        lasting.decrypt("any door", estate.cipher.encrypt("any door", b"template"))
