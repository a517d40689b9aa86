"""The unit's page serves the unit's own screen, in both languages, and nobody else."""

import asyncio
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from access_rules.decision import DecisionReason
from door_terminal.configuration import Configuration
from door_terminal.credentials.backoff import UNIT_PATIENCE
from door_terminal.decisions.cooldown import Cooldown
from door_terminal.decisions.faces import Verdict
from door_terminal.decisions.recognition import Recognised
from door_terminal.identity import Pairing
from door_terminal.live_view import Mark
from door_terminal.screen.app import PAGES, build_app, renewal_told, sentences
from door_terminal.settings import Settings
from door_terminal.terminal import Terminal
from door_terminal.vision.messages import Advice, FaceBox, Preview, Sighting, Unclear
from tests.door_terminal.samples import QUICK, RENEWAL, configured, person
from tier_link.estate_messages import (
    ESTATE,
    Looking,
    RenewalAnswer,
    RosterSnapshot,
    WeeklyWindow,
    Zone,
)

PORT = 8480
OWN = f"http://127.0.0.1:{PORT}"


@contextmanager
def opened(folder: Path, **settings: Any) -> Iterator[Terminal]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes_raw()
    pairing = Pairing(
        "https://127.0.0.1:9", "0d" * 16, "court", public, key.private_bytes_raw(), ""
    )
    terminal = Terminal(Settings(data=folder / "door", **settings), pairing)
    terminal.clock.hear(int(time.time()))
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured())
        ada = person("a", pin=QUICK.hash("482915"))
        terminal.roster.take_snapshot(session, RosterSnapshot(1, 0, 1, (ada,)), "")
    yield terminal
    terminal.close()


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    with opened(tmp_path) as terminal:
        yield terminal


def ask(terminal: Terminal, method: str, path: str, **more: Any) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(build_app(terminal, PORT))
        async with httpx.AsyncClient(transport=transport, base_url=OWN) as client:
            return await client.request(method, path, **more)

    return asyncio.run(send())


def test_the_right_pin_opens_and_says_so_in_both_languages(terminal: Terminal) -> None:
    answer = ask(terminal, "POST", "/pin", json={"unit": "3-1-1201", "pin": "482915"})
    assert answer.status_code == 200
    outcome = answer.json()
    assert (outcome["granted"], outcome["gate"]) == (True, "")
    assert outcome["message"] == {"en": "Welcome.", "zh-CN": "欢迎。"}
    state = ask(terminal, "GET", "/state").json()
    assert state["last"]["reason"] == "within-rules"
    assert (state["link"], state["people"], state["unsent"]) == (False, 1, 1)


def test_a_wrong_pin_is_refused_and_recorded(terminal: Terminal) -> None:
    outcome = ask(terminal, "POST", "/pin", json={"unit": "3-1-1201", "pin": "000000"}).json()
    assert (outcome["granted"], outcome["reason"]) == (False, "pin-wrong")
    assert terminal.entries.unsent() == 1


def test_a_gate_that_does_not_answer_is_told_at_the_door_and_to_the_server(tmp_path: Path) -> None:
    with opened(tmp_path, gate="http", gate_url="http://127.0.0.1:9/open") as terminal:
        assert terminal.presence().gate == ""
        entry = {"unit": "3-1-1201", "pin": "482915"}
        outcome = ask(terminal, "POST", "/pin", json=entry).json()
        assert (outcome["granted"], outcome["gate"]) == (True, "gate-unreachable")
        assert "guard" in outcome["message"]["en"]
        assert terminal.presence().gate == "gate-unreachable"


def test_a_door_that_takes_no_pins_says_so(terminal: Terminal) -> None:
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured(pin_allowed=False))
    outcome = ask(terminal, "POST", "/pin", json={"unit": "3-1-1201", "pin": "482915"}).json()
    assert outcome["reason"] == "credential-not-accepted"


