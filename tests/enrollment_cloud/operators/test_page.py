"""The operators' page as a browser without scripts sees it."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from enrollment_cloud.app import create_app
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.context import Cloud
from enrollment_cloud.operators import accounts
from enrollment_cloud.operators.routes import COOKIE, MAX_FORM_BYTES
from enrollment_cloud.settings import Settings

STATIC = Path(__file__).parents[3] / "enrollment_cloud" / "static"
pytestmark = pytest.mark.skipif(
    not (STATIC / "manifest.json").is_file(),
    reason="the pages are not built; `make pages` builds them",
)


class Browser:
    """Keeps cookies and follows nothing by itself."""

    def __init__(self, app: FastAPI, runner: asyncio.Runner) -> None:
        self.runner = runner
        self.client = httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="https://cloud.test"
        )

    def get(self, path: str = "/operator", **more: Any) -> httpx.Response:
        return self.runner.run(self.client.get(path, **more))

    def post(self, path: str, **fields: str) -> httpx.Response:
        return self.runner.run(self.client.post(f"/operator{path}", data=fields))

    def csrf(self) -> str:
        found = re.search(r'name="csrf" value="([0-9a-f]{64})"', self.get().text)
        assert found
        return found[1]


@pytest.fixture
def app(tmp_path: Path) -> Iterator[FastAPI]:
    made = create_app(Settings(data=tmp_path))
    yield made
    made.state.cloud.database.engine.dispose()


@pytest.fixture
def browser(app: FastAPI) -> Iterator[Browser]:
    with asyncio.Runner() as runner:
        yield Browser(app, runner)


@pytest.fixture
def key(app: FastAPI) -> str:
    cloud: Cloud = app.state.cloud
    with cloud.database.write.begin() as session:
        return accounts.add_operator(session, "Ada", None, 1).key


def registered(browser: Browser, name: str = "Sunny Court") -> str:
    answer = browser.post("/communities", csrf=browser.csrf(), name=name)
    assert answer.status_code == 200
    found = re.search(r"\b[a-z-]+-[0-9a-f]{4}\b", answer.text.partition("data-testid")[2])
    assert found
    return found[0]


def test_without_a_session_the_key_is_asked_for_and_nothing_told(
    browser: Browser, key: str
) -> None:
    browser.post("/sign-in", key=key)
    community = registered(browser)
    browser.client.cookies.clear()
    answer = browser.get()
    assert answer.status_code == 200
    assert 'name="key"' in answer.text
    assert community not in answer.text


def test_a_wrong_key_is_told_in_the_readers_language(browser: Browser) -> None:
    browser.client.headers["accept-language"] = "en"
    answer = browser.post("/sign-in", key="nothing")
    assert answer.status_code == 403
    assert "opens nothing" in answer.text
    assert COOKIE not in answer.cookies


def test_the_sessions_cookie_goes_to_this_site_alone(browser: Browser, key: str) -> None:
    answer = browser.post("/sign-in", key=key)
    assert (answer.status_code, answer.headers["location"]) == (303, "/operator")
    cookie = answer.headers["set-cookie"].lower()
    for word in ("httponly", "secure", "samesite=strict", "path=/operator"):
        assert word in cookie


def test_a_community_is_registered_paired_and_closed(
    browser: Browser, key: str, app: FastAPI
) -> None:
    browser.client.headers["accept-language"] = "en"
    browser.post("/sign-in", key=key)
    answer = browser.post("/communities", csrf=browser.csrf(), name="Sunny Court")
    code = re.search(r"\b(?:[0-9A-Z]{4}-){3}[0-9A-Z]{4}\b", answer.text)
    assert code
    community = re.findall(r'data-community="([^"]+)"', browser.get().text)[0]
    again = browser.post(f"/communities/{community}/code", csrf=browser.csrf())
    assert again.status_code == 200
    assert code[0] not in again.text, "a new one replaces it"
    wrong = browser.post(f"/communities/{community}/revoke", csrf=browser.csrf(), typed="sunny")
    assert wrong.status_code == 400
    assert 'data-code="confirmation-wrong"' in wrong.text
    done = browser.post(f"/communities/{community}/revoke", csrf=browser.csrf(), typed=community)
    assert done.status_code == 303
    with app.state.cloud.database.read() as session:
        assert session.get(Community, community).revoked_at


@pytest.mark.parametrize("path", ["/communities", "/communities/a-0000/code", "/sign-out"])
@pytest.mark.parametrize("csrf", ["", "0" * 64])
def test_a_form_that_this_session_did_not_make_changes_nothing(
    browser: Browser, key: str, path: str, csrf: str
) -> None:
    browser.post("/sign-in", key=key)
    answer = browser.post(path, csrf=csrf, name="Forged")
    assert (answer.status_code, answer.headers["location"]) == (303, "/operator")
    page = browser.get().text
    assert "Forged" not in page
    assert "Ada" in page, "still signed in"


def test_who_signs_out_is_asked_for_the_key_again(browser: Browser, key: str) -> None:
    browser.post("/sign-in", key=key)
    assert browser.post("/sign-out", csrf=browser.csrf()).status_code == 303
    assert 'name="key"' in browser.get().text


def test_a_chosen_language_is_remembered(browser: Browser) -> None:
    assert browser.get("/operator?lang=en").headers["content-language"] == "en"
    assert browser.get().headers["content-language"] == "en"


def test_a_form_larger_than_any_is_refused(browser: Browser, key: str) -> None:
    browser.post("/sign-in", key=key)
    assert browser.post("/communities", name="x" * MAX_FORM_BYTES).status_code == 413


def test_names_are_shown_as_text(browser: Browser, key: str) -> None:
    browser.post("/sign-in", key=key)
    browser.post("/communities", csrf=browser.csrf(), name="<script>alert(1)</script>")
    assert "<script>" not in browser.get().text


def test_text_that_a_database_could_not_hold_is_refused(browser: Browser, key: str) -> None:
    browser.post("/sign-in", key=key)
    assert browser.get("/operator?find=a%00b").status_code == 400
    assert browser.post("/communities", csrf=browser.csrf(), name="a\0b").status_code == 400
