"""An estate whose cloud, server and door stand on machines of their own."""

import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx

from face_engine.models import default_folder, load_pack
from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import enroll
from gatehouse.local_estate import EstateFailed, LocalEstate, tail, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.faults.network.clocks import Clocks
from tests.faults.network.namespaces import Machine, Wire
from tests.faults.network.relay import Relay
from tests.support.small_disks import fill, small_disk
from tier_link.store import LinkStore, open_database

DISK_MB: Final = 24
WRONG_PIN: Final = "000000"


@dataclass
class FarEstate:
    """Three machines, two wires, and everything that stands on them."""

    estate: LocalEstate
    cloud: Machine
    server: Machine
    gate: Machine
    upper: Wire
    lower: Wire
    clocks: Clocks
    disk: Path
    relay: Relay
    feed: CameraFeed
    door: str
    resident: SamplePerson
    stranger: SamplePerson
    unit: str
    pin: str

    @property
    def server_database(self) -> Path:
        return self.estate.folder / "server" / "server.sqlite"

    @property
    def backup(self) -> Path:
        return self.estate.folder / "backup.sqlite"

    def enter_pin(self, pin: str = "") -> dict[str, Any]:
        """Enter the resident's PIN, or another, on the door's pad."""
        answer = self.gate.run(
            httpx.post,
            f"http://127.0.0.1:{self.estate.door_ports[self.door]}/pin",
            json={"unit": self.unit, "pin": pin or self.pin},
            timeout=20.0,
            trust_env=False,
        )
        answer.raise_for_status()
        outcome: dict[str, Any] = answer.json()
        return outcome

    def state(self) -> dict[str, Any]:
        """Return what the door says of itself; empty while it does not answer."""
        address = f"http://127.0.0.1:{self.estate.door_ports[self.door]}/state"
        try:
            answer = self.gate.run(httpx.get, address, timeout=20.0, trust_env=False)
        except httpx.TransportError:
            return {}
        state: dict[str, Any] = answer.json()
        return state

    def await_page(self) -> None:
        """Wait until the door's page answers.

        Raises:
            EstateFailed: it does not; the message says what the door wrote last.
        """
        try:
            wait_for("the door's page", self.state)
        except EstateFailed as failed:
            said = tail(self.estate.doors[self.door].log, 30)
            raise EstateFailed(f"{failed}\n{said}") from failed

    def start_door(self) -> None:
        self.gate.run(self.estate.doors[self.door].start)

    def back_up(self) -> None:
        """Copy the server's database while it runs."""
        source = f"file:{self.server_database}?mode=ro"
        with (
            closing(sqlite3.connect(source, uri=True)) as live,
            closing(sqlite3.connect(self.backup)) as copy,
        ):
            live.backup(copy)

    def restore(self) -> None:
        """Put the last backup in the place of a dead server's database, in a new epoch."""
        for trace in self.server_database.parent.glob("server.sqlite-*"):
            trace.unlink()
        self.server_database.write_bytes(self.backup.read_bytes())
        engine = open_database(f"sqlite:///{self.server_database}")
        LinkStore(engine, keep_acknowledged=timedelta(0)).renew_epoch()
        engine.dispose()

    def fill_disk(self) -> None:
        fill(self.disk)

    def free_disk(self) -> None:
        (self.disk / "filler").unlink(missing_ok=True)


@contextmanager
def far_estate(folder: Path, seed: int) -> Iterator[FarEstate]:
    """Set everything up, with one resident who has a face and a PIN."""
    people = {person.name: person for person in sample_people(load_pack(folder=default_folder()))}
    with ExitStack() as stack:
        cloud, server, gate = (stack.enter_context(Machine()) for _ in range(3))
        upper = stack.enter_context(Wire(cloud, server, 1, Random(seed)))
        lower = stack.enter_context(Wire(server, gate, 2, Random(seed + 1)))
        clocks = Clocks(folder / "clocks")
        disk = stack.enter_context(small_disk(folder / "disk", megabytes=DISK_MB))
        estate = stack.enter_context(
            LocalEstate(
                folder / "estate",
                lan=upper.addresses[0],
                server_host=lower.addresses[0],
                environment=clocks.environment,
            )
        )
        cloud.run(estate.start_cloud)
        server.run(estate.start_server)
        server.run(estate.set_up, "Far Court")
        relay = stack.enter_context(gate.run(Relay))
        feed = stack.enter_context(gate.run(CameraFeed))
        door = gate.run(
            estate.add_door,
            "Gate",
            feed.url,
            data=str(disk / "door"),
            gate="http",
            gate_url=relay.url,
            mode="local",
        )
        server.run(enroll, estate, people["Chen"], "resident")
        with server.run(estate.staff) as staff:
            (chen,) = server.run(staff.call, "GET", "people")
            issued = server.run(staff.call, "POST", f"people/{chen['person']}/pin")
        server.run(estate.await_door, door, people=1)
        far = FarEstate(
            estate,
            *(cloud, server, gate, upper, lower, clocks, disk, relay, feed, door),
            resident=people["Chen"],
            stranger=people["Bao"],
            unit=issued["unit"],
            pin=issued["pin"],
        )
        wait_for("the door to see", lambda: far.state().get("vision") == "")
        far.back_up()
        yield far
