"""What was backed up comes back whole, on either database, and nobody who was erased since."""

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from community_server.audit.verification import verify
from community_server.backups import making
from community_server.backups.dump import LEFT_OUT
from community_server.backups.restoring import UNFINISHED, restore
from community_server.cards.tables import Card
from community_server.errors import BackupRefused, StartRefused
from community_server.estate import open_estate
from community_server.keys.certified import pass_signer, reply_signer
from community_server.keys.root import root_key
from community_server.people.tables import Person, Template
from community_server.settings import Settings
from community_server.sweeper import Sweeper
from community_server.vault.tables import DataKey
from tests.community_server.backups.estates import (
    Somebody,
    back_up,
    erase,
    kit_of,
    pair_door,
    put_back,
    secret_of,
    settle,
)
from tests.community_server.bench import Bench, prepare
from tests.end_to_end.searching import files_with, needles
from tests.support.databases import postgresql_database
from tier_link.cards import card_tag
from tier_link.estate_messages import ESTATE, RosterSnapshot


@pytest.fixture
def elsewhere(own: Bench, models: Path, tmp_path: Path) -> Iterator[Settings]:
    """An empty place on the *other* kind of database."""
    data = tmp_path / "elsewhere"
    if own.estate.engine.dialect.name == "postgresql":
        yield Settings(data=data, models=models)
        return
    with postgresql_database() as url:
        yield Settings(data=data, database=url, models=models)


@pytest.fixture
def lite(models: Path, tmp_path: Path) -> Iterator[Bench]:
    """An estate on SQLite alone, for what does not depend on the database."""
    estate = open_estate(Settings(data=tmp_path / "data", models=models))
    prepare(estate)
    yield Bench(estate)
    estate.close()


def settle_ada(bench: Bench) -> Somebody:
    return settle(bench, "Ada Resident", "13800000001", "188,24910")


def names(bench: Bench) -> set[str]:
    return {row.name for row in bench.estate.book.everybody()}


def test_everything_comes_back_on_the_other_database_and_goes_on_from_there(
    own: Bench, elsewhere: Settings, tmp_path: Path
) -> None:
    ada = settle_ada(own)
    door, epoch = pair_door(own), own.estate.links.epoch
    made = back_up(own, tmp_path / "backups")
    with own.estate.reading() as session:
        before = _counts(session)
    kit, old = kit_of(own.estate), own.estate

    with put_back(elsewhere, made, kit) as (restored, bench):
        assert (restored.revived.people, restored.revived.erased) == (1, 0)
        assert restored.epoch > epoch
        new = bench.estate
        assert new.engine.dialect.name != old.engine.dialect.name
        assert new.safe.estate == old.safe.estate
        assert new.secrets.link_key.private_bytes_raw() == old.secrets.link_key.private_bytes_raw()
        assert new.secrets.authority.pem == old.secrets.authority.pem
        assert new.name_of(ada.person) == "Ada Resident"
        assert next(iter(new.book.everybody())).roster.template == ada.template
        with new.reading() as session:
            after = _counts(session)
            assert {name: after[name] for name in before if name not in _MOVED} == {
                name: before[name] for name in before if name not in _MOVED
            }
            card = session.scalars(sa.select(Card)).one()
            assert card.tag == card_tag(new.secrets.card_key, (188 << 16) + 24910)
            assert not verify(session, root_key(session, new.safe).public_key()).faults
            reply_signer(session, new.safe)
            pass_signer(session, new.safe)
        settle(bench, "Bea Resident", "13800000002", "188,24911")  # numbers go on, nothing collides
        new.recovery.open()
        Sweeper.of(new).sweep()
        told = [ESTATE.decode(one.kind, one.body) for one in new.links.pending(door, 0, limit=99)]
        held = [one for one in told if isinstance(one, RosterSnapshot)]
        assert {row.person for one in held for row in one.people} >= {ada.person}


_MOVED: Final = {
    "audit",
    "certified_keys",
    "link_outbox",
    "link_peers",
    "ledger_wait",
    "backup_note",
    *LEFT_OUT,
}
"""What a restore itself adds to, or leaves out."""


def _counts(session: Session) -> dict[str, int]:
    schema = sa.MetaData()
    schema.reflect(session.connection())
    return {
        name: session.scalar(sa.select(sa.func.count()).select_from(table)) or 0
        for name, table in schema.tables.items()
    }


def test_last_weeks_data_with_todays_keys_bring_nobody_back_who_was_erased(
    own: Bench, elsewhere: Settings, tmp_path: Path
) -> None:
    settle_ada(own)
    gone = settle(own, "Gone Resident", "13800000009", "188,24999")
    last_week = back_up(own, tmp_path / "backups")
    kept = last_week.data.rename(tmp_path / "backups" / "data-last-week.gatehouse-backup")
    erase(own, gone)
    today = back_up(own, tmp_path / "backups")
    kit = kit_of(own.estate)

    with put_back(elsewhere, type(today)(kept, today.keys, 0), kit) as (restored, bench):
        assert (restored.revived.people, restored.revived.erased) == (1, 1)
        assert names(bench) == {"Ada Resident"}
        with bench.estate.reading() as session:
            assert session.get(Person, gone.person) is None
            assert session.get(Template, gone.person) is None
            assert session.get(DataKey, f"person:{gone.person}") is None