@pytest.mark.parametrize(
    "headers",
    [
        {"host": "door.example"},
        {"host": "127.0.0.1"},
        {"host": "evil.example:8480"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
    ],
)
@pytest.mark.parametrize("path", ["/", "/state", "/look", "/pin", "/fire/end"])
def test_other_hosts_and_origins_are_refused(
    terminal: Terminal, headers: dict[str, str], path: str
) -> None:
    method = "POST" if path in {"/pin", "/fire/end"} else "GET"
    answer = ask(terminal, method, path, headers=headers)
    assert answer.status_code == 421
    assert terminal.entries.unsent() == 0


@pytest.mark.parametrize(
    ("body", "kind", "status"),
    [
        (b'{"unit":"1","pin":"482915"}', "text/plain", 415),
        (b"unit=1&pin=482915", "application/x-www-form-urlencoded", 415),
        (b"{", "application/json", 422),
        (b"[]", "application/json", 422),
        (b'{"unit":"1"}', "application/json", 422),
        (b'{"unit":"1","pin":1}', "application/json", 422),
        (b'{"unit":"","pin":"1"}', "application/json", 422),
        (b'{"unit":"1","pin":"1","more":1}', "application/json", 422),
        (b'{"unit":"1","pin":"' + b"1" * 2000 + b'"}', "application/json", 413),
    ],
)
@pytest.mark.parametrize("path", ["/pin", "/fire/end"])
def test_what_the_pad_would_not_send_is_refused_with_a_code(
    terminal: Terminal, path: str, body: bytes, kind: str, status: int
) -> None:
    answer = ask(terminal, "POST", path, content=body, headers={"content-type": kind})
    assert answer.status_code == status
    assert answer.json()["error"]["code"]
    assert terminal.entries.unsent() == 0


def test_a_fire_release_ends_by_the_staffs_pin_alone(terminal: Terminal) -> None:
    def end(pin: str) -> dict[str, Any]:
        told: dict[str, Any] = ask(terminal, "POST", "/fire/end", json={"pin": pin}).json()
        return told

    assert "no fire release" in end("604318")["message"]["en"]
    terminal.alarms.put(AlarmKind.FIRE, active=True)
    # None was issued, and none fits, a resident's least of all.
    assert end("482915")["message"]["en"] == "That reset PIN is not right."
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured(reset_pin=QUICK.hash("604318")))
    for _ in range(UNIT_PATIENCE.free):
        assert end("000000")["ended"] is False
    locked = end("604318")
    assert (locked["ended"], "Next try in" in locked["message"]["en"]) == (False, True)
    assert ask(terminal, "GET", "/state").json()["fire"] is True
    terminal.pins._backoff.succeeded("#staff")
    assert end("604318")["ended"] is True
    assert ask(terminal, "GET", "/state").json()["fire"] is False


def test_the_page_and_its_parts_are_served_under_a_strict_policy(terminal: Terminal) -> None:
    if not (PAGES.static_folder / "manifest.json").exists():
        pytest.skip("the pages are not built; 'make pages' builds them")
    page = ask(terminal, "GET", "/")
    assert page.status_code == 200
    assert "房号" in page.text
    assert "Unit" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    for address, kind in (
        ("/script/door.js", "text/javascript"),
        ("/script/live.js", "text/javascript"),
        (PAGES.asset("kiosk.css"), "text/css"),
    ):
        assert f'"{address}"' in page.text
        answer = ask(terminal, "GET", address)
        assert answer.headers["content-type"].startswith(kind)


@pytest.mark.parametrize("folder", ["static", "script"])
@pytest.mark.parametrize("name", ["app.py", "%2e%2e%2fcommand.py", "..%2Fcommand.py"])
def test_nothing_but_the_pages_own_files_is_served(
    terminal: Terminal, folder: str, name: str
) -> None:
    assert ask(terminal, "GET", f"/{folder}/{name}").status_code == 404


def test_the_live_picture_is_the_newest_with_its_faces_and_is_stored_nowhere(
    terminal: Terminal,
) -> None:
    now, beside = time.monotonic_ns(), FaceBox(0, 0, 0.1, 0.1, Advice.CLOSER, 8)
    face = FaceBox(0.25, 0.125, 0.5, 0.75, Advice.DONE, 7)
    terminal.live.mark(7, Mark.REFUSED)
    terminal.live.take(Preview(b"jpeg", now, watching=True, faces=(face, beside)))
    answer = ask(terminal, "GET", "/look?after=0")
    assert (answer.content, answer.headers["content-type"]) == (b"jpeg", "image/jpeg")
    assert answer.headers["cache-control"] == "no-store"
    assert json.loads(answer.headers["picture-faces"]) == [
        {"box": [0.25, 0.125, 0.5, 0.75], "state": "refused"},
        {"box": [0.0, 0.0, 0.1, 0.1], "state": "closer"},
    ]
    number = answer.headers["picture-number"]
    assert ask(terminal, "GET", "/look?after=nonsense").status_code == 200
    assert ask(terminal, "GET", f"/look?after={number}").status_code == 204


