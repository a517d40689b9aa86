import pytest
from sqlalchemy import text

from enrollment_cloud.database import Database
from enrollment_cloud.operators import accounts
from enrollment_cloud.operators.accounts import SESSION_SECONDS, IssuedKey, SignedIn
from tier_kit.forms.errors import Malformed, NotFound

NOW = 1_795_000_000


@pytest.fixture
def ada(database: Database) -> IssuedKey:
    with database.write.begin() as session:
        group = accounts.add_group(session, "Harmony", NOW)
        return accounts.add_operator(session, "Ada", group.id, NOW)


def signed_in(database: Database, key: str, now: int = NOW) -> str | None:
    with database.write.begin() as session:
        return accounts.sign_in(session, key, now)


def who(database: Database, token: str, now: int = NOW) -> SignedIn | None:
    with database.read() as session:
        return accounts.find_session(session, token, now)


def test_a_key_begins_a_session_of_its_operator(database: Database, ada: IssuedKey) -> None:
    token = signed_in(database, ada.key)
    assert token
    found = who(database, token)
    assert found is not None
    assert (found.operator, found.name) == (ada.operator, "Ada")
    assert (found.group or "").startswith("harmony-")


def test_a_key_may_be_typed_in_small_letters_without_hyphens(
    database: Database, ada: IssuedKey
) -> None:
    assert signed_in(database, f" {ada.key.lower().replace('-', ' ')} ")


@pytest.mark.parametrize("key", ["", "-", "AAAA-BBBB", "ä", "A" * 4000])
def test_what_is_no_key_opens_nothing(database: Database, ada: IssuedKey, key: str) -> None:
    assert ada.key != key
    assert signed_in(database, key) is None


def test_a_session_ends_after_a_working_day(database: Database, ada: IssuedKey) -> None:
    token = signed_in(database, ada.key)
    assert token
    assert who(database, token, NOW + SESSION_SECONDS - 1)
    assert who(database, token, NOW + SESSION_SECONDS) is None


def test_who_signs_out_is_out_in_this_browser_alone(database: Database, ada: IssuedKey) -> None:
    first, second = signed_in(database, ada.key), signed_in(database, ada.key)
    assert first
    assert second
    with database.write.begin() as session:
        accounts.sign_out(session, first)
    assert who(database, first) is None
    assert who(database, second)


def test_a_revoked_operator_is_out_at_once_and_for_good(database: Database, ada: IssuedKey) -> None:
    token = signed_in(database, ada.key)
    assert token
    with database.write.begin() as session:
        accounts.revoke_operator(session, ada.operator, NOW)
    assert who(database, token) is None
    assert signed_in(database, ada.key) is None
    with pytest.raises(NotFound), database.write.begin() as session:
        accounts.revoke_operator(session, ada.operator, NOW)


def test_the_database_holds_neither_key_nor_token(database: Database, ada: IssuedKey) -> None:
    token = signed_in(database, ada.key)
    assert token
    with database.read() as session:
        rows = [
            *session.execute(text("SELECT * FROM operators")),
            *session.execute(text("SELECT * FROM operator_sessions")),
        ]
    stored = repr(rows)
    assert ada.operator in stored, "the search is blind"
    assert ada.key not in stored
    assert ada.key.replace("-", "") not in stored
    assert token not in stored


def test_forms_of_two_sessions_carry_different_tokens(database: Database, ada: IssuedKey) -> None:
    tokens = [signed_in(database, ada.key) or "" for _ in range(2)]
    first, second = (who(database, token) for token in tokens)
    assert first
    assert second
    assert first.csrf != second.csrf
    assert first.csrf not in tokens


@pytest.mark.parametrize("name", ["", "  ", "x" * 101])
def test_a_name_has_1_to_100_characters(database: Database, name: str) -> None:
    with pytest.raises(Malformed), database.write.begin() as session:
        accounts.add_group(session, name, NOW)
    with pytest.raises(Malformed), database.write.begin() as session:
        accounts.add_operator(session, name, None, NOW)


def test_an_operator_of_a_group_that_is_not_there_is_not_made(database: Database) -> None:
    with pytest.raises(NotFound), database.write.begin() as session:
        accounts.add_operator(session, "Ada", "none-0000", NOW)
