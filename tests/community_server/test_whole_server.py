"""A real server process between a cloud and a door: one person's whole way, on both databases."""

import contextlib
import json
import secrets
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest
from argon2 import PasswordHasher

from face_engine.alignment import align
from face_engine.models import load_pack
from gatehouse.local_estate import wait_for
from gatehouse.sample_people import SamplePerson
from tests.community_server.doubles import COMMUNITY, CloudDouble, DoorDouble
from tests.community_server.server_process import Desk, Server, run_server, start
from tests.community_server.whole_way import draft_for, pair_cloud, reply_to
from tests.support.databases import BOTH, postgresql_database
from tier_link.base64url import decode_base64url
from tier_link.certificates import load_root
from tier_link.errors import PairingRefused, RequestFailed
from tier_link.estate_messages import (
    ESTATE,
    AlarmChanged,
    EntryRecorded,
    Looking,
    MatchAnswer,
    MatchRequest,
    WeeklyWindow,
)
from tier_link.invitations import parse_link


@pytest.fixture(params=BOTH)
def own_server(request: pytest.FixtureRequest, models: Path, tmp_path: Path) -> Iterator[Server]:
    """A server of one test's own, on each database."""
    with contextlib.ExitStack() as stack:
        postgresql = request.param == "postgresql"
        url = stack.enter_context(postgresql_database()) if postgresql else ""
        yield stack.enter_context(run_server(tmp_path / "data", database=url, models=models))


