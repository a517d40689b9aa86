"""A card given at the desk opens a real door within moments, and is lost as quickly."""

from pathlib import Path

import pytest

from community_server.estate import open_estate
from community_server.settings import Settings
from tests.community_server.bench import Bench, prepare
from tests.community_server.server_process import Desk, run_server
from tests.door_terminal.estate import eventually
from tests.door_terminal.processes import gatehouse, running_door
from tests.support.card_readers import plugged_in

pytestmark = pytest.mark.long


def test_a_card_given_at_the_desk_opens_and_one_taken_away_does_not(
    models: Path, tmp_path: Path
) -> None:
    data, path = tmp_path / "door" / "data", tmp_path / "reader"
    kept = tmp_path / "server" / "data"
    estate = open_estate(Settings(data=kept, models=models))
    prepare(estate)
    _, ada = Bench(estate).invite(unit="1-101")
    estate.close()
    with run_server(kept, database="", models=models) as server:
        desk = Desk(server)
        desk.sign_in()
        door = desk.call("POST", "/api/v1/doors", {"name": "Gate"})["door"]
        code = desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"]
        paired = gatehouse(
            *("door", "pair", "--server", server.url, "--code", code, "--data", str(data)),
            cwd=tmp_path,
        )
        assert paired.returncode == 0, paired.stderr
        with plugged_in(path) as cards, running_door(data, card_reader=f"serial:{path}") as unit:
            eventually(lambda: unit.state()["cards"])
            given = desk.call("POST", f"/api/v1/people/{ada}/cards", {"number": "188,24910"})
            eventually(lambda: unit.state()["people"] == 1)
            cards.write("0012345678\r\n")
            eventually(lambda: len(unit.openings()) == 1)
            eventually(lambda: desk.call("GET", "/api/v1/entries")["entries"])
            (entry,) = desk.call("GET", "/api/v1/entries")["entries"]
            assert (entry["credential"], entry["person"], entry["granted"]) == ("card", ada, True)

            desk.call("DELETE", f"/api/v1/people/{ada}/cards/{given['card']}")
            eventually(lambda: unit.state()["people"] == 0)
            decisions = unit.state()["decisions"]
            cards.write("0012345678\r\n")
            eventually(lambda: unit.state()["decisions"] > decisions)
            assert unit.state()["last"]["reason"] == "credential-unknown"
            assert len(unit.openings()) == 1
        desk.close()
