"""Another system's companies of service workers: said whole, suspended, removed when unused."""

import secrets
from collections.abc import Iterator

import pytest

from community_server.people.particulars import Known
from community_server.people.tables import Person
from community_server.services.companies import suspend_company
from community_server.services.queries import find_company, suspended_with_company
from community_server.services.workers import add_worker
from tests.community_server.bench import Bench
from tests.community_server.in_process import code
from tests.community_server.sync.test_sync import System, outcome


@pytest.fixture
def system(bench: Bench) -> Iterator[System]:
    with System(bench) as system:
        yield system


@pytest.fixture
def name() -> str:
    return f"Swift {secrets.token_hex(3)}"


def worker_of(system: System, company: str) -> str:
    with system.estate.changer.change() as change:
        return add_worker(change, company, Known(name="Bo"))


def test_a_company_is_made_changed_and_named_and_the_same_word_twice_changes_nothing(
    system: System, name: str
) -> None:
    assert outcome(system.put("groups/G1", name=f"{name} doors", every_door=True)) == (
        "created",
        [],
    )
    said = {"name": name, "kind": "courier", "group": system.id("G1"), "contact": "Li 138"}
    made = system.put("companies/C1", **said)
    assert outcome(made) == ("created", [])
    assert outcome(system.put("companies/C1", **said)) == ("unchanged", [])
    changed = system.put("companies/C1", **said | {"allowed_min": 30, "contact": ""})
    assert outcome(changed) == ("updated", ["allowed_min", "contact"])
    with system.estate.reading() as session:
        known = find_company(session, system.estate.safe, made.json()["id"])
    assert (known.name, known.allowed_min, known.contact) == (name, 30, "")
    assert known.group != 0


def test_its_suspension_shuts_its_workers_out_until_it_is_lifted(system: System, name: str) -> None:
    company = system.put("companies/C1", name=name).json()["id"]
    worker = worker_of(system, company)

    def shut_out() -> bool:
        with system.estate.reading() as session:
            return bool(suspended_with_company(session, worker))

    assert outcome(system.put("companies/C1", name=name, suspended=True)) == (
        "updated",
        ["suspended"],
    )
    assert shut_out()
    assert outcome(system.put("companies/C1", name=name)) == ("unchanged", [])
    assert shut_out()
    assert outcome(system.put("companies/C1", name=name, suspended=False))[0] == "updated"
    assert not shut_out()
    with system.estate.changer.change() as change:  # staff have their own reasons
        suspend_company(change, company, suspended=True)
    assert outcome(system.put("companies/C1", name=name)) == ("unchanged", [])
    assert shut_out()


def test_it_is_removed_once_nobody_comes_for_it(system: System, name: str) -> None:
    company = system.put("companies/C1", name=name).json()["id"]
    worker = worker_of(system, company)
    assert code(system.delete("companies/C1")) == "company-used"
    with system.estate.changer.change() as change:
        change.session.delete(change.session.get_one(Person, worker))
    assert outcome(system.delete("companies/C1")) == ("removed", [])
    assert outcome(system.delete("companies/C1")) == ("unchanged", [])


def test_what_cannot_be_is_refused(system: System, name: str) -> None:
    system.put("companies/C1", name=name)
    assert code(system.put("companies/C2", name=name)) == "name-taken"
    assert code(system.put("companies/C2", name=f"{name} two", group="none")) == "group-unknown"
    assert code(system.put("companies/C2", name=f"{name} two", kind="pirates")) == "input-refused"
    (row,) = system.batch(
        {"kind": "companies", "external_id": system.id("C3"), "value": {"name": f"{name} three"}}
    )
    assert row["outcome"] == "created"
    assert {"external_id": system.id("C3"), "id": row["id"]} in system.call("sync/companies")


def test_a_workers_own_id_is_no_residents(system: System, name: str) -> None:
    worker = worker_of(system, system.put("companies/C1", name=name).json()["id"])
    with system.estate.changer.change() as change:
        change.session.get_one(Person, worker).external_id = system.id("W1")
    refused = system.put("people/W1", name="Bo", unit="7-7")
    assert code(refused) == "external-id-taken"
    assert outcome(system.delete("people/W1")) == ("unchanged", [])
