"""What rests on rows that two may want at once holds on PostgreSQL, too; the rest is on SQLite."""

from collections.abc import Iterator

import pytest

from tests.community_server.staff.test_accounts import (
    test_a_new_member_of_staff_sets_the_password_by_a_link_that_counts_once,
    test_the_last_administrator_who_can_sign_in_stays,
)
from tests.community_server.staff.test_second_factor import (
    clock,
    test_a_ticket_counts_once_and_guessed_codes_have_to_wait,
    test_the_sign_in_takes_a_code_once_and_one_of_the_next_step_again,
)
from tests.community_server.staff.test_sessions import (
    test_whoever_is_demoted_disabled_or_removed_is_signed_out_at_once,
)
from tests.community_server.staff.test_signing_in import (
    test_a_stranger_who_guesses_does_not_keep_out_whoever_signed_in_there_before,
)
from tests.community_server.staff.test_tokens import test_a_token_ends_at_its_end_or_at_once
from tests.support.databases import postgresql_database

pytestmark = pytest.mark.long

__all__ = [
    "clock",
    "test_a_new_member_of_staff_sets_the_password_by_a_link_that_counts_once",
    "test_a_stranger_who_guesses_does_not_keep_out_whoever_signed_in_there_before",
    "test_a_ticket_counts_once_and_guessed_codes_have_to_wait",
    "test_a_token_ends_at_its_end_or_at_once",
    "test_the_last_administrator_who_can_sign_in_stays",
    "test_the_sign_in_takes_a_code_once_and_one_of_the_next_step_again",
    "test_whoever_is_demoted_disabled_or_removed_is_signed_out_at_once",
]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    """PostgreSQL, in place of the folder's SQLite."""
    with postgresql_database() as url:
        yield url
