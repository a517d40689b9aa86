"""Somebody who was erased stays shut in PostgreSQL's log, its archive, a replica and base backups.

PostgreSQL goes on holding bytes of deleted rows: in its log, in every copy of it, and in backups.
What stands there is sealed, and the keys go. So each copy is searched for the sealed bytes, which
proves that they are there to be found, and every key that the server's vault still has is tried on
what a copy gives, brought back to the moment before the erasure.
"""

import json
import os
import shutil
import time
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
import pytest

from community_server.backups.commands import SECRET_VARIABLE
from community_server.intake.holding import enrollment_owner
from community_server.keys.named_secrets import secret_context
from community_server.people.particulars import owner
from community_server.sweeper import RENEWAL_EVERY
from community_server.vault.safe import SERVER
from face_engine.models import default_folder, load_pack
from face_engine.rotation import turn
from gatehouse.demo import submit_when_known
from gatehouse.enrollment_client import EnrollmentClient
from gatehouse.local_estate import LocalEstate, run_command, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.end_to_end.forms_of import phone_forms, photo_forms, template_forms, text_forms
from tests.end_to_end.keys_left import OUTBOX, Opened, Value, open_with_all, values_in
from tests.end_to_end.searching import files_with, needles
from tests.support.own_postgresql import OwnPostgresql, own_postgresql

pytestmark = pytest.mark.soak

NAME: Final = "Canary-4f8c1b7a-Kanarienvogel-九宫鸟"
PHONE: Final = "13900047211"
NEIGHBOR: Final = "Dora"
SWEEPS_SECONDS: Final = 150.0
"""Within which a server that sweeps every 15 s renews what is due."""


@dataclass
class Court:
    """An estate on a PostgreSQL of its own, with two doors, and the two people whom both hold."""

    estate: LocalEstate
    postgresql: OwnPostgresql
    near: str
    far: str
    sample: Mapping[str, SamplePerson]
    """Who they are in the sample photo."""
    database: str = "server"
    people: dict[str, str] = field(default_factory=dict)
    envelopes: dict[str, str] = field(default_factory=dict)
    sent: list[bytes] = field(default_factory=list)
    """What the browsers' part sent to the cloud."""

    @property
    def vault(self) -> Path:
        return self.estate.folder / "server" / "vault"

    def folder(self, door: str) -> Path:
        return self.estate.folder / f"door-{door}"

    def owners(self, name: str) -> tuple[str, str]:
        """Return whose data keys have sealed what there is of somebody."""
        return owner(self.people[name]), enrollment_owner(self.envelopes[name])

    def send(self, name: str) -> None:
        """Send somebody's photo as their phone would, and wait until it waits for the desk."""

        def keep(request: httpx.Request) -> None:
            if request.method == "PUT":
                self.sent.append(request.read())

        with (
            self.estate.staff() as staff,
            httpx.Client(trust_env=False, event_hooks={"request": [keep]}) as http,
        ):
            wanted = {"kind": "resident", "name": name, "unit": "1-101"}
            made = staff.call("POST", "invitations", wanted)
            client = EnrollmentClient(http)
            person = replace(self.sample[name], name=name)
            submission = submit_when_known(client, made["link"], person)
            assert next(client.replies(submission, seconds=60)).outcome == "received"
            self.people[name], self.envelopes[name] = made["person"], submission.envelope

    def approve(self) -> None:
        with self.estate.staff() as staff:
            for waiting in staff.call("GET", "approvals"):
                staff.call("POST", f"approvals/{waiting['id']}", {"decision": "approve"})
            staff.call("PATCH", f"people/{self.people[NAME]}", {"phone": PHONE})

    def listed(self) -> list[dict[str, Any]]:
        with self.estate.staff() as staff:
            rows: list[dict[str, Any]] = staff.call("GET", "people")
            return rows

    def live(self) -> set[Value]:
        """Return what the server's database holds now."""
        return set(values_in(self.postgresql.primary.address(self.database)))

    def at(self, base: Path, moment: str) -> set[Value]:
        """Return what it held at a named moment, from a base backup and the archived log."""
        with self.postgresql.recovered(base, moment) as copy:
            return set(values_in(copy.address("server")))

    def states(self) -> dict[str, str]:
        """Return how far the erasure has come, by door."""
        with self.estate.staff() as staff:
            (erasure,) = staff.call("GET", f"erasures?person={self.people[NAME]}")
        return {one["door"]: one["state"] for one in erasure["doors"]}

    def renew_erasure_key(self) -> None:
        """Let a day pass for the erasure key, and wait until the server has renewed it."""
        file = self.vault / "erasure.key"
        before = _generations(file)
        passed = time.time() - RENEWAL_EVERY - 60
        os.utime(file, (passed, passed))
        wait_for(
            "the older erasure key to go",
            lambda: len(now := _generations(file)) == 1 and now != before,
            SWEEPS_SECONDS,
        )


