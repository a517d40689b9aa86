"""Every route with everybody, against the written table in `who_may_what.txt`."""

import re
from typing import Any, Final

import httpx
import pytest
from fastapi.routing import iter_route_contexts
from starlette.routing import Mount, WebSocketRoute

from community_server.console.frame import ROOMS
from community_server.database import now
from community_server.desk import COOKIE, CSRF_HEADER
from community_server.doors.service import add_door
from community_server.pages import PAGES
from community_server.staff.permissions import SCOPES, Permission, Role
from community_server.staff.tokens import make_token
from tests.community_server.bench import Bench
from tests.community_server.staff.walker import (
    CSRF,
    HOST,
    NOBODY,
    ROUTES,
    TABLE,
    Walker,
)
from tier_kit.language import LANGUAGES

UNKNOWN: Final = {"sign-in-needed", "token-wrong"}
REFUSALS: Final = UNKNOWN | {"not-permitted", "csrf-wrong", "origin-wrong"}
TOMORROW: Final = now() + 24 * 3600
_ADDRESS: Final = re.compile(r"(?:href|action|src|hx-get|hx-post)=\"(/[^\"#]*)")


def refusal(response: httpx.Response) -> str:
    """Return why whoever asked was turned away, empty where that was for no such reason."""
    if response.status_code == 303 and response.headers["location"] == "/login":
        return "sign-in-needed"
    if response.content and response.headers["content-type"].startswith("application/json"):
        body = response.json()
        code = body["error"]["code"] if isinstance(body, dict) and "error" in body else ""
    else:
        found = re.search(r"data-code=\"([\w-]+)\"", response.text)
        code = found[1] if found else ""
    if code in REFUSALS:
        assert response.status_code == (401 if code in UNKNOWN else 403)
        return str(code)
    return ""


def test_the_table_has_a_line_for_every_route_and_no_other(walker: Walker) -> None:
    served = set()
    for context in iter_route_contexts(walker.app.routes):
        path = context.path or "/"
        match context.original_route:
            case WebSocketRoute():
                served.add(("SOCKET", path))
            case Mount():
                served.add(("GET", path))
            case _:
                served |= {(method, path) for method in (context.methods or set()) - {"HEAD"}}
    written = [(line.method, line.path) for line in TABLE]
    assert sorted(set(written)) == sorted(written)
    assert served == set(written)


@pytest.mark.parametrize("role", [NOBODY, *Role])
def test_everybody_may_what_the_table_says_and_nothing_else(walker: Walker, role: str) -> None:
    refused = "not-permitted" if role else "sign-in-needed"
    wrong = []
    for line in ROUTES:
        if line.public and line.path == "/setup":
            continue  # sends whoever comes too late to the sign-in
        expected = "" if line.allows(role) else refused
        if (got := refusal(walker.ask(line, role))) != expected:
            wrong.append(f"{line.method} {line.path}: {got or 'allowed'}")
    assert wrong == []


@pytest.mark.parametrize("scope", SCOPES)
def test_a_programs_token_may_what_its_scope_says_and_opens_no_page(
    walker: Walker, scope: Permission
) -> None:
    with walker.estate.changer.change() as change:
        _, token = make_token(change, walker.staff[Role.ADMINISTRATOR], scope, [scope], TOMORROW)
    headers = {"authorization": f"Bearer {token}"}
    wrong = []
    for line in ROUTES:
        if line.public:
            continue
        walker.estate.programs._buckets.clear()  # how fast a program may ask is another test's
        refused = "not-permitted" if line.path.startswith("/api/") else "sign-in-needed"
        expected = "" if line.scope == scope else refused
        # No token of a session comes with it, and none is asked for.
        got = refusal(walker.ask(line, NOBODY, csrf="", headers=headers))
        if got != expected:
            wrong.append(f"{line.method} {line.path}: {got or 'allowed'}")
    assert wrong == []


def test_a_token_counts_alone_whatever_cookie_comes_beside_it(walker: Walker) -> None:
    headers = {"authorization": "Bearer gatehouse_none"}
    refused = walker.call("GET", "/api/v1/doors", Role.ADMINISTRATOR, headers=headers)
    assert refusal(refused) == "token-wrong"


