"""Of the estate's words the newest counts, in whatever order and however often they arrive."""

import random
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_rules.lockdown import NO_LOCKDOWN, Lockdown, newest

WORDS = st.builds(Lockdown, st.integers(1, 6), st.booleans())


@given(st.lists(WORDS, min_size=1), st.randoms(use_true_random=False))
def test_what_counts_does_not_depend_on_order_loss_of_order_or_repeats(
    words: list[Lockdown], chance: random.Random
) -> None:
    arrived = words + chance.choices(words, k=chance.randrange(4))
    chance.shuffle(arrived)
    held = reduce(newest, arrived, NO_LOCKDOWN)
    assert held == reduce(newest, words, NO_LOCKDOWN)
    assert held.number == max(word.number for word in words)


@given(WORDS, WORDS)
def test_an_older_word_never_undoes_a_newer_one(one: Lockdown, other: Lockdown) -> None:
    older, newer = sorted((one, other))
    assert newest(newest(NO_LOCKDOWN, newer), older) == newer


@given(st.integers(1, 2**62))
def test_of_two_words_with_one_number_the_one_that_locks_counts(number: int) -> None:
    locks, ends = Lockdown(number, active=True), Lockdown(number, active=False)
    assert newest(locks, ends) == newest(ends, locks) == locks


def test_a_lockdown_without_a_number_is_none() -> None:
    with pytest.raises(ValueError, match="number"):
        Lockdown(0, active=True)
    with pytest.raises(ValueError, match="number"):
        Lockdown(-1)
