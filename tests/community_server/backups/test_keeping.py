"""Backups are made by themselves, their want is noticed, and set-up ends with the kit's trial."""

import os
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.queries import active_kinds
from community_server.alarms.watch import EstateWatch, Surroundings
from community_server.audit.tables import AuditRow
from community_server.backups import keeper, making, service
from community_server.backups.commands import SECRET_VARIABLE
from community_server.backups.keeper import BACKUP_EVERY, RETRY_AFTER, BackupKeeper
from community_server.backups.making import KEYS_FILE, find_note
from community_server.backups.sealed_file import opened_file
from community_server.backups.tables import BackupNote
from community_server.backups.trial import read_keys
from community_server.command import server
from community_server.console.overview import look
from community_server.database import now
from community_server.errors import BackupRefused
from community_server.setup.community import get_community
from tests.community_server.backups.estates import (
    KEEP,
    back_up,
    erase,
    kit_of,
    pair_door,
    secret_of,
    settle,
)
from tests.community_server.bench import Bench
from tests.community_server.in_process import InProcess, code

DAY: Final = 24 * 3600


@pytest.fixture
def keeping(bench: Bench, tmp_path: Path) -> BackupKeeper:
    """The keeper of an estate whose setting names a folder, before anything was made."""
    wanted = {"backup_folder": tmp_path / "backups", "backups_kept": KEEP}
    settings = bench.estate.settings.model_copy(update=wanted)
    with Session(bench.estate.engine) as session, session.begin():
        session.execute(sa.delete(BackupNote))
        get_community(session).kit_checked_at = 0
    return BackupKeeper(replace(bench.estate, settings=settings))


def at(monkeypatch: pytest.MonkeyPatch, moment: int) -> None:
    for module in (keeper, making, service):
        monkeypatch.setattr(module, "now", lambda: moment)


