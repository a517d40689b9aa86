"""An erasure is complete when every door that held the person has shown that it does no more."""

import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.doors.service import revoke_door
from community_server.erasure import remove_person
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import add_person, forget_face, issue_pin, store_template
from community_server.receipts import settling
from community_server.receipts.queries import ShownErasure, list_erasures
from community_server.receipts.settling import MARGIN_S
from community_server.receipts.tables import Erasure, ErasureDoor
from community_server.sweeper import Sweeper
from tests.community_server.bench import Bench
from tests.community_server.in_process import InProcess, code
from tests.community_server.receipts.gate import Gate
from tests.community_server.receipts.reading import fingerprint
from tier_link.receipts import Erased, open_receipt

DAY = 24 * 3600
AddPerson = Callable[..., str]


pytestmark = pytest.mark.usefixtures("gates")


@pytest.fixture
def gates(bench: Bench) -> Iterator[tuple[Gate, Gate]]:
    """Two doors that hold all that they were told; nobody's erasure is under way."""
    both = (Gate.paired(bench, f"A {secrets.token_hex(3)}"), Gate.paired(bench, "B"))
    yield both
    with Session(bench.estate.engine) as session, session.begin():
        session.execute(sa.delete(ErasureDoor))
        session.execute(sa.delete(Erasure))
    for gate in both:
        with bench.estate.changer.change() as change:
            revoke_door(change, bench.estate.links, gate.door)


@pytest.fixture
def add(bench: Bench, gates: tuple[Gate, Gate]) -> AddPerson:
    """Add somebody with a face and a PIN, whom the doors know."""

    def add_somebody(category: str = "resident", doors: tuple[str, ...] = ()) -> str:
        with bench.estate.changer.change() as change:
            row = add_person(
                change,
                category=category,
                unit=f"unit-{secrets.token_hex(3)}",
                known=Known(name="Canary-Ibis-5521", phone="13955512345"),
                doors=doors,
            )
            vector = np.random.default_rng(secrets.randbits(32)).standard_normal(128)
            face = (vector / np.linalg.norm(vector)).astype(np.float32)
            store_template(change, row, bench.estate.pack.template_space, face, photos=1)
            issue_pin(change, row.id)
            person = row.id
        for gate in gates:
            gate.take()
        return person

    return add_somebody


def erase(bench: Bench, person: str) -> None:
    with bench.estate.changer.change() as change:
        remove_person(change, bench.estate.links, person)


def sweep(bench: Bench) -> None:
    Sweeper.of(bench.estate).sweep()


def erasure_of(bench: Bench, person: str) -> ShownErasure:
    with bench.estate.reading() as session:
        (found,) = list_erasures(session, 10, person)
    return found


def states(bench: Bench, person: str) -> dict[str, str]:
    return {door.door: door.state for door in erasure_of(bench, person).doors}


def receipt_of(bench: Bench, person: str) -> Erased:
    with bench.estate.reading() as session:
        block = session.scalars(sa.select(Erasure.receipt).where(Erasure.person_id == person)).one()
    stated = open_receipt(block.encode(), fingerprint(bench)).receipt.stated
    assert isinstance(stated, Erased)
    return stated


