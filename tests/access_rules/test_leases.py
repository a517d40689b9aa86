"""A roster is trusted for as long as its category allows, and never longer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_rules.leases import LONGEST_LEASE_HOURS, LeasePolicy, LeaseState
from access_rules.people import Category

HOUR = 3600


@pytest.mark.parametrize(
    ("category", "age", "state"),
    [
        (Category.VISITOR, 24 * HOUR - 1, LeaseState.FRESH),
        (Category.VISITOR, 24 * HOUR, LeaseState.OVER),
        (Category.SERVICE_WORKER, 24 * HOUR, LeaseState.OVER),
        (Category.RESIDENT, 84 * HOUR - 1, LeaseState.FRESH),
        (Category.RESIDENT, 84 * HOUR, LeaseState.AGEING),
        (Category.RESIDENT, 126 * HOUR - 1, LeaseState.AGEING),
        (Category.RESIDENT, 126 * HOUR, LeaseState.ENDING),
        (Category.RESIDENT, 168 * HOUR - 1, LeaseState.ENDING),
        (Category.RESIDENT, 168 * HOUR, LeaseState.OVER),
    ],
)
def test_leases_are_graded_by_category(category: Category, age: int, state: LeaseState) -> None:
    assert LeasePolicy().state(category, age) is state


@pytest.mark.parametrize("category", Category)
def test_without_any_news_there_is_no_lease(category: Category) -> None:
    assert LeasePolicy().state(category, None) is LeaseState.OVER


@given(age=st.integers(0, 10**8), more=st.integers(0, 10**8), category=st.sampled_from(Category))
def test_a_lease_only_ever_runs_out(age: int, more: int, category: Category) -> None:
    order = list(LeaseState)
    earlier = LeasePolicy().state(category, age)
    later = LeasePolicy().state(category, age + more)
    assert order.index(later) >= order.index(earlier)


@pytest.mark.parametrize("hours", [0, -1, LONGEST_LEASE_HOURS + 1])
def test_no_estate_may_set_a_lease_without_end(hours: int) -> None:
    with pytest.raises(ValueError, match="lease"):
        LeasePolicy(resident_hours=hours)
