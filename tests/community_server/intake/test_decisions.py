"""The desk's decision enrolls or declines, answers, and destroys what waited."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from community_server.database import now
from community_server.errors import Conflict, NotFound
from community_server.estate import open_estate
from community_server.intake.approvals import Decision, list_waiting, show_photo
from community_server.intake.tables import Enrollment, PendingPhoto
from community_server.people.service import open_template
from community_server.people.tables import Person, Template
from community_server.settings import Settings
from community_server.sweeper import Sweeper
from community_server.vault.tables import DataKey
from face_engine.rotation import turn
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench, prepare
from tests.community_server.conftest import empty_database
from tests.community_server.traces import traces, traces_in_the_end
from tier_link.base64url import decode_base64url
from tier_link.envelopes import Particulars


def test_an_approved_resident_is_known_by_face_and_told_so(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    assert own.send(draft)[0].outcome == "received"
    with own.estate.reading() as session:
        (waiting,) = list_waiting(session, own.estate.safe)
        assert (waiting.known.name, waiting.unit, waiting.photos) == ("Ada", "1-101", 1)
        shown = show_photo(session, own.estate.safe, draft.envelope, 0)
    assert shown == people[0].portrait

    own.decide(draft.envelope, "approve")

    received, enrolled = own.replies(draft)
    assert (received.number, enrolled.number, enrolled.outcome) == (1, 2, "enrolled")
    assert len(own.estate.gallery) == 1
    with own.estate.reading() as session:
        row = session.get(Person, person)
        assert row is not None
        assert row.state == "active"
    with pytest.raises(Conflict, match="decided"):
        own.decide(draft.envelope, "decline")


def test_the_stored_template_is_turned_before_it_is_encrypted(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    own.send(draft)
    own.decide(draft.envelope, "approve")

    with own.estate.reading() as session:
        template = session.get(Template, person)
        assert template is not None
        opened = np.frombuffer(open_template(session, own.estate.safe, template), "<f4")
        assert bytes(opened) not in bytes(template.sealed)
    judge = own.estate.intake.judge
    judged = judge.judge(judge.look([people[0].portrait]), person)
    assert np.allclose(opened, judged.template, atol=1e-5)
    plain = turn(opened, own.estate.secrets.matrix.T)
    assert float(plain @ opened) < 0.9


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_no_trace_of_photo_or_waiting_template_outlives_the_decision(
    decision: Decision, own: Bench, people: Sequence[SamplePerson], tmp_path: Path
) -> None:
    portrait = people[0].portrait
    invitation, _ = own.invite("visitor", name="")
    draft = own.draft(invitation, [portrait], kind="visitor")
    canary = "Canary-Quetzal-7741"
    draft = type(draft)(**{**vars(draft), "particulars": Particulars(name=canary, phone="123456")})
    own.send(draft)
    with own.estate.reading() as session:
        sealed = bytes(session.scalars(sa.select(PendingPhoto.sealed)).one())
    assert traces(own.estate, tmp_path, [portrait[200:260], canary.encode()]) == []
    assert traces(own.estate, tmp_path, [sealed[500:560]]) != []

    own.decide(draft.envelope, decision)

    assert traces(own.estate, tmp_path, [portrait[200:260], canary.encode()]) == []
    assert traces_in_the_end(own.estate, tmp_path, [sealed[500:560]]) == []
    with own.estate.reading() as session:
        assert session.get(DataKey, f"enrollment:{draft.envelope}") is None
        with pytest.raises(NotFound):
            show_photo(session, own.estate.safe, draft.envelope, 0)


def test_a_declined_person_is_told_and_not_let_in(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    own.send(draft)

    own.decide(draft.envelope, "decline")

    last = own.replies(draft)[-1]
    assert (last.outcome, last.reason) == ("refused", "declined-by-desk")
    with own.estate.reading() as session:
        assert session.get(Template, person) is None
    assert len(own.estate.gallery) == 0


def test_whoever_wants_no_face_gets_a_pin(own: Bench) -> None:
    invitation, person = own.invite()
    draft = own.draft(invitation, ())
    draft = type(draft)(**{**vars(draft), "alternative": "pin", "consents": ()})
    assert own.send(draft)[0].outcome == "received"

    own.decide(draft.envelope, "approve")

    last = own.replies(draft)[-1]
    assert len(last.pin) == 6
    row = own.estate.book.find(person)
    assert row is not None
    assert row.roster.pin.startswith("$argon2id$")
    assert row.roster.template == b""
    # A pass for the phone comes with it, sealed: the doors have the phone's public key.
    secret = decode_base64url(last.qr_pass)
    assert secret[33:41].hex() == row.roster.pass_id
    assert row.roster.pass_key[1:] == secret[41:73]


def test_a_newcomer_who_resembles_somebody_is_let_in_by_pin_alone(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    first, elder = own.invite()
    draft = own.draft(first, [people[0].portrait])
    own.send(draft)
    own.decide(draft.envelope, "approve")
    second, newcomer = own.invite(name="Bao", unit="2-202")
    again = own.draft(second, [people[0].portrait])
    own.send(again)
    with own.estate.reading() as session:
        (waiting,) = list_waiting(session, own.estate.safe)
    assert (waiting.held_for, waiting.resembles) == ("resembles", elder)

    assert not own.decide(again.envelope, "approve")

    assert own.replies(again)[-1].pin
    assert len(own.estate.gallery) == 1
    with own.estate.reading() as session:
        assert session.get(Template, newcomer) is None


def test_of_two_alike_who_wait_together_the_second_approved_gets_a_pin(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    drafts, names = [], []
    for unit in ("1-101", "2-202"):
        invitation, person = own.invite(unit=unit)
        drafts.append(own.draft(invitation, [people[0].portrait]))
        names.append(person)
        own.send(drafts[-1])
    assert [own.decide(draft.envelope, "approve") for draft in drafts] == [True, False]
    assert [bool(own.replies(draft)[-1].pin) for draft in drafts] == [False, True]
    with own.estate.reading() as session:
        assert session.get(Template, names[1]) is None
        row = session.get(Enrollment, drafts[1].envelope)
        assert row is not None
        assert (row.held_for, row.resembles) == ("resembles", names[0])


def test_in_pin_mode_a_resident_is_enrolled_at_once_and_needs_the_pin_first(
    database: str, models: Path, tmp_path: Path, people: Sequence[SamplePerson]
) -> None:
    empty_database(database)
    settings = Settings(data=tmp_path, database=database, models=models, first_opening="pin")
    estate = open_estate(settings)
    prepare(estate)
    bench = Bench(estate)
    invitation, person = bench.invite()
    draft = bench.draft(invitation, [people[0].portrait])

    (reply,) = bench.send(draft)

    assert (reply.outcome, reply.pin) == ("enrolled", "")
    row = estate.book.find(person)
    assert row is not None
    assert row.roster.second_credential
    assert row.roster.template
    visitor, _ = bench.invite("visitor")
    visit = bench.draft(visitor, [people[1].portrait], kind="visitor")
    assert bench.send(visit)[0].outcome == "received"
    assert traces(estate, tmp_path, [people[0].portrait[200:260]]) == []
    estate.close()


def test_in_pin_mode_two_alike_who_come_in_one_batch_are_told_apart_by_the_desk(
    models: Path, tmp_path: Path, people: Sequence[SamplePerson]
) -> None:
    estate = open_estate(Settings(data=tmp_path, models=models, first_opening="pin"))
    prepare(estate)
    bench = Bench(estate)
    invited = [bench.invite(unit=unit) for unit in ("1-101", "2-202")]
    drafts = [bench.draft(invitation, [people[0].portrait]) for invitation, _ in invited]

    bench.deliver(*(draft.deposit() for draft in drafts))

    assert [bench.replies(draft)[-1].outcome for draft in drafts] == ["enrolled", "received"]
    with estate.reading() as session:
        (waiting,) = list_waiting(session, estate.safe)
    assert (waiting.held_for, waiting.resembles) == ("resembles", invited[0][1])
    estate.close()


def test_a_visitor_is_forgotten_once_the_window_is_over(
    own: Bench, people: Sequence[SamplePerson], tmp_path: Path
) -> None:
    invitation, person = own.invite("visitor", name="Canary-Visitor-55")
    draft = own.draft(invitation, [people[0].portrait], kind="visitor")
    own.send(draft)
    own.decide(draft.envelope, "approve")
    assert len(own.estate.gallery) == 1
    with own.estate.changer.change() as change:
        row = change.session.get(Person, person)
        assert row is not None
        row.valid_until = now() - 1
    with own.estate.reading() as session:
        sealed = bytes(session.scalars(sa.select(Template.sealed)).one())

    Sweeper.of(own.estate).sweep()

    assert len(own.estate.gallery) == 0
    assert own.estate.book.find(person) is None
    with own.estate.reading() as session:
        for table in (Person, Template, Enrollment):
            assert session.scalar(sa.select(sa.func.count()).select_from(table)) == 0
        assert session.get(DataKey, f"person:{person}") is None
    assert traces_in_the_end(own.estate, tmp_path, [sealed[20:80]]) == []
