"""A real estate loses its server's disk, and is put back from last week's backup."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from gatehouse.local_estate import LocalEstate, run_command, wait_for
from gatehouse.staff_client import StaffClient
from tests.end_to_end.searching import files_with

GONE = "Gone Resident of the Search"


def settle(staff: StaffClient, name: str, unit: str) -> str:
    """Add a resident who comes in by PIN."""
    wanted = {"kind": "resident", "name": name, "unit": unit}
    person: str = staff.call("POST", "invitations", wanted)["person"]
    staff.call("POST", f"people/{person}/pin")
    return person


def names(staff: StaffClient) -> set[str]:
    return {row["name"] for row in staff.call("GET", "people")}


def restore(estate: LocalEstate, data: Path) -> str:
    environment = {
        **estate.server_environment,
        "GATEHOUSE_RECOVERY_SECRET": estate.recovery_secret,
    }
    return run_command(["server", "restore", str(data)], environment)


@pytest.mark.soak  # the same in one process: tests/community_server/ledger
def test_last_weeks_backup_brings_nobody_back_whom_doors_and_cloud_remember(
    models: Path, tmp_path: Path
) -> None:
    del models
    last_week = tmp_path / "last-week"
    with LocalEstate(tmp_path / "estate") as estate:
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Sunny Court")
        door = estate.add_door("North gate", "")
        with estate.staff() as staff:
            stays = settle(staff, "Ada Resident", "1-101")
            gone = settle(staff, GONE, "1-102")
            estate.await_door(door, 2)
            run_command(["server", "backup", str(last_week)], estate.server_environment)
            staff.call("DELETE", f"people/{gone}")
            wait_for("the door to forget", lambda: _people(staff, door) == 1)
            wait_for(
                "the cloud to hear", lambda: not staff.call("GET", "status")["waiting_for_cloud"]
            )
        estate.server.stop()
        shutil.rmtree(estate.folder / "server")

        (data,) = last_week.glob("data-*")
        said = restore(estate, data)
        assert "Restored: 2 people" in said  # the bundle is of last week, too
        estate.start_server()
        with estate.staff() as staff:
            wait_for("the ledger", lambda: not staff.call("GET", "ledger")["waiting"])
            assert names(staff) == {"Ada Resident"}
            shown = wait_for("the door in step", lambda: _in_step(staff, door))
            assert shown["people"] == 1
            assert {row["person"] for row in staff.call("GET", "people")} == {stays}
            actions = [row["action"] for row in staff.call("GET", "audit")]
            assert {"take-ledger", "restored"} <= set(actions)
        estate.server.stop()
        assert files_with([GONE.encode()], [estate.folder, last_week]) == []


def _people(staff: StaffClient, door: str) -> int:
    rows = {row["door"]: row for row in staff.call("GET", "doors")}
    return int(rows[door]["people"]) if rows[door]["in_step"] else -1


def _in_step(staff: StaffClient, door: str) -> Mapping[str, Any] | None:
    row: Mapping[str, Any] = {one["door"]: one for one in staff.call("GET", "doors")}[door]
    return row if row["connected"] and row["in_step"] else None
