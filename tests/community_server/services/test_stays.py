"""Stays are those of all entries that are here, however often, late or mixed up they arrived."""

from collections.abc import Sequence
from itertools import pairwise, permutations

from hypothesis import given
from hypothesis import strategies as st

from community_server.services.passings import APART_MS, AT_ONCE_MS, EndedBy, Passing, stays_of

MINUTE = 60_000
HOUR = 60 * MINUTE


def came(at: int, door: str = "gate") -> Passing:
    return Passing(at, f"{at}-{door}", door)


def left(at: int, door: str = "gate-out") -> Passing:
    return Passing(at, f"{at}-{door}", door, out=True)


def lengths(passings: Sequence[Passing]) -> list[tuple[int, int, str]]:
    return [(stay.begins, stay.ends, stay.ended_by) for stay in stays_of(passings)]


def test_a_stay_goes_from_the_way_in_to_the_way_out_through_other_doors() -> None:
    passings = [came(0), came(5 * MINUTE, "block"), came(40 * MINUTE, "block"), left(HOUR)]
    for order in permutations(passings):
        assert lengths(order) == [(0, HOUR, EndedBy.DOOR)]


def test_whoever_comes_again_by_the_same_door_had_left_unseen() -> None:
    assert lengths([came(0), came(30 * MINUTE), left(HOUR)]) == [
        (0, 0, EndedBy.UNSEEN),
        (30 * MINUTE, HOUR, EndedBy.DOOR),
    ]


def test_a_second_try_at_the_door_is_one_coming() -> None:
    assert lengths([came(0), came(AT_ONCE_MS)]) == [(0, 0, EndedBy.OPEN)]
    assert len(lengths([came(0), came(AT_ONCE_MS + 1)])) == 2


def test_nobody_stays_unseen_for_half_a_day() -> None:
    assert lengths([came(0), left(APART_MS)]) == [(0, APART_MS, EndedBy.DOOR)]
    assert lengths([came(0), left(APART_MS + 1)]) == [(0, 0, EndedBy.UNSEEN)]
    assert len(lengths([came(0), came(APART_MS + 1, "block")])) == 2


def test_leaving_without_having_come_is_no_stay_and_the_desks_word_ends_one() -> None:
    assert lengths([left(0)]) == []
    word = Passing(MINUTE, "word", out=True)
    assert lengths([word, came(0), left(HOUR)]) == [(0, MINUTE, EndedBy.DESK)]


passing = st.builds(
    Passing,
    at=st.integers(0, 40).map(lambda at: at * HOUR),
    key=st.text("ab", min_size=1, max_size=3),
    door=st.sampled_from(["", "gate", "block"]),
    out=st.booleans(),
)


@given(st.lists(passing, max_size=9, unique_by=lambda one: one.key), st.randoms())
def test_any_order_of_the_same_passings_gives_the_same_stays(
    passings: list[Passing], random: object
) -> None:
    mixed = list(passings)
    random.shuffle(mixed)  # type: ignore[attr-defined]  # a `random.Random`
    stays = stays_of(mixed)
    assert stays == stays_of(passings)
    assert all(one.begins <= one.last_seen for one in stays)
    assert all(before.last_seen <= after.begins for before, after in pairwise(stays))


@given(st.lists(passing, max_size=9, unique_by=lambda one: one.key))
def test_what_comes_from_a_stay_on_does_not_depend_on_what_was_before(
    passings: list[Passing],
) -> None:
    stays = stays_of(passings)
    for number, stay in enumerate(stays):
        later = [one for one in passings if (one.at, one.key) >= (stay.begins, stay.key)]
        assert stays_of(later) == stays[number:]
