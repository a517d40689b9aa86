"""No face is taken before an impact assessment is signed, and nothing is lost meanwhile."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.doors.service import add_door
from community_server.errors import Conflict
from community_server.estate import open_estate
from community_server.intake.approvals import list_waiting
from community_server.intake.held_back import HeldBack
from community_server.intake.judging import Look, PhotoJudge
from community_server.intake.tables import Enrollment
from community_server.people.routes import new_pin
from community_server.people.service import store_template
from community_server.people.tables import Person, Template
from community_server.privacy.details import Details
from community_server.privacy.differences import Difference
from community_server.privacy.faces import faces_are_on
from community_server.privacy.service import overview, save_details
from community_server.settings import Settings
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import STAFF, Bench, prepare, switch_faces_on
from tests.door_terminal.samples import unit_vector

NO_PHOTO = b"\xff\xd8\xff\xe0 nothing that could be a picture"


@pytest.fixture
def off(models: Path, tmp_path: Path) -> Iterator[Bench]:
    """An estate that has just been set up."""
    estate = open_estate(Settings(data=tmp_path / "data", models=models))
    prepare(estate, sign=False)
    yield Bench(estate)
    estate.close()


def faces(bench: Bench) -> int:
    with bench.estate.reading() as session:
        return session.scalars(select(func.count()).select_from(Template)).one()


def held(bench: Bench, envelope: str) -> Enrollment:
    with Session(bench.estate.engine) as session:
        return session.get_one(Enrollment, envelope)


def test_photos_wait_unseen_until_somebody_signs_and_are_then_taken_up(
    off: Bench, people: Sequence[SamplePerson], monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[int] = []
    seen = PhotoJudge.look

    def counted(judge: PhotoJudge, photos: Sequence[bytes]) -> Look:
        looked.append(len(photos))
        return seen(judge, photos)

    monkeypatch.setattr(PhotoJudge, "look", counted)
    invitation, person = off.invite()
    draft = off.draft(invitation, [people[0].portrait])
    replies = off.send(draft)
    bad, _ = off.invite(name="Bao", unit="1-102")
    unusable = off.draft(bad, [NO_PHOTO])
    off.send(unusable)
    assert [(one.outcome, one.reason) for one in replies] == [("received", "faces-not-yet")]
    assert (held(off, draft.envelope).held_for, held(off, draft.envelope).template) == (
        "faces-off",
        None,
    )
    assert overview(off.estate).held == 2

    # Nothing was computed, by nobody: not at the intake, not by the sweeper, not at the desk.
    taker = HeldBack(off.estate.changer, off.estate.intake)
    assert taker.take_up() == 0
    with pytest.raises(Conflict) as refused:
        off.decide(draft.envelope, "approve")
    assert refused.value.code == "faces-off"
    assert (looked, faces(off)) == ([], 0)

    # Meanwhile the person has another way.
    assert new_pin(off.estate, person, STAFF)[0]
    with off.estate.reading() as session:
        assert session.get_one(Person, person).state == "active"

    switch_faces_on(off.estate)
    assert taker.take_up() == 2
    assert (held(off, draft.envelope).held_for, held(off, unusable.envelope).held_for) == (
        "desk",
        "unusable",
    )
    assert off.decide(draft.envelope, "approve")
    assert off.replies(draft)[-1].outcome == "enrolled"
    assert off.replies(draft)[-1].receipt
    with pytest.raises(Conflict):
        off.decide(unusable.envelope, "approve")
    off.decide(unusable.envelope, "decline")
    assert (faces(off), taker.take_up(), len(off.replies(unusable))) == (1, 0, 2)


def test_no_template_is_stored_whatever_asks_for_it_and_whoever_wants_no_face_is_not_held(
    off: Bench,
) -> None:
    _, person = off.invite()
    face, space = unit_vector(1), off.estate.pack.template_space
    with off.estate.changer.change() as change:
        row = change.session.get_one(Person, person)
        with pytest.raises(Conflict) as refused:
            store_template(change, row, space, face, photos=1)
    assert refused.value.code == "faces-off"
    invitation, _ = off.invite(name="Chen", unit="1-103")
    draft = replace(off.draft(invitation, []), alternative="pin")
    assert [(one.outcome, one.reason) for one in off.send(draft)] == [("received", "")]
    assert held(off, draft.envelope).held_for == "no-face"
    off.decide(draft.envelope, "approve")
    assert off.replies(draft)[-1].pin


def test_what_has_changed_since_it_was_signed_is_named_and_faces_go_on(
    off: Bench, people: Sequence[SamplePerson]
) -> None:
    switch_faces_on(off.estate)
    assert overview(off.estate).changes == []
    save_details(off.estate, STAFF, Details("Another Ltd", "0755-1234567"))
    with off.estate.changer.change() as change:
        add_door(change.session, "North gate", "in")
    found = overview(off.estate)
    assert found.changes == [
        Difference("", "", "controller", "Sunny Property Ltd", "Another Ltd"),
        Difference("doors", "North gate", "there", before=False, after=True),
    ]
    assert (found.changed, found.faces) == (True, True)
    invitation, _ = off.invite()
    assert off.send(off.draft(invitation, [people[0].portrait]))[0].reason == ""
    with off.estate.reading() as session:
        assert [one.held_for for one in list_waiting(session, off.estate.safe)] == ["desk"]
        assert faces_are_on(session)
