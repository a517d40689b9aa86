"""Signing in: a stranger who guesses is slowed down and keeps nobody out of the desk."""

import pytest

from community_server.database import now
from community_server.errors import InputRefused, SignInRefused, TooManyAttempts
from community_server.staff import second_factor, sessions, tickets
from community_server.staff.backoff import FREE_ATTEMPTS
from community_server.staff.permissions import Permission, Role
from community_server.staff.proof import Proof
from community_server.staff.routes import prove
from community_server.staff.signing_in import Caller
from tests.community_server.bench import PASSWORD, Bench
from tests.community_server.staff.desks import add_second_factor, enter, hire, look_up, ticket

STRANGER = Caller("198.51.100.9")


def guess(bench: Bench, username: str, caller: Caller, times: int) -> None:
    for _ in range(times):
        with pytest.raises(SignInRefused) as refused:
            bench.estate.entrance.take_password(username, "wrong", caller)
        assert refused.value.code == "password-wrong"


@pytest.mark.parametrize(("name", "password"), [("desk", "wrong"), ("nobody", PASSWORD)])
def test_a_wrong_name_and_a_wrong_password_look_the_same(
    name: str, password: str, bench: Bench
) -> None:
    with pytest.raises(SignInRefused) as refused:
        bench.estate.entrance.take_password(name, password, Caller("192.0.2.1"))
    assert refused.value.code == "password-wrong"


def test_a_stranger_who_guesses_does_not_keep_out_whoever_signed_in_there_before(
    bench: Bench,
) -> None:
    hire(bench, "guessed", Role.GUARD)
    known = enter(bench, "guessed")
    guess(bench, "guessed", STRANGER, FREE_ATTEMPTS + 1)
    with pytest.raises(TooManyAttempts):
        bench.estate.entrance.take_password("guessed", PASSWORD, STRANGER)
    with pytest.raises(TooManyAttempts):  # a browser that nobody signed in with
        enter(bench, "guessed", Caller("192.0.2.7", "made up"))
    again = enter(bench, "guessed", Caller("192.0.2.7", known.device))
    assert again.device == known.device
    # Who sits at the desk's own browser and guesses is slowed down as well.
    guess(bench, "guessed", Caller("192.0.2.7", known.device), FREE_ATTEMPTS + 1)
    with pytest.raises(TooManyAttempts):
        enter(bench, "guessed", Caller("192.0.2.7", known.device))


def test_a_browser_is_known_for_those_alone_who_signed_in_with_it(bench: Bench) -> None:
    hire(bench, "first", Role.GUARD)
    hire(bench, "second", Role.GUARD)
    device = enter(bench, "first").device
    guess(bench, "second", Caller("203.0.113.5"), FREE_ATTEMPTS + 1)
    with pytest.raises(TooManyAttempts):
        enter(bench, "second", Caller("192.0.2.8", device))
    assert enter(bench, "first", Caller("192.0.2.8", device)).device == device


def test_a_role_that_needs_a_second_factor_may_nothing_before_it_has_one(bench: Bench) -> None:
    hire(bench, "careful", Role.OFFICER)
    token = enter(bench, "careful").token
    assert Permission.READ_AUDIT in look_up(bench, token).permissions
    restricted = look_up(bench, token, Role.OFFICER)
    assert restricted.permissions == {Permission.OWN_ACCOUNT}


def test_a_proof_counts_for_minutes_and_takes_a_code_where_there_is_one(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = hire(bench, "prover", Role.OFFICER)
    moment = 1_800_000_000
    monkeypatch.setattr(second_factor, "now", lambda: moment)
    opened = enter(bench, "prover")
    prove(bench.estate, opened.signed_in, Proof("192.0.2.7"))  # signed in a moment ago
    later = opened.signed_in.proven_at + sessions.PROOF_LASTS
    monkeypatch.setattr(sessions, "now", lambda: later)
    for password, code in (("", "proof-needed"), ("wrong", "password-not-yours")):
        with pytest.raises(InputRefused) as refused:
            prove(bench.estate, opened.signed_in, Proof("192.0.2.7", password))
        assert refused.value.code == code
    assert not look_up(bench, opened.token).proven
    prove(bench.estate, opened.signed_in, Proof("192.0.2.7", PASSWORD))
    assert look_up(bench, opened.token).proven
    _, recovery = add_second_factor(bench, staff, moment)
    later += sessions.PROOF_LASTS
    signed_in = look_up(bench, opened.token)
    with pytest.raises(InputRefused) as refused:
        prove(bench.estate, signed_in, Proof("192.0.2.7", PASSWORD, "000000"))
    assert refused.value.code == "code-wrong"
    prove(bench.estate, signed_in, Proof("192.0.2.7", PASSWORD, recovery[0]))


def test_a_code_that_comes_too_late_or_for_nobody_begins_again(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff = hire(bench, "slow", Role.GUARD)
    _, recovery = add_second_factor(bench, staff, now())
    waiting = ticket(bench, "slow")
    with pytest.raises(SignInRefused):
        bench.estate.entrance.take_code("made-up", recovery[0], Caller("192.0.2.7"))
    later = now() + 300
    monkeypatch.setattr(tickets, "now", lambda: later)
    with pytest.raises(SignInRefused) as refused:
        bench.estate.entrance.take_code(waiting, recovery[0], Caller("192.0.2.7"))
    assert refused.value.code == "sign-in-over"
