"""Metrics answer what an operator asks, and name nobody."""

import re
import secrets
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import httpx
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from community_server.app import make_app
from community_server.database import now
from community_server.doors.service import add_door, get_door
from community_server.estate import Estate, open_estate
from community_server.metrics.readings import FRESH_S, Readings
from community_server.people.particulars import Known
from community_server.people.service import add_person
from community_server.settings import Settings
from community_server.staff.permissions import Permission
from community_server.staff.tables import StaffMember
from community_server.staff.tokens import make_token
from enrollment_cloud.app import create_cloud
from enrollment_cloud.metrics.readings import Readings as CloudReadings
from enrollment_cloud.settings import Settings as CloudSettings
from tests.community_server.bench import Bench, prepare
from tests.community_server.standby.admitted import admit
from tests.support.asgi import get
from tier_kit.metrics import write_out
from tier_link.estate_messages import ESTATE, DoorPresence, EntryRecorded

ROOT: Final = Path(__file__).parents[3]
NAME: Final = "Ada Lovelace-of-the-test"
_METRIC: Final = re.compile(r"\bgatehouse_[a-z_]+\b(?!\.)")


@pytest.fixture(scope="module")
def bench(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    estate = open_estate(Settings(data=tmp_path_factory.mktemp("server"), models=models))
    prepare(estate)
    yield Bench(estate)
    estate.close()


@pytest.fixture(scope="module")
def door(bench: Bench) -> str:
    with bench.estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
        get_door(change.session, door).state = "paired"
    return door


def report(estate: Estate, door: str, **more: Any) -> str:
    """Let a door report a decision; return the entry's id."""
    fields: dict[str, Any] = {
        "entry": secrets.token_hex(16),
        "door_sequence": 1,
        "at": int(time.time() * 1000),
        "time_known": True,
        "direction": "both",
        "person": "",
        "category": "",
        "credential": "face",
        "granted": True,
        "reason": "within-rules",
        "matched": "local",
        "took_ms": 180,
        "frames": 2,
    } | more
    entry = EntryRecorded(**fields)
    with Session(estate.engine) as session, session.begin():
        estate.doors._records.apply(session, door, ESTATE.kind(entry), ESTATE.encode(entry))
    return entry.entry


def say(estate: Estate, door: str, **more: Any) -> None:
    """Let a door say how it is."""
    fields: dict[str, Any] = {
        "roster_version": 0,
        "roster_hash": b"\0" * 32,
        "mode": "local",
        "template_space": "",
        "software": "0.1.0",
        "camera": "",
        "uptime_s": 1.0,
        "queue": 0,
        "detect_ms": 4.0,
        "encode_ms": 9.0,
        "time_known": True,
    } | more
    presence = DoorPresence(**fields)
    estate.doors._records.take_latest(door, ESTATE.kind(presence), ESTATE.encode(presence))


def values(text: bytes) -> dict[tuple[str, tuple[tuple[str, str], ...]], float]:
    """Return every sample by its name and labels."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text.decode())
        for sample in family.samples
    }


def exposed(estate: Estate) -> bytes:
    return write_out(estate.meters.registry, Readings(estate))


def test_refusals_are_counted_by_reason_and_a_repeated_entry_once(bench: Bench, door: str) -> None:
    before = values(exposed(bench.estate))
    labels = (("credential", "pin"), ("door", door), ("granted", "no"), ("reason", "pin-wrong"))
    key = ("gatehouse_entries_total", labels)
    entry = report(bench.estate, door, credential="pin", granted=False, reason="pin-wrong")
    report(bench.estate, door, entry=entry, credential="pin", granted=False, reason="pin-wrong")
    assert values(exposed(bench.estate))[key] - before.get(key, 0) == 1


def test_an_entry_that_is_rolled_back_is_not_counted(bench: Bench, door: str) -> None:
    labels = (("credential", "card"), ("door", door), ("granted", "yes"))
    key = ("gatehouse_entries_total", (*labels, ("reason", "within-rules")))
    session = Session(bench.estate.engine)
    good = EntryRecorded(
        entry=secrets.token_hex(16),
        door_sequence=2,
        at=1,
        time_known=True,
        direction="both",
        person="",
        category="",
        credential="card",
        granted=True,
        reason="within-rules",
        matched="local",
        took_ms=1,
        frames=0,
    )
    session.begin()
    records = bench.estate.doors._records
    records.apply(session, door, ESTATE.kind(good), ESTATE.encode(good))
    session.rollback()
    session.close()
    assert key not in values(exposed(bench.estate))


def test_frame_to_gate_is_what_the_doors_measured_for_faces_let_in(bench: Bench, door: str) -> None:
    def bucket(le: str) -> float:
        labels = (("door", door), ("le", le), ("matched", "local"))
        return values(exposed(bench.estate)).get(
            ("gatehouse_frame_to_gate_seconds_bucket", labels), 0
        )

    fast, all_ = bucket("0.2"), bucket("+Inf")
    report(bench.estate, door, took_ms=180)
    report(bench.estate, door, took_ms=1900)
    report(bench.estate, door, took_ms=90, granted=False, reason="not-recognized")
    report(bench.estate, door, took_ms=90, credential="pin")
    assert (bucket("0.2") - fast, bucket("+Inf") - all_) == (1, 2)


def test_a_reason_nobody_knows_makes_no_label_of_its_own(bench: Bench, door: str) -> None:
    report(bench.estate, door, granted=False, reason="of-a-later-release")
    text = exposed(bench.estate).decode()
    assert "of-a-later-release" not in text
    assert 'reason="other"' in text


def test_a_blind_door_shows_and_one_that_is_gone_says_nothing_of_its_camera(
    bench: Bench, door: str
) -> None:
    camera = ("gatehouse_door_camera_ok", (("door", door),))
    for said, expected in (("camera-lost", 0.0), ("", 1.0), ("camera-none", 1.0)):
        say(bench.estate, door, camera=said)
        assert values(exposed(bench.estate))[camera] == expected
    bench.estate.doors._records.link_down(door)
    seen = values(exposed(bench.estate))
    assert camera not in seen
    assert seen["gatehouse_door_connected", (("door", door),)] == 0


def test_the_queues_are_those_of_the_tables(bench: Bench, door: str) -> None:
    estate = bench.estate
    bench.invite()  # is published to the cloud
    seen = values(exposed(estate))
    assert seen["gatehouse_outbox_records", (("peer", "cloud"),)] == estate.links.waiting("cloud")
    assert seen["gatehouse_outbox_records", (("peer", door),)] == estate.links.waiting(door)
    assert estate.links.waiting("cloud") > 0


def test_asking_often_asks_the_database_once(bench: Bench) -> None:
    moment = [100.0]
    readings = Readings(bench.estate, lambda: moment[0])
    asked: list[str] = []

    def note(*arguments: Any) -> None:
        asked.append(arguments[2])

    event.listen(bench.estate.engine, "before_cursor_execute", note)
    try:
        list(readings.collect())
        first = len(asked)
        list(readings.collect())
        assert first
        assert len(asked) == first
        moment[0] += FRESH_S
        list(readings.collect())
        assert len(asked) == 2 * first
    finally:
        event.remove(bench.estate.engine, "before_cursor_execute", note)


def test_no_metric_names_anybody(bench: Bench, door: str) -> None:
    estate = bench.estate
    with estate.changer.change() as change:
        known = Known(name=NAME, phone="+8613900000007")
        person = add_person(change, category="resident", unit="19-1904", known=known).id
    report(estate, door, person=person, category="resident")
    say(estate, door)
    text = exposed(estate).decode()
    for secret in (NAME, "13900000007", "19-1904", person, 'Gate"'):
        assert secret not in text


def test_metrics_are_read_with_a_token_of_their_scope_and_without_it_not(bench: Bench) -> None:
    estate = bench.estate
    with estate.changer.change() as change:
        staff = change.session.query(StaffMember).first()
        assert staff is not None
        ends = now() + 24 * 3600
        _, right = make_token(change, staff.id, "prometheus", [Permission.SEE_METRICS], ends)
        _, wrong = make_token(change, staff.id, "another", [Permission.SEE_DOORS], ends)
    app = make_app(estate)

    def ask(token: str) -> httpx.Response:
        return get(app, "/api/v1/metrics", token=token)

    assert (ask("").status_code, ask(wrong).status_code) == (401, 403)
    answer = ask(right)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert ("gatehouse_cloud_connected", ()) in values(answer.content)


def test_a_server_is_ready_while_its_database_answers_and_alive_in_any_case(bench: Bench) -> None:
    app = make_app(bench.estate)
    assert get(app, "/health/ready").json() == {"status": "ok", "hindrances": []}

    def broken(*_: Any) -> None:
        raise OperationalError("SELECT 1", {}, OSError("the disk is gone"))

    event.listen(bench.estate.engine, "before_cursor_execute", broken)
    try:
        answer = get(app, "/health/ready")
        assert (answer.status_code, answer.json()["hindrances"]) == (503, ["database"])
        assert get(app, "/health/live").status_code == 200
    finally:
        event.remove(bench.estate.engine, "before_cursor_execute", broken)


def test_rules_and_the_page_name_metrics_that_there_are(
    bench: Bench, door: str, tmp_path: Path
) -> None:
    report(bench.estate, door)
    say(bench.estate, door, disk_free=1, temperature_c=40.0, decisions=1)
    bench.estate.meters.count_enrollment("enrolled", "")
    admit(bench)
    cloud = create_cloud(CloudSettings(data=tmp_path))
    cloud.meters.refusals.labels("storage-failed").inc()
    there = {name for name, _ in values(exposed(bench.estate))}
    there |= {name for name, _ in values(write_out(cloud.meters.registry, CloudReadings(cloud)))}
    cloud.database.engine.dispose()
    rules = ROOT / "deploy/prometheus/gatehouse-alerts.yaml"
    named: set[str] = set()
    for group in yaml.safe_load(rules.read_text("utf-8"))["groups"]:
        for rule in group["rules"]:
            assert rule["annotations"].keys() == {"summary", "action"}, rule
            assert rule["labels"]["severity"] in {"warning", "critical"}
            assert rule["expr"].count("(") == rule["expr"].count(")")
            named |= set(_METRIC.findall(rule["expr"]))
    page = (ROOT / "docs/monitoring.md").read_text("utf-8").partition("## Questions")[2]
    named |= set(_METRIC.findall(page))
    assert len(named) > 20
    assert named - there == set()
