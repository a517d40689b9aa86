"""Whose face fits less and less is asked to renew it, by whatever door noticed, until they do."""

from collections.abc import Sequence

import numpy as np
import pytest
import sqlalchemy as sa

from community_server.console.overview import look
from community_server.database import now
from community_server.people.fading import FadingBook
from community_server.people.queries import get_person
from community_server.people.routes import listing
from community_server.people.service import store_template
from community_server.people.tables import Template
from community_server.sweeper import Sweeper
from community_server.thresholds.tables import CountedScores
from face_engine.fading import Margins
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench
from tier_link.estate_messages import ESTATE, FacesFading
from tier_link.store import TraceEraser

DOOR = "d" * 32


def _enrolled(own: Bench, portrait: bytes) -> str:
    invitation, person = own.invite()
    draft = own.draft(invitation, [portrait])
    own.send(draft)
    own.decide(draft.envelope, "approve")
    return person


def _renew(own: Bench, person: str) -> None:
    with own.estate.changer.change() as change:
        row = get_person(change.session, person)
        face = np.eye(128, dtype=np.float32)[0]
        store_template(change, row, own.estate.pack.template_space, face, photos=1)
        template = change.session.get(Template, person)
        assert template is not None
        template.created_at = now() + 1


def _fading(own: Bench) -> tuple[bool, bool]:
    (one,) = listing(own.estate)
    return one.face_fading, bool(look(own.estate).fading)


def test_matches_made_here_that_sink_are_noticed_and_sealed(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    estate, person = own.estate, _enrolled(own, people[0].portrait)
    for _ in range(40):
        estate.fading.note(person, 0.3)
    Sweeper.of(estate).sweep()
    assert _fading(own) == (False, False)
    rng = np.random.default_rng(0)
    for _ in range(6):
        for margin in np.abs(rng.normal(0, 0.05, 60)):
            estate.fading.note(person, float(margin))
        Sweeper.of(estate).sweep()
    assert _fading(own) == (True, True)
    with estate.reading() as session:
        template = session.get(Template, person)
        assert template is not None
        assert template.margins is not None
        assert len(template.margins) < 64  # twenty bytes and their seal, however many matches
    _renew(own, person)
    assert _fading(own) == (False, False)


def test_a_count_that_cannot_be_saved_waits_and_holds_nothing_else_up(
    own: Bench, people: Sequence[SamplePerson], monkeypatch: pytest.MonkeyPatch
) -> None:
    estate, person = own.estate, _enrolled(own, people[0].portrait)
    estate.fading.note(person, 0.3)
    estate.thresholds.scores.note(DOOR, 0.1, 5)

    def fail(*_: object) -> None:
        raise OSError

    with monkeypatch.context() as patched:
        patched.setattr(Margins, "to_bytes", fail)
        swept: list[bool] = []
        patched.setattr(TraceEraser, "sweep", lambda *_: swept.append(True))
        Sweeper.of(estate).sweep()
    assert swept
    with estate.reading() as session:
        assert session.scalars(sa.select(CountedScores)).all() == []

    Sweeper.of(estate).sweep()

    with estate.reading() as session:
        assert (
            session.scalars(sa.select(CountedScores.door).order_by(CountedScores.door)).all()[-1]
            == DOOR
        )
        assert session.get_one(Template, person).margins is not None


def test_a_door_that_noticed_is_believed_until_the_face_is_renewed(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    estate, person = own.estate, _enrolled(own, people[0].portrait)
    with estate.changer.change() as change:
        change.session.execute(sa.update(Template).values(created_at=now() - 10))
    for space, people_named, expected in (
        ("another", (person,), False),
        (estate.pack.template_space, (person, "e" * 32), True),
        (estate.pack.template_space, (), False),
        (estate.pack.template_space, (person,), True),
    ):
        message = FacesFading(space, people_named)
        estate.doors._records.take_latest(DOOR, ESTATE.kind(message), ESTATE.encode(message))
        assert _fading(own) == (expected, expected)
    own.invite()  # of somebody else: changes nothing
    _renew(own, person)
    assert not any(one.face_fading for one in listing(estate))


def test_a_loiterer_fills_no_memory_and_strangers_no_table(own: Bench) -> None:
    book = FadingBook(own.estate.pack.template_space)
    for _ in range(1000):
        book.note("f" * 32, 0.1)
    with own.estate.changer.change() as change:
        book.save(change.session, own.estate.safe)
        assert change.session.scalars(sa.select(Template)).all() == []