def test_a_face_is_marked_with_what_was_decided_about_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Recognised(person("a"), "local", None)
    monkeypatch.setattr(terminal.faces._recogniser, "recognise", lambda *_: found)

    def marked(track: int) -> str:
        return terminal.live.state(FaceBox(0, 0, 1, 1, Advice.DONE, track))

    now = time.monotonic_ns()
    terminal._deal_with(Unclear("s", now, now, 1, track=1))
    terminal._deal_with(Sighting("s", now, now, 2, track=2))
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured(face_needs_second=True))
    terminal.faces._cooldown = Cooldown()
    terminal._deal_with(Sighting("s", now, now, 2, track=3))
    terminal._deal_with(Sighting("s", now, now, 2, track=4))  # the same person once more
    assert [marked(track) for track in (1, 2, 3, 4)] == ["refused", "granted", "second", "done"]


def test_every_reason_has_a_sentence_in_both_languages() -> None:
    PAGES.catalogue.compare()
    for reason in DecisionReason:
        assert all(sentences(reason).values())
    assert set(PAGES.catalogue.branch("en", "reason")) == {one.value for one in DecisionReason}


@pytest.mark.parametrize(
    ("seconds", "said"),
    [(0, ""), (0.2, "Next try in 1 s."), (90, "Next try in 90 s."), (90.5, "Next try in 2 min.")],
)
def test_a_wait_is_told_in_seconds_and_then_in_minutes(seconds: float, said: str) -> None:
    first, *wait = sentences(DecisionReason.PIN_LOCKED, wait_s=seconds)["en"].splitlines()
    assert first.startswith("Too many")
    assert "".join(wait) == said


