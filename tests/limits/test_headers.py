"""Every answer of the cloud and of the door's own page forbids what no page of ours needs."""

from pathlib import Path

import pytest

from enrollment_cloud.app import create_app
from enrollment_cloud.settings import Settings
from tests.door_terminal.screen.test_app import opened
from tests.limits import test_cloud, test_door
from tests.limits.tables import SOCKET, Caller
from tests.support.headers import LANGUAGE, faults_of


@pytest.mark.parametrize("tls", [True, False])
def test_every_route_of_the_cloud_answers_with_all_headers(tmp_path: Path, tls: bool) -> None:  # noqa: FBT001 -- parametrised
    # Files that are not there: what is promised follows from their being named.
    named = {"tls_certificate": tmp_path / "chain.pem", "tls_key": tmp_path / "key.pem"}
    settings = Settings.read(data=tmp_path, **(named if tls else {}))
    stranger = test_cloud.Stranger(create_app(settings))
    wrong = [
        f"{line} {response.status_code}: {fault}"
        for line in test_cloud.LINES
        if line.method != SOCKET
        for response in [stranger.ask(line)]
        for fault in faults_of(response, tls=tls)
    ]
    assert wrong == []
    for path in ("/leads/nowhere", "/api/v1/none"):
        assert list(faults_of(stranger.caller.ask("BREW", path), tls=tls)) == []
    files = stranger.cloud.pages.static_folder.glob("*.css")
    built = stranger.caller.ask("GET", f"/static/{next(files).name}")
    assert built.status_code == 200
    assert list(faults_of(built, tls=tls, kept=True)) == []
    chosen = stranger.caller.ask("GET", "/?lang=en")
    assert chosen.headers["set-cookie"].startswith(f"{LANGUAGE}=en;")
    assert list(faults_of(chosen, tls=tls)) == []
    stranger.caller.runner.close()
    stranger.cloud.database.engine.dispose()


def test_every_route_of_the_doors_page_answers_with_all_headers(tmp_path: Path) -> None:
    with opened(tmp_path) as terminal:
        program = test_door.Program(terminal)
        wrong = [
            f"{line} {response.status_code}: {fault}"
            for line in test_door.LINES
            if line.path != "/look"
            for response in [program.ask(line)]
            for fault in faults_of(response, tls=False)
        ]
        assert wrong == []
        elsewhere = Caller(program.caller.app, "http://door.example", runner=program.caller.runner)
        refused = elsewhere.ask("GET", "/")
        assert refused.status_code == 421
        assert list(faults_of(refused, tls=False)) == []
        program.caller.runner.close()
