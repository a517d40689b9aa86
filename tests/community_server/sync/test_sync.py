"""What another system says takes effect once, for its own ids alone, and can be rehearsed."""

import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.cards.tables import Card
from community_server.database import now
from community_server.households import leaving
from community_server.households.tables import Household, Residence
from community_server.people.routes import PersonChange, alter, details, listing
from community_server.people.service import issue_pin
from community_server.people.tables import Person
from community_server.staff.permissions import Permission
from community_server.staff.tokens import make_token
from community_server.sweeper import Sweeper
from community_server.sync import service
from community_server.sync.batch import MOST_ITEMS
from community_server.sync.people import GRACE_S
from tests.community_server.bench import STAFF, Bench
from tests.community_server.in_process import InProcess, code

WEEK = {
    "name": "",
    "hours": [{"days": ["monday", "tuesday"], "from": "07:00", "until": "19:00"}],
    "on_holidays": "closed",
}


class System(InProcess):
    """Another system: a token instead of a session, and how it calls things in this test."""

    def __init__(self, bench: Bench) -> None:
        with bench.estate.changer.change() as change:
            scopes = [Permission.SYNCHRONISE]
            self.token, secret = make_token(change, STAFF, "Property", scopes, now() + 3600)
        super().__init__(bench.estate, token=secret)
        self.own = secrets.token_hex(4)

    def put(self, path: str, **body: object) -> httpx.Response:
        return self._ask("PUT", f"{path}-{self.own}", body)

    def would_put(self, path: str, **body: object) -> httpx.Response:
        return self._ask("PUT", f"{path}-{self.own}", body, dry_run=True)

    def delete(self, path: str, *, dry_run: bool = False) -> httpx.Response:
        return self._ask("DELETE", f"{path}-{self.own}", None, dry_run=dry_run)

    def batch(self, *items: dict[str, object], dry_run: bool = False) -> list[dict[str, Any]]:
        answer = self._ask("POST", "batch", {"items": items}, dry_run=dry_run)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["results"]
        return found

    def id(self, name: str) -> str:
        """Return what this system calls a thing."""
        return f"{name}-{self.own}"

    def _ask(
        self, method: str, path: str, body: object, *, dry_run: bool = False
    ) -> httpx.Response:
        self.estate.programs._buckets.clear()
        query = {"dry_run": str(dry_run).lower()}
        address = f"/api/v1/sync/{path}"
        return self._runner.run(self._http.request(method, address, params=query, json=body))


@pytest.fixture
def system(bench: Bench) -> Iterator[System]:
    with System(bench) as system:
        yield system


def outcome(response: httpx.Response) -> tuple[str, list[str]]:
    assert response.status_code == 200, response.text
    return response.json()["outcome"], response.json()["changed"]


def rows(system: System) -> list[tuple[str, str]]:
    """Return what the audit log says of this system."""
    with system.estate.reading() as session:
        query = select(AuditRow.action, AuditRow.detail).where(AuditRow.staff_id == system.token)
        return [(action, detail) for action, detail in session.execute(query)]


def settle(system: System) -> dict[str, Any]:
    """Let somebody live in a unit of this system, by a group and a schedule of its own."""
    own = system.own
    system.put("households/H1", building=own, number="101")
    system.put("schedules/S1", **WEEK | {"name": f"Week {own}"})
    system.put("groups/G1", name=f"Group {own}", every_door=True, schedule=system.id("S1"))
    person = {
        "name": "张三",
        "household": system.id("H1"),
        "phone": "13800138000",
        "groups": [system.id("G1")],
    }
    assert outcome(system.put("people/P1", **person))[0] == "created"
    assert outcome(system.put("cards/C1", person=system.id("P1"), number=card(system)))[0] == (
        "created"
    )
    return person


def card(system: System, number: int = 0) -> str:
    return str(int(system.own, 16) + 2**32 * (number + 1))


def person_of(system: System, name: str = "P1") -> Person:
    with system.estate.reading() as session:
        return session.scalars(select(Person).where(Person.external_id == system.id(name))).one()


