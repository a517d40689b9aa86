"""An estate's server is lost with its database, and its standby takes over."""

from pathlib import Path

import httpx
import pytest

from gatehouse.local_estate import EstateFailed, wait_for
from gatehouse.staff_client import StaffClient
from tests.end_to_end.test_restore import names, settle
from tests.support.two_servers import Machine, Traffic, TwoServers, two_servers

pytestmark = pytest.mark.soak


def settle_with_pin(staff: StaffClient, name: str, unit: str) -> tuple[str, str]:
    wanted = {"kind": "resident", "name": name, "unit": unit}
    person: str = staff.call("POST", "invitations", wanted)["person"]
    return person, staff.call("POST", f"people/{person}/pin")["pin"]


def entries_of(machine: Machine) -> list[str]:
    """Return the ids of all openings by PIN that a server has, newest first."""
    found = machine.cluster.execute(
        "SELECT array_agg(entry) FROM entries WHERE granted AND credential = 'pin'"
    )
    return list(found or [])


def in_service(machine: Machine) -> bool:
    try:
        return machine.hindrances() == []
    except httpx.TransportError:
        return False


def test_the_standby_takes_over_without_a_lost_or_doubled_entry(
    models: Path, tmp_path: Path
) -> None:
    del models
    with two_servers(tmp_path) as estate:
        estate.add_doors(3)
        with estate.estate.staff() as staff:
            _, pin = settle_with_pin(staff, "Ada Resident", "1-101")
            gone = settle(staff, "Gone Resident", "1-102")
            for door in estate.doors:
                estate.estate.await_door(door, 2)
        estate.await_addresses()
        assert estate.second.hindrances() == ["standby"]
        with Traffic(estate, "1-101", pin) as traffic:
            wait_for("some entries", lambda: traffic.entries > 10)
            # From here on nothing reaches the replica, and the first server acknowledges.
            estate.second.cluster.cut_off()
            known = traffic.entries
            with estate.estate.staff() as staff:
                staff.call("DELETE", f"people/{gone}")
                wait_for(
                    "the doors to hear",
                    lambda: all(
                        row["in_step"] and row["people"] == 1
                        for row in estate.door_states(staff).values()
                    ),
                )
            wait_for("more entries", lambda: traffic.entries > known + 10)
            estate.first.power_off()
            known = traffic.entries
            wait_for("entries without a server", lambda: traffic.entries > known + 10)
            estate.second.promote()
            wait_for("all doors at the standby", lambda: estate.all_doors_at(estate.second))
            wait_for("it to serve", lambda: in_service(estate.second))
            known = traffic.entries
            wait_for("entries at the new server", lambda: traffic.entries > known + 10)
        wait_for("all entries", lambda: len(entries_of(estate.second)) >= traffic.entries)
        entries = entries_of(estate.second)
        assert len(entries) == len(set(entries)) == traffic.entries
        with estate.second.estate.staff() as staff:
            assert names(staff) == {"Ada Resident"}  # erased in the moments that were missing
            assert {row["action"] for row in staff.call("GET", "audit")} >= {
                "promoted",
                "standby-admitted",
                "take-ledger",
            }
            wait_for(
                "the doors in step",
                lambda: all(row["in_step"] for row in estate.door_states(staff).values()),
            )
            wait_for(
                "the cloud", lambda: staff.call("GET", "status")["cloud"]["phase"] == "connected"
            )
        the_old_server_comes_back(estate)
        the_old_server_becomes_the_standby(estate)


def the_old_server_comes_back(estate: TwoServers) -> None:
    estate.first.power_on()
    wait_for("the old server to notice", lambda: said_superseded(estate.first))
    page = estate.first.ask("/")
    assert page.status_code == 503
    assert 'data-code="superseded"' in page.text
    assert "superseded=yes serving=no" in estate.first.said()
    assert estate.first.ask("/api/v1/doors").status_code == 503
    # A restart changes nothing: it is written down.
    estate.first.estate.server.stop()
    estate.first.estate.server.start()
    wait_for("the same after a restart", lambda: said_superseded(estate.first))
    assert estate.all_doors_at(estate.second)


def the_old_server_becomes_the_standby(estate: TwoServers) -> None:
    estate.first.estate.server.stop()
    estate.first.cluster.stop()
    estate.first.stand_by_for(estate.second)
    assert estate.first.hindrances() == ["standby"]
    with pytest.raises(EstateFailed, match="still-serving"):
        estate.first.promote()


def said_superseded(machine: Machine) -> bool:
    try:
        return machine.hindrances() == ["superseded"]
    except (httpx.TransportError, KeyError, ValueError):
        return False
