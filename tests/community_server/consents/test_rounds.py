"""When a text changes people are asked anew, and without an answer a face stops, never silently."""

import hashlib
import secrets
from collections.abc import Iterator

import msgspec
import numpy as np
import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.consents.outdated import list_outdated, texts_today
from community_server.consents.rounds import begin_round
from community_server.consents.tables import ConsentRound
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused
from community_server.intake.tables import ConsentGiven, Enrollment
from community_server.messages.service import open_letter
from community_server.messages.tables import OutgoingMessage
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import add_person, store_template
from community_server.people.tables import Template
from community_server.sweeper import Sweeper
from community_server.visits.visiting import Visiting
from tests.community_server.bench import STAFF, Bench
from tests.community_server.in_process import InProcess
from tests.community_server.visits.bench import VisitBench
from tier_link.envelopes import GivenConsent
from tier_link.visits import ConfirmConsents, Look

OLD = "0" * 64
DAY = 24 * 3600


@pytest.fixture
def visits(bench: Bench) -> Iterator[VisitBench]:
    home = VisitBench(bench)
    home.clear()
    yield home
    home.clear()
    with Session(bench.estate.engine) as session, session.begin():
        session.execute(delete(ConsentRound))


def today(language: str = "en") -> tuple[GivenConsent, ...]:
    return tuple(
        GivenConsent(
            text.id, text.version, text.language, hashlib.sha256(text.text.encode()).hexdigest()
        )
        for text in texts_today().at_home
        if text.language == language
    )


def enroll(bench: Bench, *, agreed: bool, category: str = "resident", phone: str = "") -> str:
    """Add somebody with a face, who agreed to today's texts or to those of before."""
    with bench.estate.changer.change() as change:
        unit = f"unit-{secrets.token_hex(3)}"
        row = add_person(change, category=category, unit=unit, known=Known(name="Ada", phone=phone))
        vector = np.random.default_rng(secrets.randbits(32)).standard_normal(128)
        face = (vector / np.linalg.norm(vector)).astype(np.float32)
        store_template(change, row, bench.estate.pack.template_space, face, photos=3)
        envelope = new_id()
        change.session.add(
            Enrollment(
                id=envelope,
                person_id=row.id,
                kind="resident",
                state="enrolled",
                sealed_by="browser",
                language="en",
                received_at=now() - 9 * DAY,
                reply_key=b"",
            )
        )
        change.session.flush()
        change.session.add_all(
            ConsentGiven(
                enrollment_id=envelope,
                consent=one.id,
                version=one.version if agreed else "2026-01",
                language=one.language,
                sha256=one.sha256 if agreed else OLD,
                given_at=now() - 9 * DAY,
                sealed_by="browser",
            )
            for one in today()
        )
        return row.id


def begin(bench: Bench, days: int = 30, visiting: Visiting | None = None) -> None:
    with bench.estate.changer.change() as change:
        begin_round(change, visiting or bench.estate.visiting, days, STAFF)


def let_it_end(bench: Bench) -> None:
    with Session(bench.estate.engine) as session, session.begin():
        session.execute(update(ConsentRound).values(ends_at=now() - 1))
    Sweeper.of(bench.estate).sweep()


def outdated(bench: Bench) -> set[str]:
    with bench.estate.reading() as session:
        return {one.person for one in list_outdated(session)}


def has_face(bench: Bench, person: str) -> bool:
    with bench.estate.reading() as session:
        return session.get(Template, person) is not None


def test_who_agreed_to_an_older_text_is_listed_and_nobody_else(visits: VisitBench) -> None:
    bench = visits.bench
    old, new = enroll(bench, agreed=False), enroll(bench, agreed=True)
    enroll(bench, agreed=False, category="visitor")
    with bench.estate.changer.change() as change:
        unrecorded = add_person(change, category="service", unit="9", known=Known(name="B"))
        face = np.eye(128, dtype=np.float32)[3]
        store_template(change, unrecorded, bench.estate.pack.template_space, face, photos=1)
        nobody = unrecorded.id
    assert outdated(bench) == {old, nobody}
    with InProcess(bench.estate) as desk:
        listed = {one["person"]: one for one in desk.call("consents/outdated")}
        assert listed[old]["version"] == "2026-01"
        assert listed[nobody]["version"] == ""
        page = desk.get("/consents").text
        assert f'data-testid="outdated-{old}"' in page
        assert new not in page