def test_the_same_word_twice_changes_nothing_and_says_so(system: System) -> None:
    person = settle(system)
    before = rows(system)
    with system.estate.reading() as session:
        versions = session.scalars(select(AuditRow.number)).all()
    for path, body in (
        ("households/H1", {"building": system.own, "number": "101"}),
        ("schedules/S1", WEEK | {"name": f"Week {system.own}"}),
        (
            "groups/G1",
            {"name": f"Group {system.own}", "every_door": True, "schedule": system.id("S1")},
        ),
        ("people/P1", person),
        ("cards/C1", {"person": system.id("P1"), "number": card(system)}),
    ):
        assert outcome(system.put(path, **body)) == ("unchanged", []), path
    assert rows(system) == before
    with system.estate.reading() as session:
        assert session.scalars(select(AuditRow.number)).all() == versions
    kinds = ["households", "schedules", "groups", "people", "cards"]
    assert before == [("sync-created", kind) for kind in kinds]


def test_what_differs_is_changed_and_named_and_what_is_left_out_stays(system: System) -> None:
    settle(system)
    with system.estate.changer.change() as change:
        pin = issue_pin(change, person_of(system).id)
    assert outcome(system.put("people/P1", name="张三丰", phone="")) == (
        "updated",
        ["name", "phone"],
    )
    known = details(system.estate, person_of(system).id)
    assert (known.name, known.phone) == ("张三丰", "")
    (shown,) = listing(system.estate, [person_of(system).id])
    assert shown.unit == f"{system.own}-101"
    assert len(shown.groups) == 1
    answer = system.put("households/H1", building=system.own, number="102")
    assert outcome(answer) == ("updated", ["building", "number"])
    moved = person_of(system)
    assert (moved.unit, bool(moved.pin_hash)) == (f"{system.own}-102", True)
    assert pin[1] == f"{system.own}-101"
    week = WEEK | {"name": f"Week {system.own}", "on_holidays": "usual"}
    assert outcome(system.put("schedules/S1", **week)) == ("updated", ["on_holidays"])
    group = {"name": f"Group {system.own}", "every_door": True}
    assert outcome(system.put("groups/G1", **group)) == ("updated", ["schedule"])
    changed = system.put("cards/C1", person=system.id("P1"), number=card(system, 1))
    assert outcome(changed) == ("updated", ["number"])
    with system.estate.reading() as session:
        held = session.scalars(select(Card).where(Card.person_id == moved.id)).all()
        assert [one.external_id for one in held] == [system.id("C1")]
    assert outcome(system.put("people/P1", name="张三丰", groups=[])) == ("updated", ["groups"])


def test_people_without_the_id_are_never_met_however_alike(bench: Bench, system: System) -> None:
    unit = f"{system.own}-7"
    _, neighbour = bench.invite(name="Ada", unit=unit)
    alter(system.estate, neighbour, PersonChange(phone="13800138000"), STAFF)
    before = listing(system.estate, [neighbour])
    answer = system.put("people/P9", name="Ada", unit=unit, phone="13800138000")
    assert outcome(answer)[0] == "created"
    assert answer.json()["id"] != neighbour
    system.put("people/P9", name="Eve", valid_until=1)
    system.delete("people/P9")
    assert listing(system.estate, [neighbour]) == before
    assert outcome(system.delete("people/P8")) == ("unchanged", [])


def test_a_unit_known_from_the_desk_takes_the_first_id_that_is_given_to_it(
    bench: Bench, system: System
) -> None:
    bench.invite(name="Ada", unit=f"{system.own}-7")
    unit = {"building": system.own, "number": "7"}
    assert outcome(system.put("households/H7", **unit)) == ("updated", ["external_id"])
    assert code(system.put("households/H8", **unit)) == "household-taken"
    system.put("households/H8", building=system.own, number="8")
    assert code(system.put("households/H8", **unit)) == "household-taken"


def test_whoever_is_removed_finds_doors_shut_at_once_and_is_erased_when_the_grace_is_over(
    system: System,
) -> None:
    settle(system)
    person = person_of(system).id
    moment = now()
    answer = system.delete("people/P1")
    assert outcome(answer) == ("leaving", ["valid_until"])
    assert moment + GRACE_S <= answer.json()["erased_at"] <= now() + GRACE_S
    assert 0 < person_of(system).valid_until <= now()
    again = system.delete("people/P1")
    assert outcome(again) == ("unchanged", [])
    assert again.json()["erased_at"] == answer.json()["erased_at"]
    assert code(system.delete("households/H1")) == "household-lived-in"
    with Session(system.estate.engine) as session, session.begin():
        session.get_one(Residence, person).moves_out = now()
    Sweeper.of(system.estate).sweep()
    assert listing(system.estate, [person]) == []
    for path in ("cards/C1", "people/P1"):
        assert outcome(system.delete(path)) == ("unchanged", [])
    for path in ("households/H1", "groups/G1", "schedules/S1"):
        assert outcome(system.delete(path)) == ("removed", [])
        assert outcome(system.delete(path)) == ("unchanged", [])


