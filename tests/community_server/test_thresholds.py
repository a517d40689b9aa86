"""Doors become as strict as the estate's own scores ask, and say what that rests on."""

import secrets
from collections.abc import Iterator

import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from community_server.doors.routes import DoorChange, alter
from community_server.doors.service import add_door, get_door
from community_server.errors import InputRefused
from community_server.estate import Estate, open_estate
from community_server.people.particulars import Known
from community_server.people.service import add_person, store_template
from community_server.settings import Settings
from community_server.sweeper import Sweeper
from community_server.thresholds.routes import strictness
from community_server.thresholds.scores import PEOPLE
from community_server.thresholds.tables import CountedScores
from face_engine.faces import Vectors
from face_engine.self_calibration import Basis, ScoreHistogram
from tests.community_server.bench import Bench, prepare
from tier_link.certificates import root_public_bytes
from tier_link.estate_messages import ESTATE, DoorConfigured, ScoresCounted

STAFF = "0" * 32


def _door(bench: Bench) -> str:
    with bench.estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    with bench.estate.changer.change() as change:
        key = root_public_bytes(Ed25519PrivateKey.generate())
        bench.estate.configurer.welcome(change, get_door(change.session, door, lock=True), key)
    return door


def _told(bench: Bench, door: str) -> DoorConfigured:
    records = bench.estate.links.pending(door, 0, limit=10_000)
    messages = (ESTATE.decode(record.kind, record.body) for record in records)
    return [one for one in messages if isinstance(one, DoorConfigured)][-1]


def _high(people: int, total: int) -> ScoreHistogram:
    """Scores as of a population that is hard to tell apart."""
    rng = np.random.default_rng(0)
    counts = np.bincount((rng.normal(0.52, 0.02, total) * 100).astype(int), minlength=100)
    return ScoreHistogram(tuple(counts.tolist()), people * total)


@pytest.fixture
def door(bench: Bench) -> Iterator[str]:
    door = _door(bench)
    yield door
    with bench.estate.changer.change() as change:
        bench.estate.thresholds.scores.forget(change.session, door)


def test_a_doors_own_count_makes_that_door_stricter_and_no_other(bench: Bench, door: str) -> None:
    estate, other = bench.estate, _door(bench)
    before = _told(bench, door).threshold
    scores = _high(400, 900)
    message = ScoresCounted(estate.pack.template_space, scores.counts, scores.compared)
    estate.doors._records.take_latest(door, ESTATE.kind(message), ESTATE.encode(message))
    Sweeper.of(estate).sweep()
    assert _told(bench, door).threshold > before
    assert _told(bench, other).threshold == before
    with estate.reading() as session:
        row = get_door(session, door)
        found = strictness(estate, row)
    assert (found.basis, found.sightings, found.second) == (Basis.SIGHTINGS, 900, False)


def test_a_count_of_another_space_says_nothing(bench: Bench, door: str) -> None:
    scores = _high(400, 900)
    message = ScoresCounted("another", scores.counts, scores.compared)
    bench.estate.doors._records.take_latest(door, ESTATE.kind(message), ESTATE.encode(message))
    assert bench.estate.thresholds.scores.of(door).total == 0


def test_counts_survive_a_restart_and_hold_no_person(bench: Bench, door: str) -> None:
    estate = bench.estate
    for _ in range(3):
        estate.thresholds.scores.note(door, 0.31, 12)
    estate.thresholds.scores.replace(door, "door", _high(400, 50))
    Sweeper.of(estate).sweep()
    with estate.reading() as session:
        rows = session.scalars(select(CountedScores).where(CountedScores.door == door)).all()
        assert {column.name for column in CountedScores.__table__.columns} == {
            *("door", "space", "counted_by", "counts", "compared")
        }
        assert {len(row.counts) for row in rows} == {400}
    fresh = type(estate.thresholds.scores)(estate.pack.template_space)
    with estate.reading() as session:
        fresh.load(session)
    assert fresh.of(door) == estate.thresholds.scores.of(door)
    assert fresh.of(door).total == 53


def test_staff_can_ask_for_a_second_credential_at_a_door(bench: Bench, door: str) -> None:
    alter(bench.estate, door, DoorChange(face_needs_second=True), STAFF)
    assert _told(bench, door).face_needs_second
    with pytest.raises(InputRefused) as refused:
        alter(bench.estate, door, DoorChange(pin_allowed=False), STAFF)
    assert refused.value.code == "second-needs-pin"
    alter(bench.estate, door, DoorChange(face_needs_second=False), STAFF)
    assert not _told(bench, door).face_needs_second


def _unit(rng: np.random.Generator, common: Vectors) -> Vectors:
    vector = rng.standard_normal(128) / np.sqrt(128) + common
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def test_people_who_resemble_one_another_make_their_doors_stricter(
    settings: Settings, database: str
) -> None:
    """In an estate of its own: its budget cannot be shown, and it demands the second credential."""
    if database:
        pytest.skip("the same on both databases; one estate at a time takes PostgreSQL's lock")
    own = settings.model_copy(
        update={
            "data": settings.data.with_name(secrets.token_hex(4)),
            "unsupported_budget": "demand",
            "wrong_openings_per_month": 0.01,
        }
    )
    estate = open_estate(own)
    try:
        _check_an_estate_of_people_alike(estate)
    finally:
        estate.close()


def _check_an_estate_of_people_alike(estate: Estate) -> None:
    prepare(estate)
    bench, rng = Bench(estate), np.random.default_rng(4)
    door = _door(bench)
    assert _told(bench, door).face_needs_second
    before = _told(bench, door).threshold
    common = np.full(128, 1 / np.sqrt(128))
    with estate.changer.change() as change:
        for number in range(60):
            row = add_person(change, category="resident", unit=str(number), known=Known(name="N"))
            store_template(change, row, estate.pack.template_space, _unit(rng, common), photos=1)
    Sweeper.of(estate).sweep()
    assert estate.thresholds.scores.of(PEOPLE).total == 60
    told = _told(bench, door).threshold
    assert told > before
    sent = len(estate.links.pending(door, 0, limit=10_000))
    Sweeper.of(estate).sweep()
    assert len(estate.links.pending(door, 0, limit=10_000)) == sent
