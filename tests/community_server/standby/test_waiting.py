"""A server that does not serve says so, in plain words, and nothing else."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from community_server.estate import open_estate
from community_server.pages import PAGES
from community_server.settings import Settings
from community_server.standby.letters import EpochStated, ask_epoch, read
from community_server.standby.opened import Opened, opened
from community_server.standby.waiting import MAX_BODY, WaitingRoom, Why
from tests.community_server.bench import prepare
from tests.limits.tables import Caller, code_of
from tier_kit.forms.errors import TooMany
from tier_kit.forms.limits import RateLimit
from tier_kit.language import LANGUAGES


@pytest.fixture(scope="module")
def here(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    settings = Settings(data=tmp_path_factory.mktemp("waiting"), models=models)
    estate = open_estate(settings)
    prepare(estate)
    estate.close()
    with opened(settings) as one:
        yield one


@pytest.fixture
def caller(here: Opened) -> Iterator[Callable[[Why], Caller]]:
    """Makes somebody who calls at a server that waits, for either reason."""
    with asyncio.Runner() as runner:

        def call(why: Why) -> Caller:
            app = WaitingRoom(here, why).app()
            return Caller(app, "https://gate-b.example:8443", runner=runner)

        yield call


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("why", ["standby", "superseded"])
def test_every_page_says_why_in_the_readers_language(
    caller: Callable[[Why], Caller], why: Why, language: str
) -> None:
    words = PAGES.catalogue.say(language, f"errors.{why}")  # type: ignore[arg-type]  # parametrised from LANGUAGES
    asked = {"accept-language": language}
    for method, path in (("GET", "/"), ("POST", "/login"), ("GET", "/entries"), ("PUT", "/x/y")):
        answer = caller(why).ask(method, path, headers=asked)
        assert (answer.status_code, code_of(answer)) == (503, why)
        assert words in answer.text
        assert "content-security-policy" in answer.headers
    answer = caller(why).ask("GET", "/api/v1/doors", headers=asked)
    assert (answer.status_code, answer.json()) == (503, {"error": {"code": why, "message": words}})


@pytest.mark.parametrize("why", ["standby", "superseded"])
def test_it_is_alive_and_not_ready(caller: Callable[[Why], Caller], why: Why) -> None:
    one = caller(why)
    assert one.ask("GET", "/health/live").status_code == 200
    answer = one.ask("GET", "/health/ready")
    assert (answer.status_code, answer.json()["hindrances"]) == (503, [why])


def test_no_link_and_no_pairing_is_accepted(caller: Callable[[Why], Caller]) -> None:
    for path in ("/link", "/pair"):
        assert "websocket.accept" not in caller("standby").knock(path)


def test_whoever_asks_is_told_its_epoch_and_that_it_does_not_serve(
    here: Opened, caller: Callable[[Why], Caller]
) -> None:
    one = caller("standby")
    answer = one.ask("POST", "/api/v1/standby/epoch", content=ask_epoch(b"n" * 32))
    stated = read(EpochStated, answer.content, here.root().public_key())
    assert stated == EpochStated(b"n" * 32, here.links.epoch, serving=False)
    for noise in (b"", b"\x91", b"x" * (MAX_BODY + 1)):
        assert one.ask("POST", "/api/v1/standby/epoch", content=noise).status_code == 503
    assert one.ask("POST", "/api/v1/standby/keys", content=b"").status_code == 503


def test_who_asks_too_often_is_told_to_wait(
    caller: Callable[[Why], Caller], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(RateLimit, "spend", _refuse)
    answer = caller("standby").ask("GET", "/")
    assert answer.status_code == 503


def _refuse(*_: object) -> None:
    raise TooMany("rate-limited", retry_after=1)
