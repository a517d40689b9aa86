"""What strangers on the estate's network may ask of the forms, and how often."""

import asyncio
import functools
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from community_server.own_forms import limits
from tests.community_server.bench import Bench
from tests.community_server.own_forms.phone import HERE, Asked, Phone, at_home, code
from tier_kit.forms import bodies
from tier_kit.forms.limits import BodyBudget, RateLimit, paced
from tier_link.relay_messages import MAX_SEALED


@pytest.fixture(scope="module")
def database() -> str:
    """What is refused before anything is stored asks nothing of the database."""
    return ""


@pytest.mark.parametrize(
    ("change", "refused"),
    [
        ({"envelope": "../../people"}, (405, "")),
        ({"envelope": "F" * 32}, (400, "identifier-malformed")),
        ({"invitation": "x"}, (400, "identifier-malformed")),
        ({"key": ""}, (400, "identifier-malformed")),
        ({"suite": "rot13"}, (400, "suite-unknown")),
        ({"invitation": "0" * 32}, (404, "invitation-unknown")),
        ({"body": b""}, (400, "envelope-size-wrong")),
        ({"body": b"x" * 5000}, (400, "envelope-size-wrong")),
        ({"body": b"x" * (MAX_SEALED + 1)}, (413, "body-too-large")),
    ],
)
def test_what_no_form_sends_is_refused_with_a_code(
    bench: Bench, phone: Phone, change: dict[str, str], refused: tuple[int, str]
) -> None:
    invitation, _ = bench.invite(here=HERE)
    asked = Asked.of(at_home(bench.draft(invitation, [b"photo"])))
    answer = phone.put(replace(asked, **change))  # type: ignore[arg-type]  # one field each
    assert answer.status_code == refused[0]
    if refused[1]:
        assert code(answer) == refused


def test_another_community_is_not_served_here(phone: Phone) -> None:
    for path in ("/api/v1/communities/moon-court-0000", "/c/moon-court-0000/enroll"):
        answer = phone.get(path)
        assert answer.status_code == 404
        assert "community-unknown" in answer.text


def test_an_upload_that_falls_silent_is_given_up(
    bench: Bench, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "paced", functools.partial(paced, silence=0.05))
    invitation, _ = bench.invite(here=HERE)
    asked = Asked.of(at_home(bench.draft(invitation, [b"photo"])))

    async def halting() -> AsyncIterator[bytes]:
        yield asked.body[:100]
        await asyncio.sleep(30)

    answer = phone.put(asked, body=halting())
    assert code(answer) == (408, "body-too-slow")
    assert bench.estate.form_limits.bodies.in_flight == 0


def test_a_body_without_a_length_is_read_no_further_than_the_largest(
    bench: Bench, phone: Phone
) -> None:
    invitation, _ = bench.invite(here=HERE)
    asked = Asked.of(at_home(bench.draft(invitation, [b"photo"])))

    async def endless() -> AsyncIterator[bytes]:
        while True:
            yield bytes(1 << 20)

    assert code(phone.put(asked, body=endless())) == (413, "body-too-large")


def test_who_asks_too_often_or_while_there_is_no_room_has_to_wait(
    bench: Bench, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    invitation, _ = bench.invite(here=HERE)
    asked = Asked.of(at_home(bench.draft(invitation, [b"photo"])))
    given = bench.estate.form_limits
    monkeypatch.setattr(given.bodies, "limit", 1000)
    assert code(phone.put(asked)) == (503, "cloud-busy")
    monkeypatch.setattr(given.bodies, "limit", BodyBudget(1 << 30).limit)
    monkeypatch.setattr(limits, "MAX_IN_LINE", 0)
    assert code(phone.put(asked)) == (503, "cloud-busy")
    monkeypatch.setattr(given.uploads, "per_minute", RateLimit(1).per_minute)
    answers = [phone.put(asked) for _ in range(2)]
    assert code(answers[-1]) == (429, "rate-limited")
    assert int(answers[-1].headers["retry-after"]) > 0


def test_another_sites_page_can_send_nothing_and_no_cookie_is_asked_for(
    bench: Bench, phone: Phone
) -> None:
    invitation, _ = bench.invite(here=HERE)
    asked = Asked.of(at_home(bench.draft(invitation, [b"photo"])))
    answer = phone.put(asked, origin="https://elsewhere.example")
    assert code(answer) == (403, "origin-wrong")
    assert code(phone.put(asked, sec_fetch_site="cross-site")) == (403, "origin-wrong")
    for path in (f"/c/{phone.community}/enroll", phone.base):
        answer = phone.get(path)
        assert "access-control-allow-origin" not in answer.headers
        assert "set-cookie" not in answer.headers
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"
        assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_where_the_forms_are_switched_off_there_is_nothing(
    bench: Bench, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    off = bench.estate.settings.model_copy(update={"own_forms": False})
    monkeypatch.setitem(bench.estate.__dict__, "settings", off)
    for path in (f"/c/{phone.community}/enroll", "/pass", phone.base):
        assert phone.get(path).status_code == 404


def test_the_pages_are_the_forms_in_the_readers_language(phone: Phone) -> None:
    for path, kind in (("enroll", "resident"), ("visit", "visitor")):
        page = phone.get(f"/c/{phone.community}/{path}", headers={"accept-language": "zh-CN"})
        assert page.status_code == 200
        assert f'data-kind="{kind}"' in page.text
        assert 'href="/privacy"' in page.text
        assert "privacy-there" not in page.text
        assert "data-at-desk" not in page.text
        assert '<html lang="zh-CN">' in page.text
    at_desk = phone.get(f"/c/{phone.community}/enroll?at=desk")
    assert "data-at-desk" in at_desk.text
    assert 'href="/approvals"' in at_desk.text
    assert phone.get("/pass").status_code == 200
    for path, script in (("home", "own-page"), ("ask", "ask")):
        page = phone.get(f"/c/{phone.community}/{path}", headers={"accept-language": "en"})
        assert page.status_code == 200
        assert f"/static/{script}-" in page.text