def test_one_is_made_daily_the_oldest_go_and_there_is_one_bundle_of_keys(
    keeping: BackupKeeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    start, folder = now(), tmp_path / "backups"
    for number in range(KEEP + 2):
        at(monkeypatch, start + number * BACKUP_EVERY)
        assert keeping.step()
        assert not keeping.step()
    names = sorted(one.name for one in folder.iterdir())
    assert len(names) == KEEP + 1
    assert names[-1] == KEYS_FILE
    kit = kit_of(keeping.estate)
    with opened_file(folder / names[-2], kit, "data") as data:
        assert data.header.made_at == start + (KEEP + 1) * BACKUP_EVERY
    assert read_keys(folder / KEYS_FILE, kit)[0].made_at == start + (KEEP + 1) * BACKUP_EVERY


def test_whoever_is_erased_is_out_of_the_bundle_with_the_next_round(
    keeping: BackupKeeper, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = settle(bench, "Ada Resident", "13800000001", "188,24910")
    keys, kit = tmp_path / "backups" / KEYS_FILE, kit_of(bench.estate)
    assert keeping.step()
    assert f"person:{ada.person}" in read_keys(keys, kit)[1]
    erase(bench, ada)
    at(monkeypatch, now() + BACKUP_EVERY)
    assert keeping.step()
    assert f"person:{ada.person}" not in read_keys(keys, kit)[1]
    assert "server" in read_keys(keys, kit)[1]


def test_a_folder_that_cannot_be_written_is_noted_and_tried_again_later(
    keeping: BackupKeeper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "backups").write_text("a file in its place")
    with pytest.raises(BackupRefused) as refused:
        keeping.step()
    assert refused.value.code == "backup-unwritable"
    with keeping.estate.reading() as session:
        note = find_note(session)
        assert note is not None
        assert (note.made_at, note.why) == (0, "backup-unwritable")
    assert not keeping.step()  # not at once
    (tmp_path / "backups").unlink()
    at(monkeypatch, now() + RETRY_AFTER)
    assert keeping.step()


def test_old_backups_raise_an_alarm_until_one_succeeds(
    keeping: BackupKeeper, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def alarm(*, wanted: bool = True) -> bool:
        around = Surroundings(lambda _: True, lambda _: None, lambda: None, 7 * DAY, wanted)
        with bench.estate.changer.change() as change:
            EstateWatch(around).look(change)
            change.session.flush()
            return AlarmKind.BACKUP_OLD in active_kinds(change.session).get(None, [])

    keeping.step()
    assert not alarm()
    later = now() + 2 * DAY + 60
    at(monkeypatch, later)
    assert not alarm(wanted=False)
    assert alarm()
    assert look(keeping.estate).backups.overdue
    keeping.step()
    assert not alarm()
    assert not look(keeping.estate).backups.overdue


def test_set_up_is_complete_once_the_kit_was_typed_and_right(
    keeping: BackupKeeper, bench: Bench
) -> None:
    secret = secret_of(bench.estate)
    with InProcess(keeping.estate) as desk:
        assert 'data-testid="overview-backups"' in desk.get("/").text
        assert desk.call("backups")["kit_checked_at"] == 0
        slip = secret[:-1] + ("A" if secret[-1] != "A" else "B")
        assert code(desk.send("recovery-kit/check", {"secret": slip})) == "kit-mistyped"
        page = desk.submit("/backups/kit", secret=slip)
        assert page.status_code == 422
        assert slip not in page.text
        assert desk.submit("/backups/kit", secret=secret.lower()).is_success
        assert desk.call("backups")["kit_checked_at"]
        keeping.step()
        assert 'data-testid="overview-backups"' not in desk.get("/").text
    with bench.estate.reading() as session:
        actions = session.scalars(sa.select(AuditRow.action).order_by(AuditRow.number)).all()
    assert actions[-1] == "check-kit"


@pytest.fixture
def commands(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = bench.estate.settings
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(settings.data.absolute()))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", settings.database)
    monkeypatch.setenv("GATEHOUSE_SERVER_MODELS", str(settings.models))


def call(*arguments: str | os.PathLike[str], typed: str = "") -> Result:
    return CliRunner().invoke(server, [str(one) for one in arguments], input=typed)


@pytest.mark.usefixtures("commands")
def test_the_commands_back_up_a_running_server_try_the_backup_out_and_put_it_back(
    keeping: BackupKeeper, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    del keeping
    pair_door(bench)
    folder, secret = tmp_path / "by-hand", secret_of(bench.estate)
    assert "Keys:" in call("backup", folder).output
    data = next(folder.glob("data-*"))

    tried = call("test-restore", data, typed=f"{secret}\n")
    assert tried.exit_code == 0, tried.output
    assert "can be restored" in tried.output
    assert "doors: " in tried.output
    assert secret not in tried.output
    with bench.estate.reading() as session:
        assert get_community(session).kit_checked_at

    monkeypatch.setenv(SECRET_VARIABLE, secret)
    monkeypatch.setenv("GATEHOUSE_SERVER_DATA", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", "")
    restored = call("restore", data)
    assert restored.exit_code == 0, restored.output
    assert "Restored:" in restored.output
    refused = call("restore", data)
    assert refused.exit_code == 1
    assert "database-not-empty" in refused.output


@pytest.mark.usefixtures("commands")
def test_what_cannot_be_used_is_refused_in_a_sentence(
    bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = back_up(bench, tmp_path / "backups")
    cut = made.data.with_name("data-cut.gatehouse-backup")
    cut.write_bytes(made.data.read_bytes()[:-5])
    for file, secret, said in (
        (made.data, "AAAA BBBB", "kit-mistyped"),
        (cut, secret_of(bench.estate), "backup-damaged"),
        (tmp_path / "absent", secret_of(bench.estate), "backup-unreadable"),
    ):
        monkeypatch.setenv(SECRET_VARIABLE, secret)
        result = call("test-restore", file)
        assert result.exit_code == 1
        assert said in result.output
        assert "Traceback" not in result.output
