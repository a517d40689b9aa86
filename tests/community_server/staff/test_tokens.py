"""Programs' tokens: shown once, kept as hashes, over at their end or at once, and not too fast."""

import pytest
from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.errors import InputRefused, NotFound, SignInRefused, TooManyRequests
from community_server.staff import tokens as module
from community_server.staff.permissions import SCOPES, Permission
from community_server.staff.rate import BURST, PER_SECOND, RequestRate
from community_server.staff.sessions import SignedIn
from community_server.staff.tables import ApiToken
from community_server.staff.token_routes import TokenRequest, add, revoke, tokens
from community_server.staff.tokens import LONGEST, find_token
from tests.community_server.bench import STAFF, Bench


def make(bench: Bench, *scopes: str, name: str = "Property software", days: int = 1) -> str:
    wanted = TokenRequest(name=name, scopes=list(scopes), expires_at=now() + days * 24 * 3600)
    return add(bench.estate, wanted, STAFF)[1]


def look_up(bench: Bench, token: str) -> SignedIn:
    with bench.estate.reading() as session:
        return find_token(session, token)[0]


def test_a_token_is_shown_once_kept_as_a_hash_and_does_what_its_scopes_say(bench: Bench) -> None:
    token = make(bench, "see-people", "see-doors")
    program = look_up(bench, token)
    assert program.permissions == {Permission.SEE_PEOPLE, Permission.SEE_DOORS}
    with bench.estate.reading() as session:
        row = session.get_one(ApiToken, program.staff)
        actions = session.scalars(select(AuditRow.action).where(AuditRow.subject == row.id)).all()
    assert token.encode() not in row.token_hash
    assert list(actions) == ["make-token"]
    (shown,) = [one for one in tokens(bench.estate) if one.token == program.staff]
    assert shown.scopes == ("see-doors", "see-people")
    with pytest.raises(SignInRefused):
        look_up(bench, token[:-1])


def test_a_token_ends_at_its_end_or_at_once(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    token = make(bench, "see-doors")
    with monkeypatch.context() as patched:
        patched.setattr(module, "now", lambda: now() + 24 * 3600)
        with pytest.raises(SignInRefused):
            look_up(bench, token)
    id_ = look_up(bench, token).staff
    revoke(bench.estate, id_, STAFF)
    with pytest.raises(SignInRefused):
        look_up(bench, token)
    with pytest.raises(NotFound):
        revoke(bench.estate, id_, STAFF)


@pytest.mark.parametrize(
    ("name", "scopes", "days", "code"),
    [
        (" ", ["see-doors"], 1, "name-missing"),
        ("x", [], 1, "scopes-wrong"),
        ("x", ["see-doors", "manage-staff"], 1, "scopes-wrong"),
        ("x", ["open-doors"], 1, "scopes-wrong"),
        ("x", ["see-doors"], 0, "end-wrong"),
        ("x", ["see-doors"], LONGEST // (24 * 3600) + 1, "end-wrong"),
    ],
)
def test_a_token_has_a_name_scopes_and_an_end(
    name: str, scopes: list[str], days: int, code: str, bench: Bench
) -> None:
    with pytest.raises(InputRefused) as refused:
        make(bench, *scopes, name=name, days=days)
    assert refused.value.code == code


def test_no_scope_takes_a_password_or_a_persons_name() -> None:
    assert not set(SCOPES) & {
        *(Permission.OPEN_DOORS, Permission.LOCK_DOWN, Permission.REMOVE_PEOPLE, Permission.PAIR),
        *(Permission.HANDLE_ALARMS, Permission.APPROVE, Permission.MANAGE_STAFF),
        *(Permission.READ_AUDIT, Permission.OWN_ACCOUNT, Permission.ANSWER_CALLS),
    }


def test_a_program_that_asks_too_fast_is_told_when_to_go_on() -> None:
    moment = 0.0
    rate = RequestRate(clock=lambda: moment)
    for _ in range(BURST):
        rate.take("a")
    with pytest.raises(TooManyRequests) as refused:
        rate.take("a")
    rate.take("b")
    assert refused.value.wait == pytest.approx(1 / PER_SECOND)
    moment += refused.value.wait
    rate.take("a")
    with pytest.raises(TooManyRequests):
        rate.take("a")
