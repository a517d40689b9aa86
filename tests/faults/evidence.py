"""What the door and the server say happened."""

import sqlite3
from collections.abc import Mapping
from typing import Any

import httpx

from gatehouse.local_estate import wait_for
from tests.faults.conftest import Household


def enter_pin(household: Household, pin: str = "") -> Mapping[str, Any]:
    """Enter the resident's PIN (or another) on the door's pad and return its answer."""
    address = f"http://127.0.0.1:{household.estate.door_ports[household.door]}/pin"
    body = {"unit": household.unit, "pin": pin or household.pin}
    answer = httpx.post(address, json=body, timeout=10.0, trust_env=False)
    answer.raise_for_status()
    outcome: Mapping[str, Any] = answer.json()
    return outcome


def openings(household: Household) -> int:
    """Count the gate's openings."""
    log = household.estate.folder / f"door-{household.door}" / "gate.jsonl"
    return len(log.read_text().splitlines()) if log.exists() else 0


def entries_at_the_server(household: Household, count: int) -> list[str]:
    """Wait until the server has so many entries; return the ids of all, in order of arrival."""
    ids: list[str] = []
    cursor = 0
    with household.estate.staff() as staff:

        def enough() -> bool:
            nonlocal cursor
            while page := staff.call("GET", f"entries?after={cursor}&limit=1000"):
                if not page["entries"]:
                    break
                ids.extend(row["entry"] for row in page["entries"])
                cursor = page["cursor"]
            return len(ids) >= count

        wait_for("the entries at the server", enough)
    return ids


def entries_at_the_door(household: Household) -> list[str]:
    """Return the ids of all entries in the door's database, in order."""
    file = household.estate.folder / f"door-{household.door}" / "door.sqlite"
    with sqlite3.connect(f"file:{file}?mode=ro", uri=True) as database:
        rows = database.execute("SELECT entry FROM entries ORDER BY door_sequence").fetchall()
    return [entry for (entry,) in rows]
