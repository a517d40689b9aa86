"""Accounts: a first password by a link that counts once; always an administrator who can act."""

import pytest
from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.errors import (
    Conflict,
    InputRefused,
    NotFound,
    SignInRefused,
    TooManyAttempts,
)
from community_server.staff import tickets
from community_server.staff.account_routes import follow_link
from community_server.staff.accounts import LINK_LASTS
from community_server.staff.backoff import FREE_ATTEMPTS
from community_server.staff.permissions import Role
from community_server.staff.staff_routes import (
    AccountChange,
    AccountRequest,
    accounts,
    add,
    alter,
    relink,
    remove,
    unfactor,
)
from community_server.staff.tables import StaffMember, StaffTicket
from tests.community_server.bench import PASSWORD, STAFF, Bench
from tests.community_server.staff.desks import add_second_factor, enter, hire, look_up

OTHER = "an entirely new password"


def make(bench: Bench, username: str, role: Role = Role.GUARD) -> tuple[str, str]:
    return add(bench.estate, AccountRequest(username=username, role=role), STAFF)


def desk(bench: Bench) -> str:
    with bench.estate.reading() as session:
        return session.scalars(select(StaffMember.id).where(StaffMember.username == "desk")).one()


def test_a_new_member_of_staff_sets_the_password_by_a_link_that_counts_once(bench: Bench) -> None:
    staff, secret = make(bench, " wei ")
    with pytest.raises(SignInRefused):
        enter(bench, "wei")
    with bench.estate.reading() as session:
        assert secret.encode() not in session.scalars(select(StaffTicket.token_hash)).all()
    with pytest.raises(InputRefused):
        follow_link(bench.estate, secret, "short", "192.0.2.3")
    follow_link(bench.estate, secret, PASSWORD, "192.0.2.3")
    assert look_up(bench, enter(bench, "wei").token).role == "guard"
    with pytest.raises(SignInRefused):
        follow_link(bench.estate, secret, OTHER, "192.0.2.3")
    shown = next(one for one in accounts(bench.estate) if one.staff == staff)
    assert (shown.username, shown.has_password, shown.link_until) == ("wei", True, 0)


def test_another_link_ends_the_one_before_and_time_ends_it_too(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    staff, first = make(bench, "lost")
    second = relink(bench.estate, staff, STAFF)
    with pytest.raises(SignInRefused):
        follow_link(bench.estate, first, PASSWORD, "192.0.2.4")
    later = now() + LINK_LASTS
    with monkeypatch.context() as patched:
        patched.setattr(tickets, "now", lambda: later)
        with pytest.raises(SignInRefused):
            follow_link(bench.estate, second, PASSWORD, "192.0.2.4")
    follow_link(bench.estate, second, PASSWORD, "192.0.2.4")


def test_a_forgotten_password_is_replaced_by_a_link_and_signs_out(bench: Bench) -> None:
    staff = hire(bench, "forgets", Role.GUARD)
    token = enter(bench, "forgets").token
    secret = relink(bench.estate, staff, STAFF)
    look_up(bench, token)
    follow_link(bench.estate, secret, OTHER, "192.0.2.5")
    with pytest.raises(SignInRefused):
        look_up(bench, token)
    with pytest.raises(SignInRefused):
        enter(bench, "forgets")


def test_links_are_slow_to_guess(bench: Bench) -> None:
    for _ in range(FREE_ATTEMPTS + 1):
        with pytest.raises(SignInRefused):
            follow_link(bench.estate, "guess", PASSWORD, "192.0.2.6")
    with pytest.raises(TooManyAttempts):
        follow_link(bench.estate, "guess", PASSWORD, "192.0.2.6")


@pytest.mark.parametrize(
    ("username", "code"),
    [(" ", "username-missing"), ("x" * 65, "username-missing"), ("DESK", "username-taken")],
)
def test_a_name_that_cannot_be_told_apart_is_refused(
    username: str, code: str, bench: Bench
) -> None:
    with pytest.raises(InputRefused) as refused:
        make(bench, username)
    assert refused.value.code == code


def test_the_last_administrator_who_can_sign_in_stays(bench: Bench) -> None:
    last = desk(bench)
    make(bench, "unset", Role.ADMINISTRATOR)  # has no password yet, so helps nobody
    closed = hire(bench, "closed", Role.ADMINISTRATOR)
    alter(bench.estate, closed, AccountChange(disabled=True), last)
    for change in (AccountChange(role=Role.MANAGER), AccountChange(disabled=True)):
        with pytest.raises(Conflict) as refused:
            alter(bench.estate, last, change, last)
        assert refused.value.code == "last-administrator"
    with pytest.raises(Conflict):
        remove(bench.estate, last, last)
    alter(bench.estate, closed, AccountChange(disabled=False), last)
    alter(bench.estate, last, AccountChange(role=Role.MANAGER), last)
    alter(bench.estate, last, AccountChange(role=Role.ADMINISTRATOR), closed)
    remove(bench.estate, closed, last)


def test_a_removed_account_keeps_its_name_for_the_logs_and_nothing_else(bench: Bench) -> None:
    staff = hire(bench, "leaves", Role.MANAGER)
    add_second_factor(bench, staff, now())
    remove(bench.estate, staff, STAFF)
    assert staff not in {one.staff for one in accounts(bench.estate)}
    with bench.estate.reading() as session:
        row = session.get_one(StaffMember, staff)
        assert (row.username, row.password_hash, row.totp) == ("leaves", "", None)
    for again in (
        lambda: remove(bench.estate, staff, STAFF),
        lambda: relink(bench.estate, staff, STAFF),
        lambda: alter(bench.estate, staff, AccountChange(disabled=False), STAFF),
    ):
        with pytest.raises(NotFound):
            again()
    with pytest.raises(InputRefused):
        make(bench, "leaves")


def test_a_closed_account_gets_no_link_and_its_open_link_is_over(bench: Bench) -> None:
    staff, secret = make(bench, "closes")
    alter(bench.estate, staff, AccountChange(disabled=True), STAFF)
    with pytest.raises(SignInRefused):
        follow_link(bench.estate, secret, PASSWORD, "192.0.2.9")
    with pytest.raises(Conflict):
        relink(bench.estate, staff, STAFF)


def test_every_change_of_an_account_is_noted_with_who_and_whom(bench: Bench) -> None:
    staff, secret = make(bench, "noted")
    follow_link(bench.estate, secret, PASSWORD, "192.0.2.10")
    alter(bench.estate, staff, AccountChange(role=Role.OFFICER), STAFF)
    alter(bench.estate, staff, AccountChange(role=Role.OFFICER), STAFF)  # nothing changes
    alter(bench.estate, staff, AccountChange(disabled=True), STAFF)
    alter(bench.estate, staff, AccountChange(disabled=False), STAFF)
    relink(bench.estate, staff, STAFF)
    unfactor(bench.estate, staff, STAFF)
    remove(bench.estate, staff, STAFF)
    with bench.estate.reading() as session:
        rows = session.scalars(
            select(AuditRow).where(AuditRow.subject == staff).order_by(AuditRow.number)
        ).all()
    assert [(row.action, row.detail, row.staff_id == STAFF) for row in rows] == [
        ("add-staff", "guard", True),
        ("set-password", "", False),
        ("staff-role", "officer", True),
        ("disable-staff", "", True),
        ("enable-staff", "", True),
        ("staff-link", "", True),
        ("reset-second-factor", "", True),
        ("remove-staff", "", True),
    ]
