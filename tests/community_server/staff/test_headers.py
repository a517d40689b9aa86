"""Every answer of the server forbids what no page of ours needs; its cookies are for it alone."""

import pytest

from community_server.staff.permissions import Role
from tests.community_server.bench import PASSWORD
from tests.community_server.staff.walker import HOST, NOBODY, ROUTES, Walker
from tests.limits.tables import Caller
from tests.support.headers import LANGUAGE, faults_of


@pytest.mark.parametrize("role", [NOBODY, pytest.param(Role.ADMINISTRATOR, marks=pytest.mark.long)])
def test_every_route_answers_with_all_headers_and_keeps_nothing(walker: Walker, role: str) -> None:
    wrong = [
        f"{line.method} {line.path} {response.status_code}: {fault}"
        for line in ROUTES
        for response in [walker.ask(line, role)]
        for fault in faults_of(response, tls=True)
    ]
    assert wrong == []


@pytest.mark.parametrize("path", ["/leads/nowhere", "/static/none.css", "/api/v1/none"])
def test_what_leads_nowhere_answers_with_them_too(walker: Walker, path: str) -> None:
    for method in ("GET", "POST", "BREW"):
        response = walker.call(method, path, NOBODY)
        assert response.status_code in {403, 404, 405}
        assert list(faults_of(response, tls=True)) == []


def test_signing_in_gives_cookies_that_no_script_and_no_other_site_can_use(walker: Walker) -> None:
    caller = Caller(walker.app, f"https://{HOST}", runner=walker.runner)
    given = {"username": "desk", "password": PASSWORD}
    response = caller.ask("POST", "/api/v1/session", json=given)
    assert response.status_code == 200
    assert list(faults_of(response, tls=True)) == []
    cookies = [sent.partition("=")[0] for sent in response.headers.get_list("set-cookie")]
    assert cookies == ["__Host-gatehouse", "__Host-gatehouse-browser"]


def test_a_language_is_kept_in_the_one_cookie_that_scripts_may_read(walker: Walker) -> None:
    response = walker.call("GET", "/login?lang=en", NOBODY)
    assert response.headers["set-cookie"].startswith(f"{LANGUAGE}=en;")
    assert list(faults_of(response, tls=True)) == []
