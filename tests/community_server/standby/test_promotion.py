"""What a promoted standby does before it serves; replicas are in the test of a failover."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.command import server
from community_server.doors.service import add_door
from community_server.doors.tables import Door
from community_server.errors import StartRefused
from community_server.estate import open_estate
from community_server.ledger.service import find_wait
from community_server.settings import Settings
from community_server.staff.tables import StaffSession
from community_server.standby.notes import StandsBy, Superseded, find_note, keep_note
from community_server.standby.promotion import promote, take_over
from community_server.standby.queries import find_standby, server_addresses
from community_server.vault.changing import change_in
from community_server.vault.master_key import choose_source
from tests.community_server.bench import Bench, prepare
from tests.community_server.standby.admitted import admit
from tests.community_server.standby.test_letters import FIRST, SECOND
from tier_link.store.tables import LinkPairingCode, LinkState

NOTE = StandsBy("a" * 32, FIRST, SECOND)


@pytest.fixture
def settings(tmp_path: Path, models: Path) -> Settings:
    """A server that was set up, knew a standby and a door, and is stopped: as its replica is."""
    settings = Settings(data=tmp_path / "data", models=models)
    estate = open_estate(settings)
    prepare(estate)
    admit(Bench(estate))
    with estate.changer.change() as change:
        door = add_door(change.session, "Gate", "in")
        change.session.get_one(Door, door).spaces_told = "told"
        change.session.get_one(Door, door).state = "paired"
        estate.doors.issue_code(change.session, add_door(change.session, "Other", "in"))
    assert estate.links.epoch > 0  # the first look begins the first
    estate.close()
    keep_note(settings.data, NOTE)
    return settings


def looking(settings: Settings, look: Callable[[Session], object]) -> object:
    estate = open_estate(settings)
    try:
        with estate.reading() as session:
            return look(session)
    finally:
        estate.close()


def epoch(session: Session) -> int:
    return session.scalars(select(LinkState.epoch)).one()


def test_it_begins_a_new_epoch_asks_for_the_ledger_and_tells_doors_anew(
    settings: Settings,
) -> None:
    before = looking(settings, epoch)
    take_over(settings)
    assert find_note(settings.data, StandsBy) is None
    estate = open_estate(settings)
    try:
        assert not estate.gate.is_open
        with estate.reading() as session:
            assert isinstance(before, int)
            assert epoch(session) > before
            wait = find_wait(session)
            assert wait is not None
            assert wait.state == "waiting"
            assert set(session.scalars(select(Door.spaces_told))) == {""}
            for lapsed in (LinkPairingCode, StaffSession):
                assert session.scalar(select(func.count()).select_from(lapsed)) == 0
            row = find_standby(session)
            assert row is not None
            assert row.node == ""
            assert server_addresses(session) == (SECOND, FIRST)
            assert "promoted" in set(session.scalars(select(AuditRow.action)))
    finally:
        estate.close()


def test_it_is_done_once_and_after_a_power_cut_again(settings: Settings) -> None:
    take_over(settings)
    first = looking(settings, epoch)
    take_over(settings)
    assert looking(settings, epoch) == first
    keep_note(settings.data, NOTE)  # as if the power had gone before it was taken away
    take_over(settings)
    assert looking(settings, server_addresses) == (SECOND, FIRST)


def test_a_server_that_stands_by_for_nobody_is_not_promoted(tmp_path: Path) -> None:
    with pytest.raises(StartRefused) as refused:
        promote(Settings(data=tmp_path))
    assert refused.value.code == "not-a-standby"


def test_a_standby_without_the_replicas_key_is_not_promoted(settings: Settings) -> None:
    estate = open_estate(settings)
    estate.safe.erasure_keys.replace({9: b"9" * 32})
    estate.close()
    with pytest.raises(StartRefused) as refused:
        promote(settings)
    assert refused.value.code == "standby-keys-missing"
    assert find_note(settings.data, StandsBy) == NOTE


def test_a_standbys_master_key_is_not_changed_beside_it(settings: Settings) -> None:
    source = choose_source("file", settings.data / "vault")
    with pytest.raises(StartRefused) as refused:
        change_in(settings, source)
    assert refused.value.code == "stands-by"


def command(settings: Settings, *arguments: str) -> str:
    environment = {
        "GATEHOUSE_CONFIG": str(settings.data / "none.toml"),
        "GATEHOUSE_SERVER_DATA": str(settings.data),
        "GATEHOUSE_MODELS": str(settings.models),
        "GATEHOUSE_RECOVERY_SECRET": "nothing",
    }
    return CliRunner().invoke(server, list(arguments), env=environment).output


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--primary", "gate-a:8443", "--address", SECOND], "address-unusable"),
        (["--primary", FIRST, "--address", "https://b/x"], "address-unusable"),
        (["--primary", FIRST, "--address", SECOND], "not-a-replica"),
    ],
)
def test_what_cannot_stand_by_is_told_why(
    settings: Settings, arguments: list[str], code: str
) -> None:
    assert f"[{code}]" in command(settings, "standby", *arguments)


def test_a_standby_is_dismissed_by_command(settings: Settings) -> None:
    assert "Wipe the disk" in command(settings, "dismiss-standby")
    assert looking(settings, server_addresses) == (FIRST,)


def test_the_right_server_is_put_back_into_service_by_command(settings: Settings) -> None:
    keep_note(settings.data, Superseded(1))
    before = looking(settings, epoch)
    assert "in epoch" in command(settings, "restored")
    assert find_note(settings.data, Superseded) is None
    after = looking(settings, epoch)
    assert isinstance(before, int)
    assert isinstance(after, int)
    assert after > before
