"""An estate's server is lost, and its standby takes over: how long until all doors talk to it.

`python -m benchmarks.failover [--doors N]`: two servers on two PostgreSQL clusters of the
benchmark's own, the cloud, four real doors at which PINs are typed all the time, and simulated
doors beside them, which are links alone. Three times the server in service is lost, and the other
becomes it; in between the lost one is made the other's standby. It is promoted at once, after a
minute, and after a hang (SIGSTOP), which no door is told of. Then the lost one comes back. At the
end every entry that a door has made has to be there once.
"""

import argparse
import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session

from benchmarks.__main__ import line
from benchmarks.figures import Figure
from benchmarks.simulated_doors import MemoryJournal
from community_server.database import new_id, now
from community_server.doors.tables import Door
from door_terminal.identity import Pairing, load_pairing, socket_url
from gatehouse.local_estate import wait_for
from gatehouse.staff_client import StaffClient
from tests.support.link_nodes import IdleHandler, OwnLoop
from tests.support.two_servers import Machine, Traffic, TwoServers, two_servers
from tier_link.channel import Dialer, NodeIdentity, pinned_tls

REAL_DOORS: Final = 4
SIMULATED_DOORS: Final = 100
EVERY_S: Final = 2.0
"""Between two PINs at a door: checking one is made to be slow, and costs a door's whole core."""
LATER_S: Final = 60.0
"""Until somebody promotes: doors wait longest between two attempts by then."""
UNIT: Final = "1-101"
PATIENCE_S: Final = 180.0


@dataclass(frozen=True)
class Case:
    """One way to lose a server."""

    name: str
    lose: Callable[[Machine], None]
    promoted_after_s: float
    insist: bool = False


CASES: Final = (
    Case("killed, promoted at once", Machine.power_off, 0.0),
    Case("killed, promoted after a minute", Machine.power_off, LATER_S),
    Case("hanging, promoted at once", Machine.freeze, 0.0),
)


def run(simulated: int = SIMULATED_DOORS) -> list[Figure]:
    """Lose a server in each way; return the figures."""
    with TemporaryDirectory() as folder, two_servers(Path(folder)) as estate:
        estate.add_doors(REAL_DOORS)
        with estate.estate.staff() as staff:
            wanted = {"kind": "resident", "name": "Ada Resident", "unit": UNIT}
            person = staff.call("POST", "invitations", wanted)["person"]
            pin = staff.call("POST", f"people/{person}/pin")["pin"]
        for door in estate.doors:
            estate.estate.await_door(door, 1)
        estate.await_addresses()
        figures = []
        with simulated_doors(estate, simulated), Traffic(estate, UNIT, pin, EVERY_S) as traffic:
            for case in CASES:
                figures += lose(estate, case)
        serving = estate.first
        made = traffic.entries
        wait_for("all entries", lambda: len(serving.openings_by_pin()) >= made, PATIENCE_S)
        arrived = serving.openings_by_pin()
    doubled = len(arrived) - len(set(arrived))
    return [
        *figures,
        Figure("entries lost", float(made - len(set(arrived))), "of them", made),
        Figure("entries doubled", float(doubled), "of them", made),
    ]


def lose(estate: TwoServers, case: Case) -> list[Figure]:
    """Lose the server in service, promote the other, take the lost one in as its standby."""
    lost, other = estate.first, estate.second
    case.lose(lost)
    began = time.monotonic()
    time.sleep(case.promoted_after_s)
    promoted = time.monotonic()
    other.promote()
    in_service = time.monotonic()
    with signed_in(other) as staff:
        doors = wait_for("all doors", lambda: all_connected(estate, staff), PATIENCE_S)
        wait_for("the ledger", lambda: not staff.call("GET", "ledger")["waiting"], PATIENCE_S)
    whole = time.monotonic()
    refused = come_back(lost, case)
    lost.estate.server.stop()
    lost.cluster.stop()
    lost.stand_by_for(other)
    estate.first, estate.second = other, lost
    estate.await_addresses()
    since = f"{case.name}; {time.monotonic() - began:.0f} s in all"
    return [
        Figure(
            "from the promotion to a server in service", in_service - promoted, "s", 1, note=since
        ),
        Figure("from the promotion to all doors", doors - promoted, "s", 1, note=case.name),
        Figure("from the promotion to the ledger", whole - promoted, "s", 1, note=case.name),
        Figure("from the old server's return to its refusal", refused, "s", 1, note=case.name),
    ]


def come_back(lost: Machine, case: Case) -> float:
    """Let the lost server go on; return the seconds until it says that it does not serve."""
    if case.lose is Machine.freeze:
        lost.thaw()
    else:
        lost.cluster.start()
        lost.estate.server.start()
    began = time.monotonic()
    wait_for("the old server to notice", lost.is_superseded, PATIENCE_S)
    return time.monotonic() - began


def all_connected(estate: TwoServers, staff: StaffClient) -> float:
    """Return when all doors were connected (monotonic), 0 before."""
    connected = all(row["connected"] for row in estate.door_states(staff).values())
    return time.monotonic() if connected else 0.0


@contextmanager
def signed_in(machine: Machine) -> Iterator[StaffClient]:
    """Sign in at a server as soon as it takes anybody."""
    wait_for("the console", machine.shows_pages, PATIENCE_S)
    with machine.estate.staff() as staff:
        yield staff


@contextmanager
def simulated_doors(estate: TwoServers, count: int) -> Iterator[None]:
    """Run further doors that are links alone, and know both servers."""
    pairing = load_pairing(estate.estate.folder / f"door-{estate.doors[0]}")
    keys = {new_id(): Ed25519PrivateKey.generate() for _ in range(count)}
    engine = sa.create_engine(estate.first.cluster.url)
    with Session(engine) as session, session.begin():
        for number, (door, key) in enumerate(keys.items()):
            session.add(
                Door(
                    id=door,
                    name=f"Simulated {number}",
                    direction="in",
                    created_at=now(),
                    state="paired",
                    paired_at=now(),
                    public_key=key.public_key().public_bytes_raw(),
                )
            )
    engine.dispose()
    loop = OwnLoop()
    addresses = [socket_url(one.address, "/link") for one in (estate.first, estate.second)]
    for door, key in keys.items():
        dialer = _dialer(pairing, NodeIdentity(door, key), addresses)
        asyncio.run_coroutine_threadsafe(dialer.run(), loop.loop)
    with estate.estate.staff() as staff:
        wait_for("the simulated doors", lambda: all_connected(estate, staff), PATIENCE_S)
    yield
    loop.stop()


def _dialer(pairing: Pairing, identity: NodeIdentity, addresses: list[str]) -> Dialer:
    return Dialer(
        addresses[0],
        identity,
        pairing.server,
        Ed25519PublicKey.from_public_bytes(pairing.server_key),
        MemoryJournal(),
        IdleHandler(),
        pinned_tls(pairing.ca_pem),
        others=lambda: addresses[1:],
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--doors", type=int, default=SIMULATED_DOORS, help="simulated ones")
    for figure in run(parser.parse_args().doors):
        print(line(figure, None), flush=True)


if __name__ == "__main__":
    main()
