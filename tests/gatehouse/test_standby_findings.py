"""The doctor says how an estate's second server is; replicas are in the test of a failover."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.standby.notes import StandsBy, Superseded, keep_note
from community_server.standby.tables import Standby
from gatehouse.finding import Finding
from gatehouse.installation import installed
from gatehouse.standby_findings import BEHIND_S, SILENT_S, standby_findings
from tests.community_server.standby.admitted import admitted
from tests.community_server.standby.test_letters import FIRST, SECOND
from tests.support.databases import postgresql_database
from tier_link.store import bring_up_to_date, open_database


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The data folder of a server on this machine, and of no other tier."""
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "none.toml"))
    for tier in ("server", "door", "cloud"):
        monkeypatch.setenv(f"GATEHOUSE_{tier.upper()}_DATA", str(tmp_path / tier))
    (tmp_path / "server" / "vault").mkdir(parents=True)
    return tmp_path / "server"


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[sa.Engine]:
    """A PostgreSQL that follows no other."""
    with postgresql_database() as url:
        monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", url)
        made = open_database(url)
        bring_up_to_date(made, "community")
        yield made
        made.dispose()


def seen() -> list[Finding]:
    return list(standby_findings(installed()))


def test_a_server_that_another_has_taken_over_from_is_a_problem(data: Path) -> None:
    keep_note(data, Superseded(1_800_000_000, 7, SECOND))
    (finding,) = seen()
    assert (finding.code, finding.state) == ("server.superseded", "problem")
    assert "2027-01-15" in finding.sentence
    assert "gatehouse server restored" in finding.remedy


def test_a_damaged_note_is_a_problem(data: Path) -> None:
    (data / "standby.json").write_text("{")
    assert [one.state for one in seen()] == ["problem"]


@pytest.mark.usefixtures("data")
def test_on_sqlite_nothing_is_said() -> None:
    assert seen() == []


@pytest.mark.usefixtures("data")
@pytest.mark.parametrize(
    ("silent", "behind", "code"),
    [
        (0, 0, "standby.kept"),
        (SILENT_S + 60, 0, "standby.silent"),
        (0, BEHIND_S + 60, "standby.behind"),
    ],
)
def test_the_server_in_service_says_how_its_standby_is(
    engine: sa.Engine, silent: int, behind: int, code: str
) -> None:
    assert seen() == []
    with Session(engine) as session, session.begin():
        session.add(admitted(heard_at=now() - silent, behind_s=behind))
    (finding,) = seen()
    assert finding.code == code
    assert SECOND in finding.sentence
    with Session(engine) as session, session.begin():  # promoted: nobody stands by
        session.execute(sa.update(Standby).values(node=""))
    assert seen() == []


@pytest.mark.usefixtures("engine")
def test_a_database_that_was_promoted_wants_its_server(data: Path) -> None:
    keep_note(data, StandsBy("a" * 32, FIRST, SECOND))
    (finding,) = seen()
    assert (finding.code, finding.state) == ("standby.promoted", "problem")
    assert FIRST in finding.sentence


@pytest.mark.usefixtures("data")
def test_a_database_that_is_away_is_told_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_SERVER_DATABASE", "postgresql+psycopg://x@127.0.0.1:9/x")
    assert seen() == []