def test_the_same_person_named_again_in_time_stays_with_all_they_had(system: System) -> None:
    person = settle(system)
    with system.estate.changer.change() as change:
        issue_pin(change, person_of(system).id)
    before = person_of(system)
    system.delete("people/P1")
    assert outcome(system.put("people/P1", **person)) == ("updated", ["valid_until"])
    after = person_of(system)
    assert (after.id, after.pin_hash, after.valid_until) == (before.id, before.pin_hash, 0)
    (shown,) = listing(system.estate, [after.id])
    assert (shown.moves_out, shown.cards) == (0, 1)


def test_staff_take_back_what_another_system_removed_by_giving_more_time(system: System) -> None:
    settle(system)
    system.delete("people/P1")
    person = person_of(system).id
    alter(system.estate, person, PersonChange(valid_until=0), STAFF)
    (shown,) = listing(system.estate, [person])
    assert (shown.moves_out, shown.erased_then, shown.valid_until) == (0, False, 0)


def test_a_plan_of_the_staffs_is_not_undone_by_the_next_synchronisation(system: System) -> None:
    person, ends = settle(system), now() + 3600
    with system.estate.changer.change() as change:
        found = person_of(system).id
        leaving.move_out(change, system.estate.links, found, ends, erased=True)
    assert outcome(system.put("people/P1", **person)) == ("unchanged", [])
    (shown,) = listing(system.estate, [found])
    assert (shown.moves_out, shown.erased_then) == (ends, True)


def test_asking_beforehand_says_the_same_and_changes_nothing(system: System) -> None:
    settle(system)
    before = (rows(system), listing(system.estate))
    asked = system.would_put("people/P1", name="Eve", valid_until=0)
    assert outcome(asked) == ("updated", ["name"])
    assert outcome(system.would_put("people/P2", name="Bo", household=system.id("H1")))[0] == (
        "created"
    )
    assert outcome(system.delete("people/P1", dry_run=True))[0] == "leaving"
    batch: tuple[dict[str, object], ...] = (
        {
            "kind": "households",
            "external_id": system.id("H5"),
            "value": {"building": system.own, "number": "5"},
        },
        {
            "kind": "people",
            "external_id": system.id("P5"),
            "value": {"name": "Bo", "household": system.id("H5")},
        },
        {"kind": "people", "external_id": system.id("P1"), "remove": True},
    )
    expected = ["created", "created", "leaving"]
    assert [one["outcome"] for one in system.batch(*batch, dry_run=True)] == expected
    assert (rows(system), listing(system.estate)) == before
    assert [one["outcome"] for one in system.batch(*batch)] == expected


def test_a_batch_does_each_row_by_itself_and_says_what_was_wrong_with_the_others(
    system: System,
) -> None:
    home = {"building": system.own, "number": "3"}
    person = {"name": "Bo", "unit": f"{system.own}-3"}
    results = system.batch(
        {"kind": "households", "external_id": system.id("H3"), "value": home},
        {"kind": "people", "external_id": system.id("P3"), "value": person | {"phone": "ring"}},
        {"kind": "people", "external_id": system.id("P4"), "value": person | {"groups": ["none"]}},
        {"kind": "rockets", "external_id": "x"},
        {"kind": "people", "external_id": system.id("P5")},
        {"kind": "people", "external_id": system.id("P5"), "value": person, "remove": True},
        {"kind": "people", "external_id": system.id("P6"), "value": person},
    )
    assert [one["outcome"] for one in results] == ["created", *["refused"] * 5, "created"]
    errors = [(one["error"]["code"], one["error"]["field"]) for one in results if one["error"]]
    assert errors == [
        ("input-refused", "phone"),
        ("group-unknown", "groups"),
        ("input-refused", ""),
        ("value-missing", "value"),
        ("value-missing", "value"),
    ]
    assert all(one["error"]["message"] for one in results if one["error"])
    with system.estate.reading() as session:
        query = select(Person.external_id).where(Person.unit == f"{system.own}-3")
        assert session.scalars(query).all() == [system.id("P6")]