def test_it_is_complete_once_every_door_has_shown_its_roster_and_no_sooner(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    first, second = gates
    person = add()
    for gate in gates:
        gate.show()
    erase(bench, person)
    sweep(bench)
    # What both showed a moment ago is from before.
    assert states(bench, person) == {first.door: "waiting", second.door: "waiting"}
    for gate in gates:
        gate.show()  # still the roster that holds the person
    first.take()
    first.show()
    sweep(bench)
    assert states(bench, person) == {first.door: "confirmed", second.door: "waiting"}
    assert erasure_of(bench, person).settled_at == 0

    second.take()
    second.show()
    sweep(bench)
    receipt = receipt_of(bench, person)
    assert receipt.complete
    assert {door.door: door.state for door in receipt.doors} == dict.fromkeys(
        (first.door, second.door), "confirmed"
    )
    assert (receipt.person, receipt.kept) == (person, "person")
    assert receipt.template_space == bench.estate.pack.template_space
    assert receipt.backup_days == bench.estate.settings.backup_days == 7
    sweep(bench)
    assert receipt_of(bench, person) == receipt  # stated once


def test_a_door_that_says_so_with_another_roster_has_confirmed_nothing(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    first, _ = gates
    person = add(doors=(first.door,))
    held = dict(first.people or {})
    erase(bench, person)
    first.take()
    first.people = held  # it counts on, and still holds the person
    first.show()
    sweep(bench)
    assert states(bench, person)[first.door] == "waiting"


def test_only_doors_that_held_the_person_or_may_have_are_waited_for(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    first, second = gates
    person = add(doors=(first.door,))
    erase(bench, person)
    assert states(bench, person) == {first.door: "waiting"}
    # One that has not taken all its news yet may hold somebody who left its roster long ago.
    other = add()
    second.take()
    late = add(doors=(first.door,))
    erase(bench, other)
    erase(bench, late)
    assert set(states(bench, late)) == {first.door, second.door}


def test_a_door_whose_lease_ran_out_unheard_is_stated_as_such_and_never_as_confirmed(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    first, second = gates
    person = add()
    erase(bench, person)
    first.take()
    first.show()
    lease = bench.estate.configurer.leases.resident * 3600
    second.heard_at(now() - lease)  # a note may be minutes old
    sweep(bench)
    assert states(bench, person)[second.door] == "waiting"
    second.heard_at(now() - lease - MARGIN_S)
    sweep(bench)
    receipt = receipt_of(bench, person)
    assert receipt.complete
    assert {one.door: one.state for one in receipt.doors} == {
        first.door: "confirmed",
        second.door: "lease-ended",
    }
    # What it shows once it is back does not change what was stated.
    second.take()
    second.show()
    sweep(bench)
    assert states(bench, person)[second.door] == "lease-ended"


def test_leases_are_graded_as_the_doors_grade_them(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    resident, visitor = add(), add("visitor")
    erase(bench, resident)
    erase(bench, visitor)
    for gate in gates:
        gate.heard_at(now() - 13 * 3600)
    sweep(bench)
    assert set(states(bench, visitor).values()) == {"lease-ended"}
    assert set(states(bench, resident).values()) == {"waiting"}


def test_another_terminal_in_a_doors_place_says_nothing_about_the_first(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    first, _ = gates
    person = add(doors=(first.door,))
    erase(bench, person)
    first.replace_terminal()
    first.take()
    first.show()
    first.heard_at(now() - 60 * DAY)  # of the new one, which is no matter
    sweep(bench)
    assert states(bench, person)[first.door] == "waiting"


def test_a_revoked_door_is_given_up_when_its_lease_is_over(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    first, _ = gates
    person = add(doors=(first.door,))
    erase(bench, person)
    first.heard_at(now())
    with bench.estate.changer.change() as change:
        revoke_door(change, bench.estate.links, first.door)
    sweep(bench)
    assert states(bench, person)[first.door] == "waiting"
    first.heard_at(now() - 8 * DAY)
    sweep(bench)
    assert states(bench, person)[first.door] == "lease-ended"


def test_a_face_alone_that_is_taken_away_is_heard_of_at_every_door(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    person = add()
    with bench.estate.changer.change() as change:
        forget_face(change, get_person(change.session, person, lock=True))
    for gate in gates:
        gate.show()
    sweep(bench)
    assert set(states(bench, person).values()) == {"waiting"}
    for gate in gates:
        gate.take()
        assert gate.people is not None
        assert gate.people[person].template == b""
        gate.show()
    sweep(bench)
    receipt = receipt_of(bench, person)
    assert receipt.complete
    assert receipt.kept == "face"


def test_somebody_whom_no_door_held_is_signed_for_at_once(bench: Bench) -> None:
    _, person = bench.invite()
    erase(bench, person)
    sweep(bench)
    receipt = receipt_of(bench, person)
    assert (receipt.doors, receipt.template_space) == ((), "")


def test_the_receipt_reaches_whoever_enrolled_sealed_where_the_cloud_still_takes_it(
    bench: Bench, gates: tuple[Gate, Gate]
) -> None:
    invitation, person = bench.invite()
    draft = replace(bench.draft(invitation, ()), alternative="pin", consents=())
    bench.send(draft)
    bench.decide(draft.envelope, "approve")
    before = len(bench.replies(draft))
    erase(bench, person)
    for gate in gates:
        gate.take()
        gate.show()
    assert len(bench.replies(draft)) == before
    sweep(bench)
    last = bench.replies(draft)[-1]
    assert (last.number, last.outcome) == (before + 1, "erased")
    stated = open_receipt(last.receipt.encode(), fingerprint(bench)).receipt.stated
    assert stated == receipt_of(bench, person)
    with bench.estate.reading() as session:
        (row,) = session.scalars(sa.select(Erasure).where(Erasure.person_id == person))
        assert (row.envelope, row.reply_key) == ("", None)
    sweep(bench)
    assert len(bench.replies(draft)) == before + 1


def test_what_is_kept_of_an_erasure_names_nobody(bench: Bench, add: AddPerson) -> None:
    person = add()
    erase(bench, person)
    with bench.estate.reading() as session:
        rows = [
            *session.execute(sa.select(*Erasure.__table__.columns)),
            *session.execute(sa.select(*ErasureDoor.__table__.columns)),
        ]
    text = repr(rows)
    assert person in text
    for word in ("Canary", "13955512345", "unit-"):
        assert word not in text


def test_receipts_are_kept_for_years_visitors_for_months(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    people = {"resident": add(), "visitor": add("visitor")}
    for person in people.values():
        erase(bench, person)
    with bench.estate.changer.change() as change:
        assert settling.forget_erasures(change, now() + 9 * 365 * DAY) == 0  # not before the end
    for gate in gates:
        gate.take()
        gate.show()
    sweep(bench)
    with bench.estate.changer.change() as change:
        assert settling.forget_erasures(change, now() + 89 * DAY) == 0
        assert settling.forget_erasures(change, now() + 91 * DAY) == 1
        assert settling.forget_erasures(change, now() + 3 * 365 * DAY + 60) == 1
        assert change.session.scalars(sa.select(ErasureDoor)).all() == []


def test_the_desk_prints_a_receipt_also_of_how_far_it_has_come(
    bench: Bench, gates: tuple[Gate, Gate], add: AddPerson
) -> None:
    first, second = gates
    person = add()
    erase(bench, person)
    first.take()
    first.show()
    sweep(bench)
    with InProcess(bench.estate) as desk:
        (listed,) = desk.call("erasures", person=person)
        assert {door["door"]: door["state"] for door in listed["doors"]} == {
            first.door: "confirmed",
            second.door: "waiting",
        }
        page = desk.get("/erasures").text
        assert f'data-testid="receipt-{person}"' in page
        path = f"/erasures/{listed['erasure']}/receipt"
        so_far = desk.get(path)
        assert "attachment" in so_far.headers["content-disposition"]
        assert "The erasure is not complete yet." in so_far.text
        stated = open_receipt(so_far.content, fingerprint(bench)).receipt.stated
        assert isinstance(stated, Erased)
        assert not stated.complete
        second.take()
        second.show()
        sweep(bench)
        whole = desk.get(f"/api/v1{path}", language="zh-CN")
        assert "已确认" in whole.text
        assert open_receipt(whole.content).receipt.stated == receipt_of(bench, person)
        assert code(desk.get("/api/v1/erasures/" + "0" * 32 + "/receipt")) == "erasure-unknown"


def test_a_change_that_fails_erases_and_states_nothing(bench: Bench, add: AddPerson) -> None:
    person = add()

    def fail() -> None:
        with bench.estate.changer.change() as change:
            remove_person(change, bench.estate.links, person)
            raise RuntimeError("power cut")

    with pytest.raises(RuntimeError):
        fail()
    with bench.estate.reading() as session:
        assert list_erasures(session, 10, person) == []
