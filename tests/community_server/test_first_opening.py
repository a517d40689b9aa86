"""In PIN mode a new face opens alone only once it was shown beside the PIN."""

import secrets
import time

import numpy as np
import pytest
from sqlalchemy.orm import Session

from community_server.doors.service import add_door
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.service import add_person, forget_face, store_template
from tests.community_server.bench import Bench
from tier_link.estate_messages import ESTATE, EntryRecorded


@pytest.fixture
def person(bench: Bench) -> str:
    """Somebody whose face was taken without the desk."""
    with bench.estate.changer.change() as change:
        row = add_person(change, category="resident", unit="7-1", known=Known(name="N"))
        row.second_credential = True
        face = np.eye(128, dtype=np.float32)[0]
        store_template(change, row, bench.estate.pack.template_space, face, photos=1)
        return row.id


def _report(bench: Bench, person: str, *, second: bool) -> None:
    """Let a door report that it let somebody in."""
    with bench.estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    entry = EntryRecorded(
        entry=secrets.token_hex(16),
        door_sequence=1,
        at=int(time.time() * 1000),
        time_known=True,
        direction="both",
        person=person,
        category="resident",
        credential="face",
        granted=True,
        reason="within-rules",
        matched="local",
        took_ms=1,
        frames=2,
        second=second,
    )
    with Session(bench.estate.engine) as session, session.begin():
        records = bench.estate.doors._records
        records.apply(session, door, ESTATE.kind(entry), ESTATE.encode(entry))


def _needs_pin(bench: Bench, person: str) -> bool:
    with bench.estate.reading() as session:
        return get_person(session, person).second_credential


def test_an_opening_by_the_former_face_says_nothing_of_the_new_one(
    bench: Bench, person: str
) -> None:
    _report(bench, person, second=False)
    assert _needs_pin(bench, person)
    _report(bench, person, second=True)
    assert not _needs_pin(bench, person)


def test_whose_face_is_erased_enters_by_the_pin_alone(bench: Bench, person: str) -> None:
    with bench.estate.changer.change() as change:
        forget_face(change, get_person(change.session, person, lock=True))
    assert not _needs_pin(bench, person)