def _generations(file: Path) -> list[int]:
    return [one["generation"] for one in json.loads(file.read_text())["keys"]]


@pytest.fixture
def court(tmp_path: Path) -> Iterator[Court]:
    sample = {one.name: one for one in sample_people(load_pack(folder=default_folder()))}
    with own_postgresql() as postgresql:
        for name in ("cloud", "server", "restored"):
            postgresql.primary.ask(f"CREATE DATABASE {name}")
        address = postgresql.primary.address
        with LocalEstate(
            tmp_path / "estate",
            cloud_database=address("cloud"),
            server_database=address("server"),
        ) as estate:
            estate.start_cloud()
            estate.start_server()
            estate.set_up("Canary Court")
            near, far = (estate.add_door(name, "") for name in ("Near", "Far"))
            people = {NAME: sample["Chen"], NEIGHBOR: sample["Dora"]}
            yield Court(estate, postgresql, near, far, people)


def test_no_log_replica_base_backup_or_door_gives_back_who_was_erased(
    court: Court, tmp_path: Path
) -> None:
    taken = take_copies(court, tmp_path)
    wanted = find_everything(court, taken)
    plain = [form for forms in wanted.values() for form in forms]

    with court.estate.staff() as staff:
        staff.call("DELETE", f"people/{court.people[NAME]}")
    wait_for(
        "the near door to confirm",
        lambda: court.states() == {court.near: "confirmed", court.far: "waiting"},
    )
    # At once: no row gives them back, not even what waits for the door that is off.
    nothing_opens(open_with_all(court.vault, court.live()), wanted)
    # Within a day, with the erasure key renewed: no copy does either.
    court.renew_erasure_key()
    court.postgresql.write_out()
    left = open_with_all(court.vault, taken.values | court.live())
    assert left.contexts(court.owners(NAME)) == set()
    nothing_opens(left, wanted)
    assert holds(left, text_forms(NEIGHBOR)), "whoever lives has to be readable"
    everywhere = [court.postgresql.folder, tmp_path]
    assert files_with(plain, everywhere) == []
    # What stays shut is there: in the archive and the base backups, and in no table any more.
    for place in (court.postgresql.archive, *taken.bases):
        assert files_with(taken.sealed(court), [place])
    clusters = (court.postgresql.primary, court.postgresql.replica)
    keys = taken.sealed(court, "data-key")
    assert files_with(keys, [cluster.data / "base" for cluster in clusters]) == []

    court.estate.doors[court.far].start()
    wait_for("the far door to confirm", lambda: court.states()[court.far] == "confirmed")

    put_back(court, taken.last_week)
    assert [row["name"] for row in court.listed()] == [NEIGHBOR]
    for door in (court.near, court.far):
        assert court.estate.await_door(door, people=1)["people"] == 1
    nothing_opens(open_with_all(court.vault, court.live()), wanted)
    assert files_with(plain, [court.postgresql.archive, court.estate.folder]) == []


@dataclass(frozen=True)
class Taken:
    """Copies made before the erasure: base backups, our own backup, and all that was sealed."""

    bases: Sequence[Path]
    last_week: Path
    values: AbstractSet[Value]

    def sealed(self, court: Court, context: str = "") -> list[bytes]:
        """Return pieces of what was sealed under the person's keys, or of one context."""
        theirs = [one for one in self.values if one.owner in court.owners(NAME)]
        wanted = [one for one in theirs if context in ("", one.context)]
        return [piece for value in wanted for piece in needles(value.sealed)]