def test_a_resident_agrees_on_their_own_page_and_keeps_their_face(visits: VisitBench) -> None:
    bench = visits.bench
    person = enroll(bench, agreed=False)
    page = visits.page(person)
    before = visits.say(page, Look()).home
    assert before is not None
    assert before.confirm == ()  # nobody is asked before a round begins
    begin(bench)
    asked = visits.say(page, Look()).home
    assert asked is not None
    assert set(asked.confirm) == {"encode", "keep"}
    assert asked.confirm_until > now() + 29 * DAY

    answer = visits.say(page, ConfirmConsents(today()))

    assert answer.outcome == "done"
    assert answer.home is not None
    assert answer.home.confirm == ()
    assert outdated(bench) == set()
    let_it_end(bench)
    assert has_face(bench, person)
    with bench.estate.reading() as session:
        given = session.scalars(
            select(ConsentGiven)
            .join(Enrollment, Enrollment.id == ConsentGiven.enrollment_id)
            .where(Enrollment.person_id == person, ConsentGiven.sha256 != OLD)
        ).all()
    assert {(one.consent, one.origin) for one in given} == {("encode", "cloud"), ("keep", "cloud")}


def test_what_was_not_shown_or_not_all_that_is_needed_confirms_nothing(visits: VisitBench) -> None:
    bench = visits.bench
    person = enroll(bench, agreed=False)
    page = visits.page(person)
    begin(bench)
    altered = tuple(msgspec.structs.replace(one, sha256="f" * 64) for one in today())
    assert visits.say(page, ConfirmConsents(altered)).reason == "consent-changed"
    assert visits.say(page, ConfirmConsents(today()[:1])).reason == "consent-missing"
    assert outdated(bench) == {person}


def test_a_guardian_confirms_for_a_child(visits: VisitBench) -> None:
    bench = visits.bench
    person = enroll(bench, agreed=False)
    begin(bench)
    visits.say(visits.page(person), ConfirmConsents(today("zh-CN"), guardian="陈母"))
    with InProcess(bench.estate) as desk:
        (newest, *_) = desk.call(f"people/{person}/consents")
    assert (newest["given_by"], newest["guardian"]) == ("guardian", "陈母")


def test_without_an_answer_the_face_stops_at_the_end_and_no_sooner_and_it_is_on_record(
    visits: VisitBench,
) -> None:
    bench = visits.bench
    silent, agreed = enroll(bench, agreed=False), enroll(bench, agreed=True)
    begin(bench)
    Sweeper.of(bench.estate).sweep()
    assert has_face(bench, silent)
    let_it_end(bench)
    assert not has_face(bench, silent)
    assert has_face(bench, agreed)
    with bench.estate.reading() as session:
        # Nobody could have told them a PIN: none is in force that nobody knows.
        assert get_person(session, silent).pin_hash == ""
        rows = session.scalars(select(AuditRow).where(AuditRow.subject == silent)).all()
    assert ("withdraw-face", "round") in {(row.action, row.detail) for row in rows}
    with InProcess(bench.estate) as desk:
        (over,) = desk.call("consents/rounds")
        assert (over["asked"], over["stopped"], bool(over["ended_at"])) == (1, 1, True)
        (one, *_) = desk.call(f"people/{silent}/consents")
        assert one["withdrawn_how"] == "round"
        assert desk.call("erasures", person=silent)[0]["kept"] == "face"
    Sweeper.of(bench.estate).sweep()  # and that is all


def test_whoever_can_be_written_to_is_asked_and_gets_the_pin_that_way(
    visits: VisitBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = visits.bench
    person = enroll(bench, agreed=False, phone="13800138000")
    monkeypatch.setitem(bench.estate.visiting.__dict__, "channels", frozenset({"sms"}))
    begin(bench)
    let_it_end(bench)
    texts = []
    with bench.estate.reading() as session:
        for message in session.scalars(
            select(OutgoingMessage)
            .where(OutgoingMessage.person_id == person)
            .order_by(OutgoingMessage.created_at, OutgoingMessage.id)
        ):
            letter = open_letter(session, bench.estate.safe, message.id)
            assert letter is not None
            assert letter.to == "13800138000"
            texts.append(letter.text)
        assert get_person(session, person).pin_hash
    assert len(texts) == 2
    assert any("agree anew" in text and "重新同意" in text for text in texts)
    assert any("then this PIN: " in text for text in texts)


def test_one_round_at_a_time_within_bounds_and_only_where_there_is_somebody_to_ask(
    visits: VisitBench,
) -> None:
    bench = visits.bench
    with pytest.raises(Conflict) as nobody:
        begin(bench)
    assert nobody.value.code == "nobody-to-ask"
    enroll(bench, agreed=False)
    for days in (0, 6, 181):
        with pytest.raises(InputRefused):
            begin(bench, days)
    with InProcess(bench.estate) as desk:
        assert desk.submit("/consents", days="x").status_code == 422
        assert 'data-testid="round-running"' in desk.submit("/consents", days="30").text
        assert desk.submit("/consents", days="30").status_code == 409
