"""The cloud's metrics are for whoever was given the token, and health is for everybody."""

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI

from enrollment_cloud.app import create_app
from enrollment_cloud.context import Cloud
from enrollment_cloud.settings import Settings
from tests.support.asgi import get

TOKEN = "a-token-of-the-tests-own"  # noqa: S105 - of this test


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FastAPI]:
    settings = Settings(data=tmp_path_factory.mktemp("cloud"), metrics_token=TOKEN)  # type: ignore[arg-type]  # pydantic makes it a secret
    app = create_app(settings)
    yield app
    app.state.cloud.database.engine.dispose()


def ask(app: FastAPI, token: str) -> httpx.Response:
    return get(app, "/metrics", token=token)


def test_whoever_has_no_token_learns_no_more_than_of_any_other_address(app: FastAPI) -> None:
    nothing = get(app, "/nothing").text.replace("/nothing", "/metrics")
    for answer in (get(app, "/metrics"), ask(app, "guessed"), ask(app, "")):
        assert (answer.status_code, answer.text) == (404, nothing)


def test_without_the_setting_there_is_no_such_page(tmp_path: Path) -> None:
    app = create_app(Settings(data=tmp_path))
    assert ask(app, "").status_code == 404
    app.state.cloud.database.engine.dispose()


def test_refusals_are_counted_by_their_code(app: FastAPI) -> None:
    line = 'gatehouse_cloud_refusals_total{code="community-unknown"}'
    assert line not in ask(app, TOKEN).text
    assert get(app, "/api/v1/communities/sunny-court-beef").status_code == 404
    assert f"{line} 1.0" in ask(app, TOKEN).text


def test_it_says_what_waits_and_which_release_runs(app: FastAPI) -> None:
    text = ask(app, TOKEN).text
    assert "gatehouse_cloud_outbox_records 0.0" in text
    assert "gatehouse_cloud_communities_connected 0.0" in text
    assert 'gatehouse_build_info{tier="cloud"' in text


def test_a_cloud_without_its_database_is_alive_and_not_ready(app: FastAPI) -> None:
    assert get(app, "/health/ready").status_code == 200
    cloud: Cloud = app.state.cloud
    cloud.database.engine.dispose()
    file = cloud.settings.data / "cloud.sqlite"
    moved = file.rename(file.with_suffix(".away"))
    file.mkdir()
    try:
        assert get(app, "/health/ready").status_code == 503
        assert get(app, "/health/live").status_code == 200
    finally:
        file.rmdir()
        moved.rename(file)
