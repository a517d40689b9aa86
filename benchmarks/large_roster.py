"""Ten thousand people at one door: how they get there, and how soon a change does.

Real server and door processes, 128-dimensional templates drawn at random, no camera. CPU time is
the kernel's account of each process, from the start of the door to the moment at which it says that
it holds everybody; that of a door and server with nobody is taken off.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
from sqlalchemy.orm import Session

from benchmarks.crowd import fill
from benchmarks.figures import Figure
from community_server.settings import Settings
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import choose_source
from community_server.vault.safe import Safe
from face_engine.models import load_pack
from gatehouse.local_estate import LocalEstate, TierProcess, wait_for
from tier_link.store import open_database

PEOPLE: Final = 10_000
CHANGES: Final = 20


def run() -> list[Figure]:
    """Fill an empty door and a full one, then change people at the full one."""
    with tempfile.TemporaryDirectory() as folder, LocalEstate(Path(folder)) as estate:
        estate.start_cloud()
        estate.start_server()
        estate.set_up("Bench Court")
        nobody = _filled(estate, 0)
        estate.server.stop()
        _settle(estate)
        estate.start_server()
        everybody = _filled(estate, PEOPLE)
        return [
            *(
                Figure(
                    f"{PEOPLE:,} people to a fresh door: {what}",
                    full - empty,
                    "s",
                    1,
                    note=f"{full:.1f} s, less {empty:.1f} s with nobody",
                )
                for what, full, empty in zip(
                    ("time passed", "CPU at the server", "CPU at the door"),
                    everybody,
                    nobody,
                    strict=True,
                )
            ),
            *_changes(estate, list(estate.doors)[-1]),
        ]


def _settle(estate: LocalEstate) -> None:
    """Put the people into the stopped server's own store."""
    settings = Settings(data=estate.folder / "server")
    vault = settings.data / "vault"
    keys = open_erasure_keys(vault / "erasure.key", choose_source(settings.master_key, vault))
    engine = open_database(settings.database_url)
    with Session(engine) as session, session.begin():
        for _ in range(PEOPLE // 1000):
            fill(session, Safe(keys), 1000, load_pack().template_space)
    engine.dispose()


def _filled(estate: LocalEstate, people: int) -> tuple[float, float, float]:
    """Pair and start a door; return the seconds until it holds everybody, and CPU at both ends."""
    before, began = _cpu(estate.server), time.monotonic()
    door = estate.add_door(f"Gate for {people}", "", gate="simulated")
    with httpx.Client(trust_env=False) as http:
        wait_for("everybody at the door", lambda: _state(estate, http, door)["people"] >= people)
        wait_for("the door's link", lambda: _state(estate, http, door)["link"])
    passed = time.monotonic() - began
    return passed, _cpu(estate.server) - before, _cpu(estate.doors[door])


def _changes(estate: LocalEstate, door: str) -> Iterator[Figure]:
    spans: dict[str, list[float]] = {"suspended": [], "deleted": []}
    with estate.staff() as staff, httpx.Client(trust_env=False) as http:
        people = [row["person"] for row in staff.call("GET", "people")[:CHANGES]]
        for what, method, body in (
            ("suspended", "PATCH", {"suspended": True}),
            ("deleted", "DELETE", None),
        ):
            for person in people:
                version = _state(estate, http, door)["roster_version"]
                start = time.monotonic()
                staff.call(method, f"people/{person}", body)
                heard = partial(_has_heard, estate, http, door, version)
                wait_for("the door to hear", heard)
                spans[what].append(time.monotonic() - start)
    for what, seconds in spans.items():
        yield Figure(
            f"one of {PEOPLE:,} people {what} at the desk, to the connected door that holds it",
            statistics.median(seconds),
            "s",
            len(seconds),
            note=f"longest {max(seconds):.2f} s; HTTPS call, transactions, link; seen every 50 ms",
        )


def _has_heard(estate: LocalEstate, http: httpx.Client, door: str, version: int) -> bool:
    return bool(_state(estate, http, door)["roster_version"] > version)


def _state(estate: LocalEstate, http: httpx.Client, door: str) -> Any:
    try:
        return http.get(f"http://127.0.0.1:{estate.door_ports[door]}/state").json()
    except httpx.TransportError:
        return {"people": -1, "link": False}


def _cpu(tier: TierProcess) -> float:
    if tier.process is None:
        raise RuntimeError("a process is not running")
    times = psutil.Process(tier.process.pid).cpu_times()
    return float(times.user + times.system)
