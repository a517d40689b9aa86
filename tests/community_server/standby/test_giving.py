"""The server in service gives its standby the keys, and uses none that the standby lacks."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.errors import LetterRefused
from community_server.estate import Estate
from community_server.keys.root import root_key
from community_server.standby.giving import give_keys, state_epoch
from community_server.standby.letters import (
    EpochStated,
    KeyRing,
    KeysWanted,
    ask_epoch,
    read,
    read_keys,
    sign,
)
from community_server.standby.queries import dismiss, find_standby, server_addresses
from community_server.sweeper import RENEWAL_EVERY, STANDBY_PATIENCE, Sweeper
from community_server.vault.tables import DataKey
from tests.community_server.bench import Bench
from tests.community_server.standby.test_letters import FIRST, PRIVATE, SECOND, STRANGER, wanted

OTHER = "b" * 32


def ask(estate: Estate, letter: KeysWanted) -> KeyRing:
    with estate.reading() as session:
        root = root_key(session, estate.safe)
    asked = sign(letter, root)
    return read_keys(give_keys(estate, asked), asked, letter, PRIVATE, root.public_key())


def holding(letter: KeysWanted, *generations: int) -> KeysWanted:
    fields = {name: getattr(letter, name) for name in letter.__struct_fields__}
    return KeysWanted(**{**fields, "holds": generations, "at": letter.at + 1})


def test_an_admitted_standby_gets_the_keys_and_doors_hear_of_both_servers(own: Bench) -> None:
    estate = own.estate
    with estate.reading() as session:
        assert server_addresses(session) == ()
    letter = wanted(admit=True)
    ring = ask(estate, letter)
    assert ring.estate == estate.safe.estate
    assert ring.keys == estate.safe.erasure_keys.keys
    with estate.reading() as session:
        row = find_standby(session)
        assert row is not None
        assert (row.node, row.asked_at, row.oldest, row.newest) == (letter.node, letter.at, 3, 4)
        assert server_addresses(session) == (FIRST, SECOND)
        actions = list(session.scalars(select(AuditRow.action)))
    assert actions.count("standby-admitted") == 1


def test_who_was_not_admitted_gets_none(own: Bench) -> None:
    with pytest.raises(LetterRefused) as refused:
        ask(own.estate, wanted())
    assert refused.value.code == "standby-replaced"
    with pytest.raises(LetterRefused, match="not of this community"):
        give_keys(own.estate, sign(wanted(admit=True), STRANGER))
    with own.estate.reading() as session:
        assert find_standby(session) is None


def test_another_standby_takes_the_firsts_place_by_the_kit_alone(own: Bench) -> None:
    first = wanted(admit=True)
    ask(own.estate, first)
    with pytest.raises(LetterRefused) as refused:
        ask(own.estate, wanted(at=first.at + 1, node=OTHER))
    assert refused.value.code == "standby-replaced"
    ask(own.estate, wanted(at=first.at + 2, node=OTHER, admit=True))
    with pytest.raises(LetterRefused) as refused:
        ask(own.estate, holding(wanted(at=first.at + 3), 3))
    assert refused.value.code == "standby-replaced"


@pytest.mark.parametrize("late", [0, -1])
def test_a_letter_that_is_played_back_is_refused(own: Bench, late: int) -> None:
    first = wanted(admit=True)
    ask(own.estate, first)
    with pytest.raises(LetterRefused) as refused:
        ask(own.estate, wanted(at=first.at + late))
    assert refused.value.code == "standby-clock"


@pytest.mark.parametrize("off", [-3600, 3600])
def test_a_letter_of_another_hour_is_refused(own: Bench, off: int) -> None:
    with pytest.raises(LetterRefused) as refused:
        ask(own.estate, wanted(admit=True, at=int((time.time() + off) * 1000)))
    assert refused.value.code == "standby-clock"


def test_the_erasure_key_is_renewed_once_the_standby_has_the_next(own: Bench) -> None:
    estate = own.estate
    sweeper, keys = Sweeper.of(estate), estate.safe.erasure_keys
    letter = wanted(admit=True)
    first = keys.generation
    ask(estate, holding(letter, first))
    age(keys.path, RENEWAL_EVERY + 1)
    sweeper._renew_erasure_key()
    sweeper._renew_erasure_key()
    assert (keys.generation, generations(estate)) == (first, {first})
    ring = ask(estate, holding(wanted(at=letter.at + 5), first))
    assert ring.upcoming == keys.upcoming is not None
    sweeper._renew_erasure_key()
    assert keys.generation == first  # given is not yet held
    ask(estate, holding(wanted(at=letter.at + 10), first, first + 1))
    sweeper._renew_erasure_key()
    assert (keys.generation, generations(estate)) == (first + 1, {first + 1})
    sweeper._renew_erasure_key()
    assert ask(estate, holding(wanted(at=letter.at + 15), first + 1)).keys.keys() == {first + 1}


def test_a_standby_that_stays_away_holds_up_no_erasure_for_a_day(own: Bench) -> None:
    estate = own.estate
    sweeper, keys = Sweeper.of(estate), estate.safe.erasure_keys
    ask(estate, holding(wanted(admit=True), keys.generation))
    first = keys.generation
    age(keys.path, RENEWAL_EVERY + 1)
    sweeper._renew_erasure_key()
    assert keys.generation == first
    age(keys.path, STANDBY_PATIENCE + 1)
    sweeper._renew_erasure_key()
    sweeper._renew_erasure_key()
    assert generations(estate) == {first + 1}
    assert first not in keys.keys
    assert RENEWAL_EVERY + STANDBY_PATIENCE < 24 * 3600


def test_without_a_standby_nothing_is_waited_for(own: Bench) -> None:
    keys = own.estate.safe.erasure_keys
    first = keys.generation
    age(keys.path, RENEWAL_EVERY + 1)
    Sweeper.of(own.estate)._renew_erasure_key()
    assert generations(own.estate) == {first + 1}


def test_whoever_asks_is_told_the_epoch_under_the_estates_signature(own: Bench) -> None:
    with own.estate.reading() as session:
        root = root_key(session, own.estate.safe).public_key()
    stated = read(EpochStated, state_epoch(own.estate, ask_epoch(b"n" * 32)), root)
    assert stated == EpochStated(b"n" * 32, own.estate.links.epoch, serving=True)


def test_a_standby_that_is_dismissed_is_neither_waited_for_nor_told_of(own: Bench) -> None:
    estate = own.estate
    keys = estate.safe.erasure_keys
    letter = wanted(admit=True)
    ask(estate, letter)
    with Session(estate.engine) as session, session.begin():
        dismiss(session)
    with estate.reading() as session:
        assert server_addresses(session) == (FIRST,)
    first = keys.generation
    age(keys.path, RENEWAL_EVERY + 1)
    Sweeper.of(estate)._renew_erasure_key()
    assert generations(estate) == {first + 1}
    with pytest.raises(LetterRefused) as refused:
        ask(estate, wanted(at=letter.at + 5))
    assert refused.value.code == "standby-replaced"


def generations(estate: Estate) -> set[int]:
    with Session(estate.engine) as session:
        return set(session.scalars(select(DataKey.generation)))


def age(file: Path, seconds: float) -> None:
    moment = time.time() - seconds
    os.utime(file, (moment, moment))
