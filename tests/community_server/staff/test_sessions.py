"""Sessions open for the right password, end by themselves, and are stored as hashes."""

import argon2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.errors import InputRefused, SignInRefused
from community_server.staff import passwords, sessions
from community_server.staff.backoff import Backoff
from community_server.staff.passwords import hash_password
from community_server.staff.permissions import Role
from community_server.staff.sessions import add_staff, check_csrf, find_session, sign_in, sign_out
from community_server.staff.tables import AuditRow, StaffMember, StaffSession
from tests.community_server.bench import PASSWORD, Bench


def test_a_session_is_found_by_its_token_until_it_is_closed(bench: Bench) -> None:
    with Session(bench.estate.engine) as session:
        token, signed_in = sign_in(session, Backoff(), " desk ", PASSWORD, "::1")
        found, due = find_session(session, token)
        assert (found, due) == (signed_in, False)
        assert token.encode() not in b"".join(session.scalars(select(StaffSession.token_hash)))
        assert signed_in.csrf not in repr(signed_in)
        check_csrf(found, signed_in.csrf)
        with pytest.raises(SignInRefused):
            check_csrf(found, None)
        assert "sign-in" in session.scalars(select(AuditRow.action)).all()
        sign_out(session, token)
        with pytest.raises(SignInRefused):
            find_session(session, token)
        session.rollback()


@pytest.mark.parametrize(("name", "password"), [("desk", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    name: str, password: str, bench: Bench
) -> None:
    with Session(bench.estate.engine) as session:
        with pytest.raises(SignInRefused) as refused:
            sign_in(session, Backoff(), name, password, "::1")
        assert refused.value.code == "password-wrong"
        session.rollback()


@pytest.mark.parametrize("age", [sessions.IDLE, sessions.LONGEST])
def test_a_session_ends_by_itself(age: int, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with Session(bench.estate.engine) as session:
        token, _ = sign_in(session, Backoff(), "desk", PASSWORD, "::1")
        later = now() + age
        monkeypatch.setattr(sessions, "now", lambda: later)
        with pytest.raises(SignInRefused):
            find_session(session, token)
        session.rollback()


def test_an_unknown_name_costs_as_much_work_as_a_wrong_password() -> None:
    somebodys, nobodys = hash_password(PASSWORD), passwords._NOBODYS_HASH
    assert argon2.extract_parameters(nobodys) == argon2.extract_parameters(somebodys)
    assert not passwords.is_right_password(None, PASSWORD)


def test_passwords_are_hashed_with_argon2id_and_short_ones_refused(bench: Bench) -> None:
    with Session(bench.estate.engine) as session:
        (hashed,) = session.scalars(select(StaffMember.password_hash)).all()
        assert hashed.startswith("$argon2id$")
        with pytest.raises(InputRefused, match="at least"):
            add_staff(session, "guard", "short", Role.GUARD)
        with pytest.raises(InputRefused, match="taken"):
            add_staff(session, "desk", PASSWORD, Role.GUARD)
        session.rollback()