def test_no_written_file_holds_what_names_somebody_who_was_erased(
    own: Bench, models: Path, tmp_path: Path
) -> None:
    ada = settle_ada(own)
    gone = settle(own, "Gone Resident of the Search", "13800000009", "188,24999")
    before = back_up(own, tmp_path / "backups")
    kept = before.data.rename(tmp_path / "backups" / "data-0.gatehouse-backup")
    erase(own, gone)
    after = back_up(own, tmp_path / "backups")
    target = Settings(data=tmp_path / "elsewhere", models=models)
    with put_back(target, type(after)(kept, after.keys, 0), kit_of(own.estate)) as (_, bench):
        settle(bench, "Bea Resident", "13800000002", "188,24911")
    wanted = [
        *needles(gone.template),
        *(text.encode() for text in (gone.known.name, gone.known.phone, ada.known.name)),
    ]
    places = [tmp_path]
    if own.estate.engine.dialect.name == "postgresql":
        with own.estate.engine.connect() as connection:
            folder = connection.scalar(sa.text("SHOW data_directory"))
            place = connection.scalar(sa.text("SELECT pg_relation_filepath('people')"))
        places.append(Path(str(folder), str(place)).parent)
    found = files_with(wanted, places)

    assert (tmp_path / "elsewhere" / "server.sqlite").exists()
    assert found == []
    # Such a search does find what lies in the clear:
    (tmp_path / "plain").write_bytes(b"..." + gone.template)
    assert files_with(wanted, [tmp_path]) == [str(tmp_path / "plain")]


def test_keys_of_before_the_data_are_refused_for_they_would_lose_whoever_came_between(
    lite: Bench, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = back_up(lite, tmp_path / "backups")
    shutil.copy(first.keys, tmp_path / "old-keys")
    settle(lite, "Bea Resident", "13800000002", "188,24911")
    monkeypatch.setattr(making, "now", lambda: first.made_at + 1)
    second = back_up(lite, tmp_path / "backups")
    target = Settings(data=tmp_path / "elsewhere", models=models)
    with pytest.raises(BackupRefused, match="older than this data") as refused:
        restore(target, second.data, tmp_path / "old-keys", kit_of(lite.estate))
    assert refused.value.code == "keys-older"
    assert not target.data.exists()


def test_an_estate_that_lives_is_never_overwritten(
    lite: Bench, models: Path, tmp_path: Path
) -> None:
    ada = settle_ada(lite)
    made, kit, settings = (
        back_up(lite, tmp_path / "backups"),
        kit_of(lite.estate),
        lite.estate.settings,
    )
    with pytest.raises(StartRefused) as running:
        restore(settings, made.data, made.keys, kit)
    assert running.value.code == "already-running"
    lite.estate.close()
    with pytest.raises(StartRefused) as living:
        restore(settings, made.data, made.keys, kit)
    assert living.value.code == "database-not-empty"

    other = Settings(data=tmp_path / "other", models=models)
    open_estate(other).close()
    other.data.joinpath("server.sqlite").unlink()
    with pytest.raises(StartRefused) as vault:
        restore(other, made.data, made.keys, kit)
    assert vault.value.code == "data-not-empty"
    again = open_estate(settings)
    assert again.name_of(ada.person) == "Ada Resident"
    again.close()


@pytest.mark.parametrize(
    "point", ["load", "renew_epoch", "_revive", "_finish"], ids=lambda one: one.strip("_")
)
@pytest.mark.long
def test_a_restore_that_the_power_cut_ended_begins_again(
    lite: Bench, models: Path, tmp_path: Path, point: str
) -> None:
    ada = settle_ada(lite)
    made, kit = back_up(lite, tmp_path / "backups"), kit_of(lite.estate)
    target = Settings(data=tmp_path / "elsewhere", models=models)
    assert _killed_at(point, target, made.data, secret_of(lite.estate)) == KILLED

    assert (target.data / UNFINISHED).exists()
    with pytest.raises(StartRefused, match="restore was interrupted"):
        open_estate(target)
    if point == "_finish":  # all but the last file: there is nothing left to do
        with pytest.raises(StartRefused, match="finished already"):
            restore(target, made.data, made.keys, kit)
    else:
        assert restore(target, made.data, made.keys, kit).revived.people == 1
    assert not (target.data / UNFINISHED).exists()
    estate = open_estate(target)
    assert estate.name_of(ada.person) == "Ada Resident"
    estate.close()


KILLED: Final = 9
_SCRIPT: Final = """
import os, sys
from pathlib import Path
from community_server.backups import loading, restoring
from community_server.backups.recovery_key import read_kit
from community_server.settings import Settings
point, data, models, file, secret = sys.argv[1:]
def die(*_): os._exit(9)
if point == "load":
    # In the middle of the rows, with the transaction open and tables half full.
    fill = loading.check_rows
    def check_rows(manifest, rows):
        return die() if rows.table == "people" else fill(manifest, rows)
    loading.check_rows = check_rows
elif point == "renew_epoch":
    restoring.LinkStore.renew_epoch = die
else:
    setattr(restoring._Restore, point, die)
settings = Settings(data=Path(data), models=Path(models))
keys = Path(file).with_name("keys.gatehouse-backup")
restoring.restore(settings, Path(file), keys, read_kit(secret))
"""


def _killed_at(point: str, target: Settings, data: Path, secret: str) -> int:
    """Restore in a process of its own that ends at once at some point, as by a power cut."""
    arguments = [point, str(target.data), str(target.models), str(data), secret]
    return subprocess.run(
        [sys.executable, "-c", _SCRIPT, *arguments], check=False, timeout=120
    ).returncode


def test_a_newer_releases_backup_is_refused_before_anything_changes(
    lite: Bench, models: Path, tmp_path: Path
) -> None:
    with lite.estate.engine.begin() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    made = back_up(lite, tmp_path / "backups")
    target = Settings(data=tmp_path / "elsewhere", models=models)
    with pytest.raises(BackupRefused, match="newer release") as refused:
        restore(target, made.data, made.keys, kit_of(lite.estate))
    assert refused.value.code == "backup-newer"
    open_estate(target).close()  # what stands there is as good as new
