"""An estate's server is lost with its database, and its standby takes over."""

import os
import time
from pathlib import Path
from typing import Final

import pytest

from community_server.sweeper import RENEWAL_EVERY
from gatehouse.local_estate import EstateFailed, wait_for
from gatehouse.staff_client import StaffClient
from tests.end_to_end.test_restore import names, settle
from tests.support.two_servers import Traffic, TwoServers, two_servers

pytestmark = pytest.mark.soak

PATIENCE_S: Final = 300.0
"""Several rounds of sweeps and letters, of fifteen seconds each."""


def settle_with_pin(staff: StaffClient, name: str, unit: str) -> tuple[str, str]:
    wanted = {"kind": "resident", "name": name, "unit": unit}
    person: str = staff.call("POST", "invitations", wanted)["person"]
    return person, staff.call("POST", f"people/{person}/pin")["pin"]


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
        assert "standby.kept" in estate.first.findings()
        told = estate.second.findings()
        assert "standby.waiting" in told
        assert "process.hindered" not in told
        the_erasure_key_is_renewed(estate)
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
            wait_for("it to serve", estate.second.is_in_service)
            known = traffic.entries
            wait_for("entries at the new server", lambda: traffic.entries > known + 10)
        wait_for("all entries", lambda: len(estate.second.openings_by_pin()) >= traffic.entries)
        entries = estate.second.openings_by_pin()
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


def the_erasure_key_is_renewed(estate: TwoServers) -> None:
    """The standby has the next key before it is used, and destroys the one before."""
    before = estate.first.generations()
    assert estate.second.generations() == before
    moment = time.time() - RENEWAL_EVERY - 1
    os.utime(estate.first.estate.folder / "server" / "vault" / "erasure.key", (moment, moment))
    renewed = {max(before) + 1}
    wait_for("a new key", lambda: estate.first.generations() == renewed, PATIENCE_S)
    wait_for("the old one's end", lambda: estate.second.generations() == renewed, PATIENCE_S)


def the_old_server_comes_back(estate: TwoServers) -> None:
    estate.first.power_on()
    wait_for("the old server to notice", estate.first.is_superseded)
    page = estate.first.ask("/")
    assert page.status_code == 503
    assert 'data-code="superseded"' in page.text
    assert "superseded=yes serving=no" in estate.first.said()
    assert estate.first.ask("/api/v1/doors").status_code == 503
    assert "server.superseded" in estate.first.findings()
    # A restart changes nothing: it is written down.
    estate.first.estate.server.stop()
    estate.first.estate.server.start()
    wait_for("the same after a restart", estate.first.is_superseded)
    assert estate.all_doors_at(estate.second)


def the_old_server_becomes_the_standby(estate: TwoServers) -> None:
    estate.first.estate.server.stop()
    estate.first.cluster.stop()
    estate.first.stand_by_for(estate.second)
    assert estate.first.hindrances() == ["standby"]
    with pytest.raises(EstateFailed, match="still-serving"):
        estate.first.promote()
