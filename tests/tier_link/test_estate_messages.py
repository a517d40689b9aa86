import random

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.strategies import FUZZ, messages
from tier_link.estate_messages import (
    ESTATE,
    MAX_CROP,
    MAX_CROPS,
    PEOPLE_PER_PART,
    MatchRequest,
    RosterPerson,
    RosterSnapshot,
    WeeklyWindow,
    roster_hash,
)
from tier_link.messages import MAX_BODY, MAX_RECORD

PEOPLE = st.lists(messages(RosterPerson), max_size=5)


@FUZZ
@given(PEOPLE, st.randoms(use_true_random=False))
def test_a_rosters_hash_does_not_depend_on_its_order(
    people: list[RosterPerson], shuffler: random.Random
) -> None:
    shuffled = list(people)
    shuffler.shuffle(shuffled)
    assert roster_hash(shuffled) == roster_hash(people)


def test_a_rosters_hash_shows_every_field() -> None:
    person = RosterPerson("0" * 32, "resident", "3-1204")
    changes: list[dict[str, object]] = [
        {"person": "1" * 32},
        {"category": "visitor"},
        {"unit": "3-1205"},
        {"valid_from": 1},
        {"valid_until": 1},
        {"windows": (WeeklyWindow(1, 0, 60),)},
        {"template": b"\0\0\0\0"},
        {"pin": "$argon2id$"},
        {"second_credential": True},
        {"suspended": True},
        {"pass_id": "00" * 8},
        {"pass_key": b"\0"},
        {"cards": (b"\0" * 16,)},
        {"groups": (1,)},
    ]
    assert {key for change in changes for key in change} == set(person.__struct_fields__)
    hashes = {roster_hash([msgspec.structs.replace(person, **change)]) for change in changes}
    hashes |= {roster_hash([person]), roster_hash([]), roster_hash([person, person])}
    assert len(hashes) == len(changes) + 3


def test_a_full_part_of_a_roster_fits_a_record() -> None:
    windows = tuple(WeeklyWindow(127, 0, 1440) for _ in range(10))
    person = RosterPerson(
        "0" * 32, "resident", "x" * 64, windows=windows, template=b"x" * 2048, pin="$" * 200
    )
    snapshot = RosterSnapshot(2**40, 0, 1, (person,) * PEOPLE_PER_PART)
    assert len(ESTATE.encode(snapshot)) < MAX_RECORD


def test_a_full_match_request_fits_a_frame() -> None:
    request = MatchRequest("sface/" + "x" * 100, (b"x" * MAX_CROP,) * MAX_CROPS)
    assert len(ESTATE.encode(request)) <= MAX_BODY