@pytest.fixture(scope="module")
def server(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One server, set up, for all tests that leave it as it is."""
    data = tmp_path_factory.mktemp("server") / "data"
    with run_server(data, database="", models=models) as running:
        desk = Desk(running)
        desk.set_up()
        desk.close()
        yield running


@pytest.fixture
def desk(server: Server) -> Iterator[Desk]:
    desk = Desk(server)
    desk.sign_in()
    yield desk
    desk.close()


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[CloudDouble]:
    with CloudDouble(tmp_path) as double:
        yield double


def _entry(person: str, sequence: int) -> EntryRecorded:
    return EntryRecorded(
        entry=secrets.token_hex(16),
        door_sequence=sequence,
        at=int(time.time() * 1000),
        time_known=True,
        direction="in",
        person=person,
        category="resident" if person else "",
        credential="face",
        granted=bool(person),
        reason="within-rules" if person else "not-recognized",
        matched="remote",
        took_ms=40,
        frames=2,
    )


def _crop(models: Path, person: SamplePerson) -> bytes:
    pack = load_pack(folder=models)
    image = cv2.imdecode(np.frombuffer(person.portrait, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    picture = np.asarray(image, np.uint8)
    (face, *_) = pack.detector.detect(picture)
    crop = align(picture, face.landmarks)
    return cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()


def test_from_an_invitation_to_a_roster_a_match_and_an_entry(  # noqa: PLR0915 -- one whole way
    own_server: Server,
    cloud: CloudDouble,
    models: Path,
    people: Sequence[SamplePerson],
    tmp_path: Path,
) -> None:
    server, desk = own_server, Desk(own_server)
    kit = desk.set_up()
    assert len(kit["recovery_secret"].split()) == 14
    desk.sign_in()
    pair_cloud(desk, cloud)
    lost = desk.call(
        "POST", "/api/v1/invitations", {"kind": "resident", "name": "Ada", "unit": "1-101"}
    )
    anew = f"/api/v1/people/{lost['person']}/invitation"
    link = desk.call("POST", anew)["link"]
    wait_for("the invitation at the cloud", lambda: parse_link(link).invitation.id in cloud.open)
    assert parse_link(lost["link"]).invitation.id not in cloud.open

    draft = draft_for(cloud, link, [people[0].portrait])
    cloud.deposit(draft.deposit())
    assert reply_to(cloud, draft, 1, link).outcome == "received"
    wait_for("its end at the cloud", lambda: parse_link(link).invitation.id not in cloud.open)
    assert _code(desk.http.delete(anew)) == "invitation-not-open"

    (waiting,) = desk.call("GET", "/api/v1/approvals")
    assert (waiting["name"], waiting["unit"], waiting["photos"]) == ("Ada", "1-101", 1)
    photo = desk.http.get(f"/api/v1/approvals/{waiting['id']}/photos/0")
    assert photo.content == people[0].portrait
    assert photo.headers["cache-control"] == "no-store"

    door = desk.call("POST", "/api/v1/doors", {"name": "Main gate"})["door"]
    code = desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"]
    with DoorDouble(tmp_path / "door", server.url) as terminal:
        terminal.pair(code)
        terminal.connect()
        wait_for(
            "the roster at the door",
            lambda: terminal.snapshots and terminal.configuration and terminal.news,
        )
        assert terminal.people == {}

        desk.call("POST", f"/api/v1/approvals/{waiting['id']}", {"decision": "approve"})

        wait_for("the person at the door", lambda: waiting["person"] in terminal.people, seconds=5)
        assert reply_to(cloud, draft, 2, link).outcome == "enrolled"
        assert desk.http.get(f"/api/v1/approvals/{waiting['id']}/photos/0").status_code == 404
        terminal.show_presence()
        wait_for("the door to be in step", lambda: desk.call("GET", "/api/v1/doors")[0]["in_step"])
        (row,) = desk.call("GET", "/api/v1/doors")
        assert (row["connected"], row["people"], row["mode"]) == (True, 1, "remote")
        assert (row["gate"], row["vision"]) == ("gate-unreachable", "vision-down")

        configuration = terminal.configuration
        assert configuration is not None
        space = configuration.template_space
        answers = [
            ESTATE.decode(
                "match-answer",
                terminal.ask(MatchRequest(space, (_crop(models, one),))),
            )
            for one in people[:2]
        ]
        assert answers == [MatchAnswer(waiting["person"], "match"), MatchAnswer("", "unknown-face")]
        with pytest.raises(RequestFailed, match="template-space-other"):
            terminal.ask(MatchRequest("another space", (b"x",)))

        seen = _watch(server, desk)
        first, stranger = _entry(waiting["person"], 1), _entry("", 2)
        for entry in (first, stranger, first):
            terminal.send(entry)
        wait_for("the entries to arrive", lambda: terminal.store.waiting(_peer(terminal)) == 0)
        entries = _entries(desk)
        assert [(e["name"], e["granted"], e["door_name"]) for e in entries] == [
            ("Ada", True, "Main gate"),
            ("", False, "Main gate"),
        ]

        wait_for("the live entries", lambda: [e["name"] for e in seen] == ["Ada", ""])

        desk.call("DELETE", f"/api/v1/people/{waiting['person']}")
        wait_for(
            "the person to leave the door",
            lambda: waiting["person"] not in terminal.people,
            seconds=5,
        )

        desk.call("DELETE", f"/api/v1/doors/{door}")
        wait_for(
            "the link to be refused",
            lambda: terminal.dialer and terminal.dialer.state.phase == "refused",
        )
    log = "".join(server.log)
    assert "Ada" not in log
    assert "Traceback" not in log
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert people[0].portrait[200:260] not in path.read_bytes()
    desk.close()


def _watch(server: Server, desk: Desk) -> list[dict[str, object]]:
    """Follow the live entries until the server stops, which must not wait for its watchers."""
    seen: list[dict[str, object]] = []
    opened = threading.Event()

    def follow() -> None:
        with (
            contextlib.suppress(httpx.HTTPError),
            server.client(
                cookie="; ".join(f"{c.name}={c.value}" for c in desk.http.cookies.jar)
            ) as http,
            http.stream("GET", "/api/v1/entries/stream") as stream,
        ):
            for line in stream.iter_lines():
                opened.set()
                if line.startswith("data: "):
                    seen.append(json.loads(line.removeprefix("data: ")))

    threading.Thread(target=follow, daemon=True).start()
    assert opened.wait(20)
    return seen


def _entries(desk: Desk) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = desk.call("GET", "/api/v1/entries?after=0")["entries"]
    return rows


def _peer(terminal: DoorDouble) -> str:
    assert terminal.paired is not None
    return terminal.paired.configuration.peer


def test_a_roster_that_differs_is_mended_with_a_snapshot(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    door = desk.call("POST", "/api/v1/doors", {"name": "Back gate"})["door"]
    code = desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"]
    with DoorDouble(tmp_path / "door", server.url) as terminal:
        terminal.pair(code)
        terminal.connect()
        wait_for("the snapshot", lambda: terminal.snapshots == 1)
        terminal.version += 7

        def snapshot_came() -> bool:
            terminal.show_presence()
            return terminal.snapshots == 2

        wait_for("another snapshot", snapshot_came)


def test_an_alarm_is_told_acknowledged_and_a_fire_release_ended_from_the_desk(
    server: Server, desk: Desk, tmp_path: Path
) -> None:
    door = desk.call("POST", "/api/v1/doors", {"name": "Fire gate"})["door"]
    code = desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"]
    end = f"/api/v1/doors/{door}/fire/end"
    assert _code(desk.http.post(end)) == "door-away"
    with DoorDouble(tmp_path / "door", server.url) as terminal:
        terminal.pair(code)
        terminal.connect()
        wait_for("the configuration", lambda: terminal.configuration)
        alarm = secrets.token_hex(16)
        terminal.send(AlarmChanged(alarm, "fire", True, int(time.time() * 1000), True))
        wait_for("the alarm", lambda: desk.call("GET", "/api/v1/alarms"))
        (shown,) = desk.call("GET", "/api/v1/alarms")
        assert (shown["kind"], shown["active"], shown["door_name"]) == ("fire", True, "Fire gate")
        rows = {row["door"]: row for row in desk.call("GET", "/api/v1/doors")}
        assert rows[door]["alarms"] == ["fire"]
        desk.call("POST", f"/api/v1/alarms/{alarm}/acknowledge")
        assert desk.call("GET", "/api/v1/alarms")[0]["acknowledged_by"] == "desk"

        terminal.burning = True
        assert _code(desk.http.post(end)) == "fire-still-active"
        terminal.burning = False
        desk.call("POST", end)
        assert len(set(terminal.resets)) == 1
        over = AlarmChanged(alarm, "fire", False, int(time.time() * 1000), True, terminal.resets[0])
        terminal.send(over)
        wait_for("its end", lambda: not desk.call("GET", "/api/v1/alarms"))
        (shown,) = desk.call("GET", "/api/v1/alarms?open=false")
        assert (shown["active"], shown["cleared_by"]) == (False, "desk")

        pin = desk.call("POST", f"/api/v1/doors/{door}/reset-pin")["pin"]
        desk.call("PATCH", f"/api/v1/doors/{door}", {"held_open_s": 45, "pair": "east"})
        wait_for(
            "the settings",
            lambda: terminal.configuration and terminal.configuration.held_open_s == 45,
        )
        assert terminal.configuration is not None
        assert PasswordHasher().verify(terminal.configuration.reset_pin, pin)

        hours = {"looks_from": "22:00", "looks_until": "06:30", "looks_outside": "off"}
        desk.call("PATCH", f"/api/v1/doors/{door}", hours | {"looks_rate": 10})
        night = (WeeklyWindow(127, 1320, 1440), WeeklyWindow(127, 0, 390))
        looking = Looking(hours=night, outside="off", rate=10)
        wait_for(
            "the hours",
            lambda: terminal.configuration and terminal.configuration.looking == looking,
        )
        for wrong in ({"looks_from": "24:00"}, {"looks_from": 60}, {"looks_rate": 1}):
            answer = desk.http.patch(f"/api/v1/doors/{door}", json=wrong)
            assert answer.status_code == 422


def test_a_wrong_pairing_code_pairs_nothing(server: Server, desk: Desk, tmp_path: Path) -> None:
    door = desk.call("POST", "/api/v1/doors", {"name": "Gate"})["door"]
    desk.call("POST", f"/api/v1/doors/{door}/pairing")
    with DoorDouble(tmp_path / "door", server.url) as terminal:
        for _ in range(5):
            with pytest.raises(PairingRefused):
                terminal.pair("ZZZZ-ZZZZ-ZZZZ-ZZZZ")
    rows = {row["door"]: row for row in desk.call("GET", "/api/v1/doors")}
    assert rows[door]["paired"] is False


def test_a_second_server_on_the_same_data_is_refused_with_a_clear_sentence(
    server: Server, models: Path
) -> None:
    second = start(server.data, database="", models=models)
    _, stderr = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "already running" in stderr
    assert "Traceback" not in stderr


@pytest.mark.long
def test_a_second_server_on_the_same_postgresql_is_refused(models: Path, tmp_path: Path) -> None:
    with (
        postgresql_database() as url,
        run_server(tmp_path / "one", database=url, models=models),
    ):
        second = start(tmp_path / "two", database=url, models=models)
        _, stderr = second.communicate(timeout=60)
    assert second.returncode == 1
    assert "already running" in stderr


def test_the_port_speaks_tls_1_3_and_nothing_older(server: Server) -> None:
    host = server.url.removeprefix("https://")
    for version, works in (("-tls1_2", False), ("-tls1_3", True)):
        result = subprocess.run(
            ["openssl", "s_client", "-connect", host, version],
            input=b"",
            capture_output=True,
            check=False,
            timeout=20,
        )
        assert (b"TLSv1.3" in result.stdout and result.returncode == 0) is works


def test_writes_need_a_session_its_token_and_the_same_origin(server: Server, desk: Desk) -> None:
    body = {"name": "Gate"}
    with server.client() as stranger:
        assert stranger.post("/api/v1/doors", json=body).status_code == 401
    cookie = next(iter(desk.http.cookies.jar))
    assert (cookie.name, cookie.secure, cookie.path) == ("__Host-gatehouse", True, "/")
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert (cookie.get_nonstandard_attr("SameSite") or "").lower() == "strict"
    for headers, code in (
        ({"x-csrf-token": "wrong"}, "csrf-wrong"),
        ({"origin": "https://elsewhere.example"}, "origin-wrong"),
        ({"sec-fetch-site": "cross-site"}, "origin-wrong"),
    ):
        answer = desk.http.post("/api/v1/doors", json=body, headers=headers)
        assert (answer.status_code, _code(answer)) == (403, code)
    assert desk.http.post("/api/v1/doors", json=body).status_code == 201


def test_guessing_is_slowed_down_and_set_up_needs_its_code(models: Path, tmp_path: Path) -> None:
    with run_server(tmp_path, database="", models=models) as server, server.client() as http:
        wrong = {
            "code": "0000",
            "community_name": "X",
            "username": "x",
            "password": "long enough 1",
        }
        assert _code(http.post("/api/v1/setup", json=wrong)) == "setup-code-wrong"
        desk = Desk(server)
        desk.set_up()
        desk.close()
        assert not (server.data / "setup-code").exists()
        assert _code(http.post("/api/v1/setup", json=wrong)) == "already-set-up"
        guess = {"username": "desk", "password": "a wrong one"}
        codes = [_code(http.post("/api/v1/session", json=guess)) for _ in range(6)]
        assert codes[:4] == ["password-wrong"] * 4
        assert codes[-1] == "too-many-attempts"


def _code(response: httpx.Response) -> str:
    code: str = response.json()["error"]["code"]
    return code


def test_keys_shown_are_public_and_the_root_matches_its_fingerprint(desk: Desk) -> None:
    keys = desk.call("GET", "/api/v1/keys")
    load_root(decode_base64url(keys["root_public"]), bytes.fromhex(keys["fingerprint"]))
    assert "PRIVATE" not in keys["ca_pem"]


def test_a_door_paired_before_the_cloud_knows_the_server_afterwards_too(
    server: Server, desk: Desk, cloud: CloudDouble, tmp_path: Path
) -> None:
    doors = [desk.call("POST", "/api/v1/doors", {"name": name})["door"] for name in ("A", "B")]
    codes = [desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"] for door in doors]
    assert desk.call("GET", "/api/v1/keys")["community"] != COMMUNITY
    with (
        DoorDouble(tmp_path / "before", server.url) as before,
        DoorDouble(tmp_path / "after", server.url) as after,
    ):
        before.pair(codes[0])
        pair_cloud(desk, cloud)
        assert desk.call("GET", "/api/v1/keys")["community"] == COMMUNITY
        after.pair(codes[1])
        assert _peer(before) == _peer(after)
        before.connect()
        wait_for("the roster at the door", lambda: before.snapshots)
