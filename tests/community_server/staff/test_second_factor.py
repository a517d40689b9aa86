"""The second factor: RFC 6238's codes, each once; recovery codes; a secret that lies sealed."""

import base64

import pytest
from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.errors import Conflict, InputRefused, SignInRefused, TooManyAttempts
from community_server.staff import second_factor
from community_server.staff.account_routes import begin, do_without, put_in_force
from community_server.staff.backoff import FREE_ATTEMPTS
from community_server.staff.permissions import Role
from community_server.staff.second_factor import STEP_S, _totp
from community_server.staff.signing_in import Opened
from community_server.staff.tables import RecoveryCode, StaffMember
from tests.community_server.bench import Bench
from tests.community_server.staff.desks import (
    ELSEWHERE,
    add_second_factor,
    code_of,
    enter,
    hire,
    look_up,
    ticket,
)


class Clock:
    """The server's time, as the test has it."""

    def __init__(self, moment: int) -> None:
        self.moment = moment

    def __call__(self) -> int:
        return self.moment


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock(1_800_000_000)
    monkeypatch.setattr(second_factor, "now", clock)
    return clock


@pytest.mark.parametrize(
    ("moment", "code"), [(59, "287082"), (1111111109, "081804"), (20000000000, "353130")]
)
def test_codes_are_those_of_rfc_6238(moment: int, code: str) -> None:
    assert _totp(b"12345678901234567890").generate(moment).decode() == code


def test_the_sign_in_takes_a_code_once_and_one_of_the_next_step_again(
    bench: Bench, clock: Clock
) -> None:
    secret, _ = add_second_factor(bench, hire(bench, "ming", Role.MANAGER), clock.moment)
    entrance = bench.estate.entrance
    with pytest.raises(InputRefused):  # it was used to confirm the set-up
        entrance.take_code(ticket(bench, "ming"), code_of(secret, clock.moment), ELSEWHERE)
    clock.moment += STEP_S
    code = code_of(secret, clock.moment)
    opened = entrance.take_code(ticket(bench, "ming"), f"{code[:3]} {code[3:]}", ELSEWHERE)
    assert look_up(bench, opened.token).second_factor
    with pytest.raises(InputRefused):
        entrance.take_code(ticket(bench, "ming"), code, ELSEWHERE)
    clock.moment += 5 * STEP_S
    ahead = code_of(secret, clock.moment + STEP_S)  # a phone that is a little ahead
    entrance.take_code(ticket(bench, "ming"), ahead, ELSEWHERE)
    with pytest.raises(InputRefused):  # an earlier one is used up with it
        entrance.take_code(ticket(bench, "ming"), code_of(secret, clock.moment), ELSEWHERE)
    clock.moment += 10 * STEP_S
    with pytest.raises(InputRefused):  # two steps off
        entrance.take_code(ticket(bench, "ming"), code_of(secret, clock.moment - 60), ELSEWHERE)


def test_a_ticket_counts_once_and_guessed_codes_have_to_wait(bench: Bench, clock: Clock) -> None:
    secret, codes = add_second_factor(bench, hire(bench, "lan", Role.MANAGER), clock.moment)
    entrance, waiting = bench.estate.entrance, ticket(bench, "lan")
    for guess in ("000000", "\uff11\uff12\uff13\uff14\uff15\uff16", "", "x" * 64)[:FREE_ATTEMPTS]:
        with pytest.raises(InputRefused):
            entrance.take_code(waiting, guess, ELSEWHERE)
    with pytest.raises(InputRefused):
        entrance.take_code(waiting, "111111", ELSEWHERE)
    with pytest.raises(TooManyAttempts):
        entrance.take_code(waiting, codes[0], ELSEWHERE)
    bench.estate.backoff.succeed("name:lan", "address:192.0.2.7")
    clock.moment += STEP_S
    entrance.take_code(waiting, code_of(secret, clock.moment), ELSEWHERE)


def test_a_recovery_code_stands_in_once_however_it_is_typed(bench: Bench, clock: Clock) -> None:
    staff = hire(bench, "recovers", Role.MANAGER)
    _, codes = add_second_factor(bench, staff, clock.moment)
    assert len(set(codes)) == 8
    typed = codes[0].lower().replace("-", " ")
    bench.estate.entrance.take_code(ticket(bench, "recovers"), typed, ELSEWHERE)
    with pytest.raises(InputRefused):
        bench.estate.entrance.take_code(ticket(bench, "recovers"), codes[0], ELSEWHERE)
    other = hire(bench, "other", Role.MANAGER)
    add_second_factor(bench, other, clock.moment)
    with pytest.raises(InputRefused):
        bench.estate.entrance.take_code(ticket(bench, "other"), codes[1], ELSEWHERE)
    with bench.estate.reading() as session:
        kept = session.scalars(select(RecoveryCode).where(RecoveryCode.staff_id == staff)).all()
        assert len(kept) == 7
        assert codes[1].encode() not in b"".join(row.code_hash for row in kept)


def test_the_secret_lies_sealed_and_is_in_force_once_a_code_came_back(
    bench: Bench, clock: Clock
) -> None:
    staff = hire(bench, "sealed", Role.GUARD)
    signed_in, other = enter(bench, "sealed").signed_in, enter(bench, "sealed")
    with pytest.raises(Conflict):
        put_in_force(bench.estate, signed_in, "123456")
    shown = begin(bench.estate, signed_in)
    secret = base64.b32decode(shown.secret.replace(" ", ""))
    assert shown.secret.replace(" ", "") in shown.address
    assert shown.secret not in repr(shown)
    with pytest.raises(InputRefused):
        put_in_force(bench.estate, signed_in, "000000")
    assert isinstance(enter(bench, "sealed"), Opened)  # not in force yet
    with bench.estate.reading() as session:
        kept = session.get_one(StaffMember, staff).totp
    assert kept is not None
    assert secret not in bytes(kept)
    assert len(put_in_force(bench.estate, signed_in, code_of(secret, clock.moment))) == 8
    with pytest.raises(Conflict):
        begin(bench.estate, signed_in)
    ticket(bench, "sealed")
    with pytest.raises(SignInRefused):  # opened without it
        look_up(bench, other.token)
    do_without(bench.estate, signed_in)
    enter(bench, "sealed")
    with bench.estate.reading() as session:
        actions = session.scalars(select(AuditRow.action).where(AuditRow.subject == staff)).all()
        assert list(actions) == ["second-factor", "no-second-factor"]
        assert session.scalar(select(RecoveryCode).where(RecoveryCode.staff_id == staff)) is None