def take_copies(court: Court, folder: Path) -> Taken:
    """Enroll both; copy while the photo waits for the desk, and when the far door has gone off."""
    estate, postgresql = court.estate, court.postgresql
    court.send(NEIGHBOR)
    court.send(NAME)
    waiting = postgresql.base_backup("waiting")
    postgresql.primary.ask("SELECT pg_create_restore_point('waiting')")
    court.approve()
    for door in (court.near, court.far):
        estate.await_door(door, people=2)
    estate.doors[court.far].stop()
    # From here on news for the far door waits, with all that its roster says of them.
    with estate.staff() as staff:
        staff.call("POST", f"people/{court.people[NAME]}/pin")
    last_week = folder / "last-week"
    run_command(["server", "backup", str(last_week)], estate.server_environment)
    enrolled = postgresql.base_backup("enrolled")
    postgresql.primary.ask("SELECT pg_create_restore_point('enrolled')")
    postgresql.write_out()
    values = court.at(waiting, "waiting") | court.at(waiting, "enrolled")
    return Taken((waiting, enrolled), last_week, values)


def find_everything(court: Court, taken: Taken) -> dict[str, list[bytes]]:
    """Show that all of it is found where it lies, and opens with the vault as it is.

    Returns the forms of what could show or name the person.
    """
    opened = open_with_all(court.vault, taken.values)
    wanted = forms_of(court, opened)
    assert opened.contexts(court.owners(NAME)) >= {"photo/0", "waiting-template", "particulars"}
    for what, forms in wanted.items():
        assert holds(opened, forms), f"no {what} was found"
    assert holds(opened, wanted["template"], OUTBOX), "nothing waits for the door that is off"
    for place in places_of_copies(court):
        assert files_with(taken.sealed(court), [place]), f"nothing was found in {place}"
    # What passed through the cloud is in no log and no copy of its database, sealed or not.
    passed = [piece for one in court.sent for piece in needles(one)]
    assert files_with(passed, [court.postgresql.archive, *taken.bases]) == []
    return wanted


def nothing_opens(opened: Opened, wanted: Mapping[str, Sequence[bytes]]) -> None:
    for what, forms in wanted.items():
        assert not holds(opened, forms), f"the {what} can still be opened"


def put_back(court: Court, last_week: Path) -> None:
    """Lose the server, and put it back from last week's data with last week's keys."""
    estate = court.estate
    estate.server.stop()
    shutil.rmtree(estate.folder / "server")
    court.database = "restored"
    estate.server_database = court.postgresql.primary.address(court.database)
    (data,) = last_week.glob("data-*")
    secret = {SECRET_VARIABLE: estate.recovery_secret}
    said = run_command(["server", "restore", str(data)], {**estate.server_environment, **secret})
    assert "Restored: 2 people" in said
    estate.server.environment = estate.server_environment
    estate.start_server()
    with estate.staff() as staff:
        wait_for("the ledger", lambda: not staff.call("GET", "ledger")["waiting"])


def forms_of(court: Court, opened: Opened) -> dict[str, list[bytes]]:
    """Return the forms of all that could show or name the person, as opened values say."""
    (context,) = (one for one in opened.contexts([court.owners(NAME)[0]]) if "template/" in one)
    turned = np.frombuffer(opened.of(court.owners(NAME)[0])[context], "<f4")
    space = context.removeprefix("template/")
    matrix = np.frombuffer(opened.of(SERVER)[secret_context(f"matrix/{space}"[:64])], "<f4")
    plain = turn(turned, matrix.reshape(len(turned), len(turned)).T)
    return {
        "name": text_forms(NAME),
        "phone": phone_forms(PHONE),
        "template": [*template_forms(turned), *template_forms(plain)],
        "photo": photo_forms(court.sample[NAME].portrait),
    }


def holds(opened: Opened, forms: Sequence[bytes], owner: str = "") -> bool:
    """Say whether any opened value, or any of one owner's, holds any of the forms."""
    texts = [one for value, one in opened.plain.items() if owner in ("", value.owner)]
    return any(form in text for text in texts for form in forms)


def places_of_copies(court: Court) -> list[Path]:
    """Return wherever PostgreSQL keeps what it was told."""
    postgresql = court.postgresql
    return [
        postgresql.primary.data / "base",
        postgresql.primary.data / "pg_wal",
        postgresql.replica.data / "base",
        postgresql.replica.data / "pg_wal",
        postgresql.archive,
        postgresql.folder / "waiting" / "base",
        postgresql.folder / "enrolled" / "base",
    ]
