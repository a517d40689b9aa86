"""People who sign in at an estate on the bench."""

from community_server.staff.accounts import add_staff
from community_server.staff.passwords import hash_password
from community_server.staff.permissions import Role
from community_server.staff.second_factor import STEP_S, _totp, begin_second_factor
from community_server.staff.second_factor import confirm_second_factor as confirm
from community_server.staff.sessions import SignedIn, find_session
from community_server.staff.signing_in import Caller, CodeWanted, Opened
from tests.community_server.bench import PASSWORD, Bench

HASHED = hash_password(PASSWORD)
"""Hashed once: it takes a moment, as it should."""
ELSEWHERE = Caller("192.0.2.7")


def hire(bench: Bench, username: str, role: Role) -> str:
    """Add an account that has the usual password; return its id."""
    with bench.estate.changer.change() as change:
        return add_staff(change.session, username, HASHED, role)


def enter(bench: Bench, username: str = "desk", caller: Caller = ELSEWHERE) -> Opened:
    """Sign in with the usual password alone."""
    answer = bench.estate.entrance.take_password(username, PASSWORD, caller)
    assert isinstance(answer, Opened)
    return answer


def ticket(bench: Bench, username: str, caller: Caller = ELSEWHERE) -> str:
    """Give the password of somebody who is then asked for a code."""
    answer = bench.estate.entrance.take_password(username, PASSWORD, caller)
    assert isinstance(answer, CodeWanted)
    return answer.ticket


def look_up(bench: Bench, token: str, *roles: Role) -> SignedIn:
    """Return whose session a cookie is; `roles` need a second factor."""
    with bench.estate.reading() as session:
        return find_session(session, token, frozenset(roles))[0]


def code_of(secret: bytes, moment: float) -> str:
    """Return what the app shows at a moment."""
    return _totp(secret).generate(int(moment) // STEP_S * STEP_S).decode()


def add_second_factor(bench: Bench, staff: str, moment: float) -> tuple[bytes, list[str]]:
    """Set up a second factor; return its secret and the recovery codes."""
    with bench.estate.changer.change() as change:
        secret = begin_second_factor(change, staff)
    with bench.estate.changer.change() as change:
        return secret, confirm(change, staff, code_of(secret, moment))