def test_a_write_needs_the_sessions_token_and_its_own_site(walker: Walker) -> None:
    for line in ROUTES:
        if line.method == "GET" or (line.public and line.path.startswith("/api/")):
            continue  # without a body, such a route gets no further than asking for one
        elsewhere = walker.ask(line, Role.MANAGER, headers={"origin": "https://elsewhere.example"})
        assert refusal(elsewhere) == "origin-wrong", line
        if not line.public:
            assert refusal(walker.ask(line, Role.MANAGER, csrf="guessed")) == "csrf-wrong", line


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refusal_says_in_the_readers_language_what_to_do(walker: Walker, language: str) -> None:
    sentence = PAGES.catalogue.say(language, "errors.not-permitted")  # type: ignore[arg-type]  # parametrised from LANGUAGES
    asked = {"accept-language": language}
    page = walker.call("GET", "/cloud", Role.GUARD, headers=asked)
    assert (page.status_code, sentence in page.text) == (403, True)
    answer = walker.call("POST", "/api/v1/doors", Role.GUARD, headers=asked)
    error = {"code": "not-permitted", "message": sentence}
    assert (answer.status_code, answer.json()) == (403, {"error": error})


def test_a_guard_invites_visitors_and_no_residents(walker: Walker) -> None:
    async def invite(kind: str) -> httpx.Response:
        transport = httpx.ASGITransport(walker.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
            headers = {"cookie": f"{COOKIE}={walker._sign_in(Role.GUARD)}", CSRF_HEADER: CSRF}
            wanted = {"kind": kind, "name": "Ada", "unit": "1-101", "valid_until": now() + 3600}
            return await client.post("/api/v1/invitations", json=wanted, headers=headers)

    assert walker.runner.run(invite("visitor")).status_code == 201
    assert refusal(walker.runner.run(invite("resident"))) == "not-permitted"


@pytest.mark.parametrize("role", Role)
def test_no_page_leads_to_what_its_reader_may_not_do(walker: Walker, role: Role) -> None:
    """The rooms, a person's page and a door's, with all that they link to, show or send."""
    bench = Bench(walker.estate)
    _, person = bench.invite(name="Lin", unit="2-202")
    with walker.estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    pages = [address for address, _, _ in ROOMS] + [
        *(f"/people/{person}", f"/doors/{door}", f"/staff/{walker.staff[Role.GUARD]}"),
        *("/tokens", "/account", f"/people/{person}/removal", f"/doors/{door}/removal"),
    ]
    for page in pages:
        shown = walker.call("GET", page, role)
        line = next(one for one in ROUTES if one.fits("GET", page))
        assert (shown.status_code == 200) == line.allows(role), page
        if shown.status_code != 200:
            continue
        methods = {"action": "POST", "hx-post": "POST"}
        for found in _ADDRESS.finditer(shown.text):
            kind, path = found[0].split("=")[0], found[1].split("?")[0]
            method = methods.get(kind, "GET")
            if path.startswith("/static/") or 'method="get"' in _tag(shown.text, found.start()):
                continue
            target = next((one for one in ROUTES if one.fits(method, path)), None)
            assert target is not None, (page, method, path)
            assert target.allows(role), (page, method, path)


def _tag(text: str, at: int) -> str:
    """Return the tag around a place in a page."""
    return text[text.rindex("<", 0, at) : text.index(">", at)]


@pytest.mark.parametrize("path", [line.path for line in TABLE if line.method == "SOCKET"])
def test_a_socket_serves_no_staff_and_closes_on_what_is_not_a_door(
    walker: Walker, path: str
) -> None:
    events = [
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "bytes": b"open sesame"},
    ]
    sent: list[Any] = []

    async def receive() -> Any:
        return events.pop(0) if events else {"type": "websocket.disconnect", "code": 1000}

    async def send(event: Any) -> None:
        sent.append(event)

    cookie = f"{COOKIE}={walker._sign_in(Role.ADMINISTRATOR)}".encode()
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "wss",
        "query_string": b"",
        "headers": [(b"host", HOST.encode()), (b"cookie", cookie)],
        "subprotocols": [],
        "state": {},
    }
    walker.runner.run(walker.app(scope, receive, send))
    kinds = [event["type"] for event in sent]
    assert kinds[0] == "websocket.accept"
    assert kinds[-1] == "websocket.close"
    assert "2-202" not in repr(sent)


def test_built_files_are_public_and_nothing_beside_them(walker: Walker) -> None:
    page = walker.call("GET", "/login", NOBODY)
    (script,) = re.findall(r"src=\"(/static/[^\"]+)\"", page.text)
    assert walker.call("GET", script, NOBODY).status_code == 200
    for path in ("/static/", "/static/../app.py", "/static/%2e%2e/app.py", "/static/none.js"):
        assert walker.call("GET", path, NOBODY).status_code == 404
