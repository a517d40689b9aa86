"""The doctor looks at what was set up, says what is wrong and what to do, and changes nothing."""

import json
import re
import shutil
import socket
import sqlite3
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from click.testing import CliRunner

from community_server.estate import open_estate
from community_server.instance_lock import InstanceLock
from community_server.settings import Settings
from enrollment_cloud.database import open_cloud_database
from enrollment_cloud.settings import Settings as CloudSettings
from gatehouse import machine_findings
from gatehouse.database_findings import database_findings
from gatehouse.doctor_command import doctor
from gatehouse.finding import Finding, words
from gatehouse.installation import installed
from gatehouse.machine_findings import clock_findings, disk_findings, file_findings
from gatehouse.network_findings import network_findings
from tests.community_server.bench import prepare
from tests.support.databases import postgresql_database
from tier_kit.language import LANGUAGES
from tier_link.store import bring_up_to_date, open_database


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The data of a server that was set up and stopped."""
    folder = tmp_path_factory.mktemp("made") / "server"
    estate = open_estate(Settings(data=folder))
    prepare(estate)
    estate.close()
    return folder


@pytest.fixture
def data(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, where the settings lead to; no other tier is here."""
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    for tier in ("server", "door", "cloud"):
        monkeypatch.setenv(f"GATEHOUSE_{tier.upper()}_DATA", str(tmp_path / tier))
    monkeypatch.setenv("GATEHOUSE_SERVER_PORT", "0")
    shutil.copytree(made, tmp_path / "server")
    return tmp_path / "server"


def codes(findings: Iterator[Finding]) -> dict[str, str]:
    return {finding.code: finding.state for finding in findings}


def change(data: Path, statement: str, *values: Any) -> None:
    with sqlite3.connect(data / "server.sqlite") as connection:
        connection.execute(statement, values)
    connection.close()


@pytest.mark.usefixtures("data")
def test_a_server_without_backups_and_with_an_untried_kit_is_told_so() -> None:
    assert codes(database_findings(installed())) == {
        "database.fine": "fine",
        "kit.untried": "warning",
        "backup.never": "warning",
        "backup-folder.none": "warning",
        "authority.valid": "fine",
    }