def test_a_batch_is_bounded_and_one_of_many_is_taken_whole(system: System) -> None:
    def row(number: int) -> dict[str, object]:
        value = {"building": f"{system.own}B", "number": f"{number}"}
        return {"kind": "households", "external_id": system.id(f"N{number}"), "value": value}

    refused = system._ask("POST", "batch", {"items": [row(n) for n in range(MOST_ITEMS + 1)]})
    assert refused.status_code == 422
    results = system.batch(*map(row, range(20)))
    assert {one["outcome"] for one in results} == {"created"}


@pytest.mark.parametrize(
    ("path", "body", "refusal"),
    [
        ("people/X", {"name": "Bo"}, "unit-missing"),
        ("people/X", {"name": "Bo", "household": "none"}, "household-unknown"),
        ("people/X", {"name": "Bo", "household": "a", "unit": "b"}, "input-refused"),
        ("people/X", {"name": "Bo", "unit": "1-1", "groups": ["none"]}, "group-unknown"),
        ("people/X", {"name": "Bo", "unit": "1-1", "groups": [99999]}, "group-unknown"),
        ("people/X", {"name": "Bo", "unit": "1-1", "valid_until": 1}, "time-over"),
        ("people/X", {"name": "", "unit": "1-1"}, "input-refused"),
        ("people/X", {"name": "Bo", "unit": "-"}, "unit-missing"),
        ("people/" + "X" * 64, {"name": "Bo", "unit": "1-1"}, "input-refused"),
        ("people/X%20Y", {"name": "Bo", "unit": "1-1"}, "input-refused"),
        ("people/X%00Y", {"name": "Bo", "unit": "1-1"}, "input-refused"),
        ("groups/X", {"name": "X", "schedule": "none"}, "schedule-unknown"),
        ("groups/X", {"name": "X", "doors": ["none"]}, "door-unknown"),
        ("schedules/X", {"name": "X", "hours": []}, "windows-missing"),
        ("cards/X", {"person": "none", "number": "1"}, "person-unknown"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code_and_leaves_nothing(
    system: System, path: str, body: dict[str, object], refusal: str
) -> None:
    before = (rows(system), len(listing(system.estate)))
    assert code(system.put(path, **body)) == refusal
    assert (rows(system), len(listing(system.estate))) == before


def test_a_card_of_the_desks_takes_the_id_and_one_of_somebody_elses_is_refused(
    system: System,
) -> None:
    settle(system)
    system.put("people/P2", name="Bo", household=system.id("H1"))
    assert code(system.put("cards/C2", person=system.id("P2"), number=card(system))) == "card-taken"
    assert outcome(system.put("cards/C1", person=system.id("P2"), number=card(system))) == (
        "updated",
        ["person"],
    )
    assert code(system.put("cards/C3", person=system.id("P2"), number=card(system))) == "card-taken"
    assert outcome(system.delete("cards/C1")) == ("removed", [])


def test_what_is_known_is_listed_by_the_other_systems_ids(system: System) -> None:
    settle(system)
    for kind, name in (("households", "H1"), ("people", "P1"), ("groups", "G1"), ("cards", "C1")):
        known = {one["external_id"]: one["id"] for one in system.call(f"sync/{kind}")}
        assert known[system.id(name)]


def test_a_household_whose_number_somebody_else_is_known_by_loses_its_pins(
    bench: Bench, system: System
) -> None:
    settle(system)
    with system.estate.changer.change() as change:
        issue_pin(change, person_of(system).id)
    bench.invite("visitor", name="Vi", unit=f"{system.own}-200")
    system.put("households/H1", building=system.own, number="200")
    assert person_of(system).pin_hash == ""
    with system.estate.reading() as session:
        query = select(Household.unit).where(Household.external_id == system.id("H1"))
        assert session.scalars(query).one() == f"{system.own}-200"


def test_a_failure_after_the_change_leaves_nothing_of_it(
    system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError

    with monkeypatch.context() as patched:
        patched.setattr(service, "audit", fail)
        with pytest.raises(RuntimeError):
            system.put("people/P1", name="Bo", unit=f"{system.own}-1")
    with system.estate.reading() as session:
        query = select(Household.id).where(Household.building == system.own)
        assert session.scalars(query).all() == []
    assert outcome(system.put("people/P1", name="Bo", unit=f"{system.own}-1"))[0] == "created"
