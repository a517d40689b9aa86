"""A roster that differs is seen to differ until it has been mended, which needs nobody."""

import sqlite3
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from community_server.doors.service import add_door
from community_server.estate import open_estate
from community_server.people.service import issue_pin
from community_server.settings import Settings
from tests.community_server.bench import Bench, prepare
from tests.community_server.server_process import Desk, run_server
from tests.door_terminal.estate import eventually
from tests.door_terminal.processes import gatehouse, running_door

pytestmark = pytest.mark.long


@dataclass
class Before:
    """An estate with one door and two people who have PINs."""

    kept: Path
    door: str
    pins: list[tuple[str, str]] = field(repr=False)


@pytest.fixture
def before(models: Path, tmp_path: Path) -> Before:
    kept = tmp_path / "server" / "data"
    estate = open_estate(Settings(data=kept, models=models))
    prepare(estate)
    bench, pins = Bench(estate), []
    for unit in ("1-101", "2-202"):
        _, person = bench.invite(unit=unit)
        with estate.changer.change() as change:
            pins.append((unit, issue_pin(change, person)[0]))
    with estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    estate.close()
    return Before(kept, door, pins)


def shown(desk: Desk, door: str) -> dict[str, Any]:
    rows: list[dict[str, Any]] = desk.call("GET", "/api/v1/doors")
    return next(one for one in rows if one["door"] == door)


@pytest.mark.parametrize(
    "damage",
    [
        "DELETE FROM roster_people WHERE person = (SELECT min(person) FROM roster_people)",
        pytest.param(
            "UPDATE roster_people SET sealed = zeroblob(length(sealed))", marks=pytest.mark.soak
        ),
        pytest.param("UPDATE roster SET version = version + 1000", marks=pytest.mark.soak),
    ],
    ids=["a person lost", "rows damaged", "a version too high"],
)
def test_a_difference_shows_until_it_is_mended_and_is_mended_by_itself(
    damage: str, before: Before, models: Path, tmp_path: Path
) -> None:
    data = tmp_path / "door" / "data"
    with run_server(before.kept, database="", models=models) as server:
        desk = Desk(server)
        desk.sign_in()
        code = desk.call("POST", f"/api/v1/doors/{before.door}/pairing")["code"]
        paired = gatehouse(
            *("door", "pair", "--server", server.url, "--code", code, "--data", str(data)),
            cwd=tmp_path,
        )
        assert paired.returncode == 0, paired.stderr
        with running_door(data) as door:
            eventually(lambda: shown(desk, before.door)["in_step"])
            assert shown(desk, before.door)["people"] == len(before.pins)
            assert door.stop() == 0
        with sqlite3.connect(data / "door.sqlite") as disk:
            disk.execute(damage)
        with running_door(data) as door:
            # It counts as in step with nobody until it has proven what it holds.
            seen: list[tuple[bool, int]] = []

            def mended() -> bool:
                row = shown(desk, before.door)
                if row["connected"] and row["roster_version"]:
                    seen.append((row["in_step"], row["people"]))
                return bool(seen and seen[-1][0])

            eventually(mended, within=60)
            assert seen[0] == (False, 0)
            assert seen[-1] == (True, len(before.pins))
            for unit, pin in before.pins:
                assert door.pin(unit, pin)["granted"]
        desk.close()
