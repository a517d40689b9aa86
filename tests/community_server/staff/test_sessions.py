"""Sessions open for the right password, end by themselves or at once, and are stored as hashes."""

import asyncio
from collections.abc import AsyncGenerator

import argon2
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.desk import while_signed_in
from community_server.errors import InputRefused, NotFound, SignInRefused
from community_server.staff import passwords, sessions
from community_server.staff.account_routes import end_one, replace_password, sessions_of
from community_server.staff.passwords import hash_password
from community_server.staff.permissions import Role
from community_server.staff.sessions import check_csrf, find_session, sign_out
from community_server.staff.staff_routes import AccountChange, alter, remove
from community_server.staff.tables import StaffSession
from tests.community_server.bench import PASSWORD, STAFF, Bench
from tests.community_server.staff.desks import enter, hire, look_up


def test_a_session_is_found_by_its_token_until_it_is_closed(bench: Bench) -> None:
    opened = enter(bench, " desk ")
    token, signed_in = opened.token, opened.signed_in
    with Session(bench.estate.engine) as session:
        assert find_session(session, token) == (signed_in, False)
        assert token.encode() not in b"".join(session.scalars(select(StaffSession.token_hash)))
        assert "sign-in" in session.scalars(select(AuditRow.action)).all()
        assert signed_in.csrf not in repr(signed_in)
        assert token not in repr(opened)
        check_csrf(signed_in, signed_in.csrf)
        with pytest.raises(SignInRefused):
            check_csrf(signed_in, None)
        sign_out(session, token)
        with pytest.raises(SignInRefused):
            find_session(session, token)
        session.rollback()


@pytest.mark.parametrize("age", [sessions.IDLE, sessions.LONGEST])
def test_a_session_ends_by_itself(age: int, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    token = enter(bench).token
    later = now() + age
    monkeypatch.setattr(sessions, "now", lambda: later)
    with pytest.raises(SignInRefused):
        look_up(bench, token)


@pytest.mark.parametrize("how", ["demoted", "disabled", "removed"])
def test_whoever_is_demoted_disabled_or_removed_is_signed_out_at_once(
    how: str, bench: Bench
) -> None:
    staff = hire(bench, how, Role.MANAGER)
    token = enter(bench, how).token
    assert look_up(bench, token).role == "manager"
    match how:
        case "demoted":
            alter(bench.estate, staff, AccountChange(role=Role.GUARD), STAFF)
        case "disabled":
            alter(bench.estate, staff, AccountChange(disabled=True), STAFF)
        case _:
            remove(bench.estate, staff, STAFF)
    with pytest.raises(SignInRefused):
        look_up(bench, token)
    if how == "demoted":
        assert look_up(bench, enter(bench, how).token).role == "guard"
    else:
        with pytest.raises(SignInRefused):
            enter(bench, how)


def test_a_new_password_ends_every_session_but_the_one_it_was_changed_in(bench: Bench) -> None:
    hire(bench, "changes", Role.GUARD)
    here, there = enter(bench, "changes"), enter(bench, "changes")
    with pytest.raises(InputRefused):
        replace_password(bench.estate, here.signed_in, "short")
    look_up(bench, there.token)
    replace_password(bench.estate, here.signed_in, "another long password")
    look_up(bench, here.token)
    with pytest.raises(SignInRefused):
        look_up(bench, there.token)
    with pytest.raises(SignInRefused):
        enter(bench, "changes")


def test_somebody_sees_and_ends_their_own_sessions_and_nobody_elses(bench: Bench) -> None:
    hire(bench, "here", Role.GUARD)
    here, there = enter(bench, "here"), enter(bench, "here")
    stranger = enter(bench).signed_in
    listed = sessions_of(bench.estate, here.signed_in)
    assert sorted(one.this for one in listed) == [False, True]
    assert {one.address for one in listed} == {"192.0.2.7"}
    other = next(one.session for one in listed if not one.this)
    for wrong in (other, "zz", ""):
        with pytest.raises(NotFound):
            end_one(bench.estate, stranger, wrong)
    end_one(bench.estate, here.signed_in, other)
    look_up(bench, here.token)
    with pytest.raises(SignInRefused):
        look_up(bench, there.token)


def test_a_stream_that_is_open_ends_with_its_readers_session(bench: Bench) -> None:
    hire(bench, "streams", Role.GUARD)
    watching, elsewhere = enter(bench, "streams").signed_in, enter(bench, "streams").signed_in
    closed = []

    async def entries() -> AsyncGenerator[str]:
        try:
            yield "before"
            end_one(bench.estate, elsewhere, watching.session)
            yield "after"
        finally:
            closed.append(True)

    async def read() -> list[str]:
        return [part async for part in while_signed_in(bench.estate, watching, entries())]

    assert asyncio.run(read()) == ["before"]
    assert closed


@pytest.mark.usefixtures("real_hashing")
def test_an_unknown_name_costs_as_much_work_as_a_wrong_password() -> None:
    somebodys, nobodys = hash_password(PASSWORD), passwords._NOBODYS_HASH
    assert argon2.extract_parameters(nobodys) == argon2.extract_parameters(somebodys)
    assert not passwords.is_right_password(None, PASSWORD)
    assert not passwords.is_right_password("", PASSWORD)


@pytest.mark.usefixtures("real_hashing")
def test_passwords_are_hashed_with_argon2id_and_short_ones_refused() -> None:
    hashed = hash_password(PASSWORD)
    assert hashed.startswith("$argon2id$")
    # The second profile that RFC 9106 recommends.
    cost = argon2.extract_parameters(hashed)
    assert (cost.time_cost, cost.memory_cost, cost.parallelism) == (3, 64 * 1024, 4)
    for refused in ("short", "x" * 201):
        with pytest.raises(InputRefused):
            hash_password(refused)
