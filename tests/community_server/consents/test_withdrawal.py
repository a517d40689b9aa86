"""Consent is withdrawn as easily as it is given: the face goes at once, a PIN takes its place."""

import secrets
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from sqlalchemy import select

from community_server.audit.tables import AuditRow
from community_server.cards.routes import new_card
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import add_person, issue_pin, store_template, suspend_person
from community_server.people.tables import Template
from community_server.sweeper import Sweeper
from tests.community_server.bench import STAFF, Bench
from tests.community_server.in_process import InProcess, code
from tests.community_server.receipts.gate import Gate
from tests.community_server.receipts.reading import fingerprint
from tests.community_server.visits.bench import VisitBench
from tier_link.receipts import Erased, open_receipt
from tier_link.visits import Look, WithdrawFace

AddFace = Callable[..., str]


@pytest.fixture
def visits(bench: Bench) -> Iterator[VisitBench]:
    home = VisitBench(bench)
    yield home
    home.clear()


@pytest.fixture
def add(visits: VisitBench) -> AddFace:
    """Add a resident with a face and nothing else."""

    def add_resident(*, unit: str = "", category: str = "resident") -> str:
        estate = visits.bench.estate
        with estate.changer.change() as change:
            unit = unit or f"unit-{secrets.token_hex(3)}"
            row = add_person(change, category=category, unit=unit, known=Known(name="Ada"))
            vector = np.random.default_rng(secrets.randbits(32)).standard_normal(128)
            face = (vector / np.linalg.norm(vector)).astype(np.float32)
            store_template(change, row, estate.pack.template_space, face, photos=3)
            return row.id

    return add_resident


def pinned(bench: Bench, person: str) -> str:
    with bench.estate.reading() as session:
        return get_person(session, person).pin_hash


def has_template(bench: Bench, person: str) -> bool:
    with bench.estate.reading() as session:
        return session.get(Template, person) is not None


def test_a_resident_withdraws_on_their_own_page_and_gets_a_pin_in_the_sealed_answer(
    visits: VisitBench, add: AddFace
) -> None:
    bench, gate = visits.bench, Gate.paired(visits.bench, "Gate")
    person = add(unit="3-1-502")
    gate.take()
    page = visits.page(person)
    before = visits.say(page, Look())
    assert before.home is not None
    assert before.home.face

    answer = visits.say(page, WithdrawFace())

    assert (answer.outcome, answer.unit, len(answer.pin)) == ("done", "3-1-502", 6)
    assert answer.home is not None
    assert not answer.home.face
    assert not has_template(bench, person)
    gate.take()  # one message takes the face away and brings the PIN
    assert gate.people is not None
    held = gate.people[person]
    assert held.template == b""
    assert held.pin.startswith("$argon2id$")
    assert not held.second_credential
    with bench.estate.reading() as session:
        row = session.scalars(select(AuditRow).where(AuditRow.subject == person)).all()[-1]
    assert (row.action, row.detail, row.staff_id) == ("withdraw-face", "page", "")


def test_the_receipt_comes_to_the_page_once_the_doors_were_heard(
    visits: VisitBench, add: AddFace
) -> None:
    bench, gate = visits.bench, Gate.paired(visits.bench, "Gate")
    person = add()
    gate.take()
    page = visits.page(person)
    watching = visits.seal(page, Look())
    bench.deliver(watching.deposit)
    visits.say(page, WithdrawFace())
    gate.take()
    gate.show()
    Sweeper.of(bench.estate).sweep()

    home = visits.answers(watching)[-1].home
    assert home is not None
    stated = open_receipt(home.receipt.encode(), fingerprint(bench)).receipt.stated
    assert isinstance(stated, Erased)
    assert (stated.person, stated.kept, stated.complete) == (person, "face", True)


def test_whoever_has_a_pin_or_a_card_keeps_it_and_is_given_nothing_new(
    visits: VisitBench, add: AddFace
) -> None:
    bench, with_pin, with_card = visits.bench, add(), add()
    with bench.estate.changer.change() as change:
        issue_pin(change, with_pin)
    new_card(bench.estate, with_card, "0012349999", STAFF)
    before = pinned(bench, with_pin)
    for person in (with_pin, with_card):
        answer = visits.say(visits.page(person), WithdrawFace())
        assert (answer.outcome, answer.pin) == ("done", "")
    assert pinned(bench, with_pin) == before
    assert pinned(bench, with_card) == ""


def test_staff_who_closed_the_doors_to_somebody_do_not_keep_their_face(
    visits: VisitBench, add: AddFace
) -> None:
    person = add()
    page = visits.page(person)
    with visits.bench.estate.changer.change() as change:
        suspend_person(change, person, suspended=True)
    assert visits.say(page, Look()).reason == "host-shut-out"
    assert visits.say(page, WithdrawFace()).outcome == "done"
    assert not has_template(visits.bench, person)
    assert visits.say(page, WithdrawFace()).reason == "no-face"


def test_a_withdrawal_that_comes_twice_makes_one_pin_and_a_withdrawn_page_makes_none(
    visits: VisitBench, add: AddFace
) -> None:
    bench, person, other = visits.bench, add(), add()
    page = visits.page(person)
    sent = visits.seal(page, WithdrawFace())
    bench.deliver(sent.deposit)
    first = pinned(bench, person)
    bench.deliver(sent.deposit)
    assert pinned(bench, person) == first
    assert {answer.pin for answer in visits.answers(sent)} == {visits.answers(sent)[0].pin}
    old = visits.page(other)
    visits.page(other)
    assert visits.say(old, WithdrawFace()).reason == "link-withdrawn"
    assert has_template(bench, other)


def test_a_poster_and_anothers_page_take_nobodys_face(visits: VisitBench, add: AddFace) -> None:
    person = add()
    assert visits.say(visits.poster(visits.door()), WithdrawFace()).reason == "link-wrong"
    page = visits.page(person)
    forged = visits.seal(page, WithdrawFace(), auth=secrets.token_bytes(32))
    visits.bench.deliver(forged.deposit)
    assert visits.answers(forged) == []
    assert has_template(visits.bench, person)


def test_at_the_desk_it_takes_one_step_and_shows_the_pin_once(
    visits: VisitBench, add: AddFace
) -> None:
    bench, person = visits.bench, add(unit="7-1-101")
    with InProcess(bench.estate) as desk:
        assert 'data-testid="withdraw-face"' in desk.get(f"/people/{person}").text
        shown = desk.submit(f"/people/{person}/face/withdrawal").text
        assert 'data-testid="pin"' in shown
        assert "7-1-101" in shown
        assert "The face is erased." in shown
        again = desk.get(f"/people/{person}").text
        assert 'data-testid="pin"' not in again
        assert 'data-testid="withdraw-face"' not in again
        refused = desk.submit(f"/people/{person}/face/withdrawal")
        assert refused.status_code == 409
        assert code(desk.get("/api/v1/people/" + "0" * 32 + "/consents")) == "person-unknown"
    with bench.estate.reading() as session:
        rows = session.scalars(select(AuditRow).where(AuditRow.subject == person)).all()
    assert ("withdraw-face", "desk") in {(row.action, row.detail) for row in rows}


def test_somebody_without_a_unit_is_not_kept_from_withdrawing(
    visits: VisitBench, add: AddFace
) -> None:
    person = add(category="service")
    with visits.bench.estate.changer.change() as change:
        get_person(change.session, person, lock=True).unit = ""
    with InProcess(visits.bench.estate) as desk:
        shown = desk.submit(f"/people/{person}/face/withdrawal").text
    assert "The face is erased." in shown
    assert not has_template(visits.bench, person)