def test_who_is_asked_to_turn_reads_it_until_done_whatever_becomes_of_others(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(found: Sighting | Unclear, turn: str = "") -> str:
        verdict = Verdict(settled=not turn, turn=turn)
        monkeypatch.setattr(terminal.faces, "sighting", lambda _: verdict)
        terminal._deal_with(found)
        return str(ask(terminal, "GET", "/state").json()["turn"])

    def probe(track: int, *, challenged: bool = False) -> Sighting:
        return Sighting("s", 0, 0, 2, challenged=challenged, track=track)

    assert told(probe(1), "left") == "left"
    assert told(Unclear("s", 0, time.monotonic_ns(), 1, track=2)) == "left"
    assert told(probe(3), "right") == "right"
    assert told(probe(3, challenged=True)) == "left"
    assert told(probe(1, challenged=True)) == ""


class Server:
    """A link that renews whatever it is sent."""

    def __init__(self, reason: str) -> None:
        self.reason = reason

    def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        del kind, body, deadline
        return ESTATE.encode(RenewalAnswer(self.reason))


def test_whoever_was_let_in_is_asked_in_both_languages_and_told_what_came_of_it(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server("resembles")
    monkeypatch.setattr(terminal.renewals, "_link", lambda: server)
    with Session(terminal.engine) as session, session.begin():
        strict = configured(face_needs_second=True, renewal=RENEWAL)
        terminal.configuration.take(session, strict)
    ada = person("a", pin=QUICK.hash("482915"))
    found = Recognised(ada, "remote", None, renewable=True)
    monkeypatch.setattr(terminal.faces._recogniser, "recognise", lambda *_: found)
    now = time.monotonic_ns()
    terminal._deal_with(Sighting("s", now, now, 2, crops=(b"one", b"two")))
    state = ask(terminal, "GET", "/state").json()
    assert (state["last"]["reason"], state["renewal"]) == ("second-credential-needed", None)

    assert ask(terminal, "POST", "/pin", json={"unit": "3-1-1201", "pin": "482915"}).is_success

    offer = ask(terminal, "GET", "/state").json()["renewal"]
    texts = {one.language: {"title": one.title, "text": one.text} for one in RENEWAL}
    assert offer["texts"] == texts
    wrong = {"offer": "0" * 16, "agreed": True, "language": "en"}
    assert ask(terminal, "POST", "/renewal", json=wrong).json()["reason"] == "lapsed"
    yes = wrong | {"offer": offer["offer"]}
    assert ask(terminal, "POST", "/renewal", json=yes | {"language": "fr"}).status_code == 422
    answer = ask(terminal, "POST", "/renewal", json=yes).json()
    assert (answer["reason"], answer["granted"]) == ("resembles", False)
    assert "desk" in answer["message"]["en"]
    assert "前台" in answer["message"]["zh-CN"]
    assert ask(terminal, "GET", "/state").json()["renewal"] is None


def test_a_reason_that_this_version_does_not_know_is_a_sentence_all_the_same() -> None:
    assert "desk" in renewal_told("of-a-later-version")["message"]["en"]


@pytest.mark.parametrize(
    ("fixed", "told", "wanted"),
    [
        ("", "opencv-zoo-int8", "opencv-zoo-int8"),
        ("", "", "opencv-zoo"),
        ("opencv-zoo", "opencv-zoo-int8", "opencv-zoo"),
    ],
)
def test_the_estates_models_are_wanted_unless_the_installer_fixed_others(
    tmp_path: Path, fixed: str, told: str, wanted: str
) -> None:
    with opened(tmp_path, model_pack=fixed) as terminal:
        with Session(terminal.engine) as session, session.begin():
            terminal.configuration.take(session, configured(model_pack=told))
        state = ask(terminal, "GET", "/state").json()
        assert (state["model_pack_wanted"], state["model_pack"]) == (wanted, "")


def test_what_vision_is_told_to_do_is_what_was_configured(terminal: Terminal) -> None:
    zone = Zone(min_face_px=77, dwell_ms=444, max_yaw_deg=22)
    with Session(terminal.engine) as session, session.begin():
        wire = configured(zone=zone, frames=3, liveness="observe", pass_allowed=True)
        terminal.configuration.take(session, wire)
    watch = terminal._watch()
    assert watch is not None
    assert (watch.min_face_px, watch.dwell_ms, watch.max_yaw_deg, watch.frames) == (77, 444, 22, 3)
    assert (watch.liveness, watch.passes) == (True, True)


def later() -> tuple[WeeklyWindow, ...]:
    """Two hours of each day that have not come yet, in the time zone of `configured`."""
    wall = datetime.now(ZoneInfo("Asia/Shanghai"))
    begins = (wall.hour * 60 + wall.minute + 120) % 1440
    return (WeeklyWindow(127, begins, (begins + 120) % 1440 or 1440),)


@pytest.mark.parametrize(
    ("looking", "faces", "rate"),
    [
        (Looking(rate=12.0), True, 12.0),
        (Looking(hours=later(), outside="slow", slow_rate=3.0), True, 3.0),
        (Looking(hours=later(), outside="off", rate=12.0), False, 12.0),
    ],
    ids=["as-ever", "slow", "off"],
)
def test_outside_of_its_hours_a_door_looks_slower_or_not_at_all_and_the_page_is_told(
    terminal: Terminal,
    monkeypatch: pytest.MonkeyPatch,
    looking: Looking,
    *,
    faces: bool,
    rate: float,
) -> None:
    shown: list[object] = []
    monkeypatch.setattr(terminal.vision, "show", shown.append)
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured(looking=looking))
    watch = terminal._watch()
    assert watch is not None
    assert (watch.wanted, watch.rate) == (faces, rate)
    said = looking.outside if looking.hours else ""
    assert ask(terminal, "GET", "/state").json()["looking"] == said
    assert terminal.presence().looking == said
    assert ask(terminal, "GET", "/look").status_code == 204
    assert len(shown) == faces  # a picture would say that somebody is looked at


def test_vision_is_told_when_the_hours_end_and_begin(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(terminal.vision, "rewatch", lambda: told.append(terminal.looking))
    for hours in ((), later(), ()):
        wire = configured(looking=Looking(hours=hours, outside="off"))
        terminal.configuration.current = Configuration.of(wire)
        for _ in range(3):
            terminal.follow_hours()
    assert told == ["off", ""]


def test_the_page_is_told_whether_passes_open_this_door(terminal: Terminal) -> None:
    assert ask(terminal, "GET", "/state").json()["passes"] is False
    with Session(terminal.engine) as session, session.begin():
        terminal.configuration.take(session, configured(pass_allowed=True))
    assert ask(terminal, "GET", "/state").json()["passes"] is True