def test_a_backup_older_than_a_day_beside_the_data_is_told(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_SERVER_BACKUP_FOLDER", str(data))
    change(data, "UPDATE community SET kit_checked_at = 1")
    insert = "INSERT INTO backup_note (id, made_at, file, tried_at, why) VALUES (1, ?, '', 0, '')"
    change(data, insert, int(time.time()) - 30 * 3600)
    seen = codes(database_findings(installed()))
    assert {"kit.tried", "backup.old", "backup-folder.same-disk"} <= seen.keys()
    change(data, "UPDATE backup_note SET made_at = ?", int(time.time()) - 3600)
    assert "backup.fresh" in codes(database_findings(installed()))
    monkeypatch.setenv("GATEHOUSE_SERVER_BACKUP_FOLDER", str(data / "unmounted"))
    assert codes(database_findings(installed()))["backup-folder.missing"] == "problem"


def test_a_database_of_a_newer_release_is_a_problem_and_of_an_older_one_is_not(data: Path) -> None:
    change(data, "UPDATE alembic_version SET version_num = '9999'")
    assert codes(database_findings(installed()))["database.newer"] == "problem"
    change(data, "UPDATE alembic_version SET version_num = '0001'")
    assert codes(database_findings(installed()))["database.older"] == "warning"


def test_a_database_that_is_gone_or_no_database_is_a_problem(data: Path) -> None:
    (data / "server.sqlite").write_bytes(b"not a database at all" * 100)
    assert codes(database_findings(installed()))["database.away"] == "problem"
    (data / "server.sqlite").unlink()
    assert codes(database_findings(installed()))["database.missing"] == "problem"


@pytest.mark.usefixtures("data")
def test_a_postgresql_that_does_not_answer_is_named_without_its_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    word = "hunter2"
    address = f"postgresql+psycopg://gatehouse:{word}@127.0.0.1:9/gatehouse"
    monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", address)
    (away, _) = database_findings(installed())
    assert (away.code, away.state) == ("database.away", "problem")
    assert "127.0.0.1:9" in away.sentence
    assert word not in f"{away}"


@pytest.mark.usefixtures("data")
def test_a_postgresql_that_answers_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    with postgresql_database() as url:
        engine = open_database(url)
        bring_up_to_date(engine, "community")
        engine.dispose()
        monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", url)
        seen = codes(database_findings(installed()))
        assert seen["database.fine"] == "fine"
        assert seen["server.empty"] == "warning"


def test_looking_leaves_no_file_and_changes_none(data: Path) -> None:
    def content() -> dict[str, tuple[int, bytes]]:
        return {
            str(path.relative_to(data)): (path.stat().st_mtime_ns, path.read_bytes())
            for path in sorted(data.rglob("*"))
            if path.is_file()
        }

    before = content()
    CliRunner().invoke(doctor, [])
    assert content() == before


def test_a_key_that_others_can_read_is_a_problem_unless_its_folder_is_closed(data: Path) -> None:
    data.chmod(0o700)
    assert codes(file_findings(installed())) == {"files.private": "fine"}
    key = data / "vault" / "erasure.key"
    key.chmod(0o644)
    assert codes(file_findings(installed())) == {"files.private": "fine"}
    data.chmod(0o755)
    (data / "vault").chmod(0o755)
    (told,) = file_findings(installed())
    assert (told.code, told.state) == ("files.open", "problem")
    assert "chmod" in told.remedy


def test_a_full_disk_is_named_by_its_tiers_folder(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine_findings, "LOW_DISK_BYTES", 2**62)
    (low,) = disk_findings(installed())
    assert (low.state, str(data) in low.sentence) == ("problem", True)


def test_a_clock_from_before_the_first_release_is_a_problem(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1_000_000_000.0)

    (wrong,) = clock_findings()
    assert (wrong.code, wrong.state) == ("clock.wrong", "problem")


@pytest.mark.parametrize(
    ("answer", "code"),
    [(0, "clock.right"), (5, "clock.free"), (-1, "clock.unknown")],
)
def test_the_clock_is_what_the_kernel_says_of_it(
    answer: int, code: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Kernel:
        def adjtimex(self, _: object) -> int:
            return answer

    monkeypatch.setattr("ctypes.CDLL", lambda _: Kernel())
    assert list(codes(clock_findings())) == [code]


@pytest.mark.usefixtures("data")
def test_a_port_that_another_program_holds_is_a_problem(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "process.stopped" in codes(network_findings(installed()))
    with socket.create_server(("127.0.0.1", 0)) as other:
        monkeypatch.setenv("GATEHOUSE_SERVER_HOST", "127.0.0.1")
        monkeypatch.setenv("GATEHOUSE_SERVER_PORT", str(other.getsockname()[1]))
        assert codes(network_findings(installed()))["port.taken"] == "problem"


@pytest.mark.usefixtures("data")
def test_brokers_and_mail_servers_are_reached_or_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        port = str(there.getsockname()[1])
        for name in ("MAIL", "MQTT"):
            monkeypatch.setenv(f"GATEHOUSE_SERVER_{name}_HOST", "127.0.0.1")
            monkeypatch.setenv(f"GATEHOUSE_SERVER_{name}_PORT", port)
        monkeypatch.setenv("GATEHOUSE_SERVER_MAIL_FROM", "desk@estate.example")
        assert {"mail.reached", "mqtt.reached"} <= codes(network_findings(installed())).keys()
    assert {"mail.away", "mqtt.away"} <= codes(network_findings(installed())).keys()


def test_each_broker_of_a_clouds_relay_is_reached_or_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    for tier in ("server", "door", "cloud"):
        monkeypatch.setenv(f"GATEHOUSE_{tier.upper()}_DATA", str(tmp_path / tier))
    open_cloud_database(CloudSettings()).engine.dispose()
    assert not any(code.startswith("relay.") for code in codes(network_findings(installed())))
    with socket.create_server(("127.0.0.1", 0)) as there:
        near = f"nats://127.0.0.1:{there.getsockname()[1]}"
        monkeypatch.setenv("GATEHOUSE_CLOUD_RELAY", f"{near},nats://127.0.0.1:9")
        seen = codes(network_findings(installed()))
    assert (seen["relay.reached"], seen["relay.away"]) == ("fine", "problem")


@pytest.mark.parametrize(
    ("status", "said", "code"),
    [
        (200, {"status": "ok", "hindrances": []}, "process.ready"),
        (503, {"status": "not-ready", "hindrances": ["ledger-awaited"]}, "process.hindered"),
        (200, {"status": "ok", "hindrances": [], "troubles": ["link-down"]}, "process.troubled"),
        (200, "no health at all", "process.silent"),
    ],
)
def test_a_tier_that_runs_is_asked_how_it_is(
    data: Path, status: int, said: object, code: str
) -> None:
    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/health/ready" else 404)
            self.end_headers()
            self.wfile.write(json.dumps(said).encode())

        def log_message(self, *_: object) -> None:
            pass

    lock = InstanceLock(data)
    try:
        with HTTPServer(("127.0.0.1", 0), Answer) as server:
            Thread(target=server.serve_forever, daemon=True).start()
            (data / "server.url").write_text(f"http://127.0.0.1:{server.server_port}\n")
            seen = codes(network_findings(installed()))
            server.shutdown()
        assert code in seen
        assert "process.silent" in codes(network_findings(installed()))
    finally:
        lock.release()


def test_nothing_is_said_of_tiers_that_are_not_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    for tier in ("server", "door", "cloud"):
        monkeypatch.setenv(f"GATEHOUSE_{tier.upper()}_DATA", str(tmp_path / tier))
    assert installed() == []
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_whole_is_told_in_both_languages_and_to_programs(language: str) -> None:
    spoken = CliRunner().invoke(doctor, ["--language", language])
    remedy = words().say(language, "kit.untried.remedy")  # type: ignore[arg-type]  # parametrised from LANGUAGES
    assert remedy in spoken.output
    listed = json.loads(CliRunner().invoke(doctor, ["--json", "--language", language]).output)
    (kit,) = [row for row in listed if row["code"] == "kit.untried"]
    assert (kit["state"], kit["remedy"]) == ("warning", remedy)


def test_every_finding_has_its_words_and_what_is_not_fine_a_remedy() -> None:
    keys = words().sentences["en"].keys()
    folder = Path(machine_findings.__file__).parent
    source = "\n".join(path.read_text("utf-8") for path in sorted(folder.glob("*.py")))
    named = re.findall(r'found\(f?"([a-z-]+)\.([^"]+)", "(\w+)"', source)
    named += [
        (what, way, state)
        for what in ("mqtt", "mail", "relay", "server-of-door")
        for way, state in (("reached", "fine"), ("away", "problem"))
    ]
    for area, code, state in named:
        if area.startswith("{") or "{" in code:
            continue
        wanted = {"subject", "sentence"} | ({"remedy"} if state != "fine" else set())
        assert {f"{area}.{code}.{part}" for part in wanted} <= keys
    for area, codes_ in (
        ("gate", ("simulated", "http", "mqtt")),
        ("unlocked", ("limit", "little-memory", "not-linux", "refused")),
    ):
        assert {f"{area}.{code}.remedy" for code in codes_} <= keys
    assert len(named) > 40
