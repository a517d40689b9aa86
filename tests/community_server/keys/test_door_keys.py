"""A confidential door's key is its own, lasts as its pairing does, and lies sealed."""

import secrets

import pytest

from community_server.doors.service import add_door, revoke_door
from community_server.doors.tables import Door
from community_server.keys.tables import NamedSecret
from tests.community_server.bench import Bench
from tier_link.errors import RequestRefused
from tier_link.estate_messages import ESTATE, DoorKey, DoorKeyWanted

_QUESTION = DoorKeyWanted()


def paired(bench: Bench, door: str = "") -> str:
    with bench.estate.changer.change() as change:
        door = door or add_door(change.session, "Gate", "both")
        row = change.session.get_one(Door, door)
        bench.estate.configurer.welcome(change, row, secrets.token_bytes(32))
    return door


def key(bench: Bench, door: str) -> bytes:
    records = bench.estate.doors._records
    answer = records.answer(door, ESTATE.kind(_QUESTION), ESTATE.encode(_QUESTION), 0.0)
    given = ESTATE.decode("door-key", answer)
    assert isinstance(given, DoorKey)
    return given.key


def test_each_door_has_its_own_for_as_long_as_it_is_paired(bench: Bench) -> None:
    one, other = paired(bench), paired(bench)
    first = key(bench, one)
    assert len(first) == 32
    assert key(bench, one) == first
    assert key(bench, other) != first
    paired(bench, one)
    assert key(bench, one) != first


def test_a_revoked_door_gets_none_and_nobody_can_open_what_it_still_holds(bench: Bench) -> None:
    door = paired(bench)
    key(bench, door)
    with bench.estate.changer.change() as change:
        revoke_door(change, bench.estate.links, door)
    with pytest.raises(RequestRefused) as refused:
        key(bench, door)
    assert refused.value.code == "door-revoked"
    with bench.estate.reading() as session:
        assert session.get(NamedSecret, f"door-key/{door}") is None


def test_it_is_sealed_at_the_server_and_shows_in_no_log(bench: Bench) -> None:
    door = paired(bench)
    given = key(bench, door)
    with bench.estate.reading() as session:
        sealed = session.get_one(NamedSecret, f"door-key/{door}").sealed
    assert bytes(sealed).find(given) == -1
    assert given.hex() not in repr(DoorKey(given))
