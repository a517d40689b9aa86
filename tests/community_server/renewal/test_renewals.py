"""At a door a face becomes one of the new model, and nobody's but its owner's."""

import hashlib
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.console.overview import look
from community_server.database import now
from community_server.doors.service import add_door, get_door
from community_server.entries.tables import Entry
from community_server.estate import Estate, open_estate
from community_server.intake.consents import load_renewal_texts
from community_server.intake.tables import ConsentGiven
from community_server.people.queries import get_person
from community_server.people.service import (
    issue_pin,
    open_template,
    store_template,
    suspend_person,
)
from community_server.people.tables import Template
from community_server.renewal import service
from community_server.settings import Settings
from community_server.sweeper import Sweeper
from face_engine.encoder import as_probe, fuse
from face_engine.enrollment import judge
from face_engine.faces import Image, Vectors
from face_engine.lookalikes import sure_level
from face_engine.models import load_pack
from face_engine.rotation import turn
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench, prepare
from tests.community_server.photos import aligned, jpeg
from tier_link.certificates import root_public_bytes
from tier_link.envelopes import GivenConsent
from tier_link.errors import DeadlinePassed, RequestRefused
from tier_link.estate_messages import (
    ESTATE,
    DoorConfigured,
    EntryRecorded,
    EstateMessage,
    MatchAnswer,
    MatchRequest,
    RenewalAnswer,
    RenewalDeclined,
    RenewalRequest,
    RosterDelta,
)

FORMER, PRESENT = "opencv-zoo", "opencv-zoo-int8"


def agreed(language: str = "en") -> GivenConsent:
    """Return what a door makes of the text that it was told."""
    (text,) = (one for one in load_renewal_texts() if one.language == language)
    shown = hashlib.sha256(text.text.encode()).hexdigest()
    return GivenConsent(text.id, text.version, text.language, shown)


@dataclass
class Changed:
    """An estate whose model was changed after Ada and Bao were enrolled; doors as they ask."""

    estate: Estate
    door: str
    ada: str
    bao: str
    faces: dict[str, Image] = field(repr=False)
    _sequence: int = 0

    def crops(self, name: str) -> tuple[bytes, ...]:
        """Return a sighting: three pictures of one moment, in changing light."""
        return sighting(self.faces[name])

    def ask(self, message: EstateMessage, door: str = "") -> Any:
        body = ESTATE.encode(message)
        records = self.estate.doors._records
        deadline = time.monotonic() + 60
        answer = records.answer(door or self.door, ESTATE.kind(message), body, deadline)
        kind = "match-answer" if isinstance(message, MatchRequest) else "renewal-answer"
        return ESTATE.decode(kind, answer)

    def match(self, name: str) -> MatchAnswer:
        request = MatchRequest(self.estate.pack.template_space, self.crops(name))
        answer: MatchAnswer = self.ask(request)
        return answer

    def let_in(self, person: str, /, **more: Any) -> str:
        """Let the door report an opening by face and PIN; return the entry."""
        self._sequence += 1
        fields: dict[str, Any] = {
            "entry": secrets.token_hex(16),
            "door_sequence": self._sequence,
            "at": int(time.time() * 1000),
            "time_known": True,
            "direction": "in",
            "person": person,
            "category": "resident",
            "credential": "pin",
            "granted": True,
            "reason": "within-rules",
            "matched": "",
            "took_ms": 1,
            "frames": 0,
            "second": True,
            "first": "face",
        }
        entry = EntryRecorded(**(fields | more))
        with Session(self.estate.engine) as session, session.begin():
            records = self.estate.doors._records
            records.apply(session, self.door, ESTATE.kind(entry), ESTATE.encode(entry))
        return entry.entry

    def renew(self, entry: str, crops: Sequence[bytes], door: str = "", **more: Any) -> str:
        fields: dict[str, Any] = {
            "template_space": self.estate.pack.template_space,
            "entry": entry,
            "crops": tuple(crops),
            "liveness": "",
            "consent": agreed(),
        }
        answer: RenewalAnswer = self.ask(RenewalRequest(**(fields | more)), door)
        return answer.reason

    def spaces(self) -> dict[str, str]:
        with self.estate.reading() as session:
            return dict(session.execute(select(Template.person_id, Template.space)).all())

    def unchanged(self) -> bool:
        assert self.estate.former is not None
        return set(self.spaces().values()) == {self.estate.former.name}

    def told(self) -> list[EstateMessage]:
        records = self.estate.links.pending(self.door, 0, limit=10_000)
        return [ESTATE.decode(record.kind, record.body) for record in records]


def sighting(face: Image) -> tuple[bytes, ...]:
    return tuple(jpeg(cv2.convertScaleAbs(face, alpha=alpha), 95) for alpha in (1.0, 0.9, 0.8))


@pytest.fixture(scope="module")
def before(
    models: Path, tmp_path_factory: pytest.TempPathFactory, people: Sequence[SamplePerson]
) -> Changed:
    """The estate as it was before the change, closed."""
    data = tmp_path_factory.mktemp("before") / "data"
    estate = open_estate(Settings(data=data, models=models, model_pack=FORMER))
    prepare(estate)
    with estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    with estate.changer.change() as change:
        key = root_public_bytes(Ed25519PrivateKey.generate())
        estate.configurer.welcome(change, get_door(change.session, door, lock=True), key)
    ids = []
    for name, one in zip(("Ada", "Bao"), people, strict=False):
        _, person = Bench(estate).invite(name=name, unit=f"1-{name}")
        enroll(estate, person, judge(estate.pack, [one.portrait]).template)
        ids.append(person)
    names = ("Ada", "Bao", "Chen")
    faces = {n: aligned(estate.pack, one.portrait) for n, one in zip(names, people, strict=False)}
    estate.close()
    return Changed(estate, door, ids[0], ids[1], faces)


@contextmanager
def after(before: Changed, data: Path) -> Iterator[Changed]:
    """The estate after the change, in a copy of its own."""
    settings = before.estate.settings
    shutil.copytree(settings.data, data)
    update = {"data": data, "model_pack": PRESENT, "former_pack": FORMER}
    estate = open_estate(settings.model_copy(update=update))
    yield replace(before, estate=estate)
    estate.close()


@pytest.fixture
def changed(before: Changed, tmp_path: Path) -> Iterator[Changed]:
    with after(before, tmp_path / "data") as changed:
        yield changed


@pytest.fixture(scope="module")
def still(before: Changed, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Changed]:
    """One for all tests in which nobody's face is renewed."""
    with after(before, tmp_path_factory.mktemp("after") / "data") as changed:
        yield changed


def enroll(estate: Estate, person: str, template: Vectors) -> None:
    with estate.changer.change() as change:
        issue_pin(change, person)
        row = get_person(change.session, person, lock=True)
        turned = turn(template, estate.secrets.matrix)
        store_template(change, row, estate.pack.template_space, turned, photos=1)


def test_whoever_agrees_is_known_by_the_new_model_everywhere_and_on_record(
    changed: Changed, tmp_path: Path
) -> None:
    estate = changed.estate
    assert estate.former is not None
    assert changed.match("Ada") == MatchAnswer(changed.ada, "match", renewable=True)
    entry, crops = changed.let_in(changed.ada), changed.crops("Ada")

    assert changed.renew(entry, crops, consent=agreed("zh-CN")) == "renewed"

    assert changed.spaces()[changed.ada] == estate.pack.template_space
    assert (len(estate.gallery), len(estate.former.gallery)) == (1, 1)
    assert look(estate).renewed == (1, 2)
    assert changed.match("Ada") == MatchAnswer(changed.ada, "match", renewable=False)
    delta = [one for one in changed.told() if isinstance(one, RosterDelta)][-1]
    assert [(one.person, len(one.template)) for one in delta.upserts] == [(changed.ada, 4 * 128)]
    with estate.reading() as session:
        (consent,) = session.scalars(select(ConsentGiven))
        assert (consent.consent, consent.sealed_by, consent.language, consent.sha256) == (
            "renew-at-door",
            "door",
            "zh-CN",
            agreed("zh-CN").sha256,
        )
        row = session.scalars(select(AuditRow).order_by(AuditRow.number.desc())).first()
        assert row is not None
        assert (row.staff_id, row.action, row.subject) == (changed.door, "renew-face", changed.ada)
    for file in tmp_path.rglob("*"):
        assert not file.is_file() or crops[0][200:260] not in file.read_bytes()

    assert changed.renew(entry, crops) == "not-due"


def test_doors_are_told_the_pack_and_the_text_to_agree_to(still: Changed) -> None:
    Sweeper.of(still.estate).sweep()
    configured = [one for one in still.told() if isinstance(one, DoorConfigured)][-1]
    assert configured.model_pack == PRESENT
    assert configured.renewal == load_renewal_texts()
    assert [text.language for text in configured.renewal] == ["zh-CN", "en"]


@pytest.mark.parametrize(
    "pictures",
    [
        lambda it: it.crops("Bao"),
        lambda it: it.crops("Chen"),
        lambda it: (*it.crops("Ada"), it.crops("Bao")[0]),
        lambda it: (it.crops("Ada")[0], it.crops("Chen")[0]),
    ],
    ids=["another resident's", "a stranger's", "one of another", "one of a stranger"],
)
def test_who_borrows_a_pin_does_not_make_the_owners_face_their_own(
    still: Changed, pictures: Callable[[Changed], tuple[bytes, ...]]
) -> None:
    """The door has let them in as Ada, however that came about."""
    assert still.renew(still.let_in(still.ada), pictures(still)) == "face-unsure"
    assert still.unchanged()


def test_who_is_only_just_taken_for_the_owner_does_not_become_them(still: Changed) -> None:
    """The lucky stranger: every picture opens the door as Ada, and all of them barely do."""
    former = still.estate.former
    assert former is not None
    with still.estate.reading() as session:
        template = session.get_one(Template, still.ada)
        sealed = open_template(session, still.estate.safe, template)
    ada = np.frombuffer(sealed, "<f4")
    threshold = former.thresholds.of(still.door).value
    sure = sure_level(threshold, former.thresholds.budget.calibration)

    def scores(share: float) -> tuple[float, float]:
        """Return the least of single pictures and that of all, of a face between two."""
        vectors = former.pack.encoder.encode(as_probe(np.stack(list(pictures(share)))))
        single = turn(vectors, former.matrix) @ ada
        return float(single.min()), float(turn(fuse(vectors), former.matrix) @ ada)

    def pictures(share: float) -> Iterator[Image]:
        own, other = still.faces["Ada"], still.faces["Chen"]
        face = cv2.addWeighted(own, share, other, 1 - share, 0)
        for crop in sighting(np.asarray(face, np.uint8)):
            image = cv2.imdecode(np.frombuffer(crop, np.uint8), cv2.IMREAD_COLOR)
            yield np.asarray(image, np.uint8)

    known = ((share, *scores(share)) for share in np.linspace(0.3, 0.8, 51))
    lucky = next(share for share, least, all_ in known if least >= threshold and all_ < sure)
    crops = tuple(jpeg(image, 100) for image in pictures(lucky))
    request = MatchRequest(still.estate.pack.template_space, crops)
    assert still.ask(request).person == still.ada
    assert still.renew(still.let_in(still.ada), crops) == "face-unsure"
    assert still.unchanged()


def test_whoever_resembles_somebody_renews_at_the_desk(changed: Changed) -> None:
    """A renewal is a newer enrollment: it must not change the decision on anybody else."""
    entry, crops = changed.let_in(changed.ada), changed.crops("Ada")
    _, twin = Bench(changed.estate).invite(name="Twin", unit="2-1")
    face = changed.estate.pack.encoder.encode(changed.faces["Ada"][None])[0]
    enroll(changed.estate, twin, face)
    assert changed.renew(entry, crops) == "resembles"
    assert changed.spaces()[changed.ada] == FORMER_SPACE


FORMER_SPACE = "sface-2021dec-int8bq-centred"


def test_a_twin_of_the_model_before_is_compared_too(changed: Changed) -> None:
    former = changed.estate.former
    assert former is not None
    entry, crops = changed.let_in(changed.ada), changed.crops("Ada")
    with changed.estate.changer.change() as change:
        face = turn(former.pack.encoder.encode(changed.faces["Ada"][None])[0], former.matrix)
        row = get_person(change.session, changed.bao, lock=True)
        store_template(change, row, former.name, face, photos=1)
    assert changed.renew(entry, crops) == "resembles"
    assert changed.unchanged()


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        ({"granted": False}, "entry-unfit"),
        ({"first": "", "second": False, "credential": "face"}, "entry-unfit"),
        ({"first": ""}, "entry-unfit"),
        ({"first": "pass"}, "entry-unfit"),
        ({"first": "pass", "credential": "face"}, "entry-unfit"),
        ({"person": ""}, "not-due"),
        ({"at": 1_700_000_000_000}, "too-late"),
    ],
)
def test_only_a_fresh_opening_by_face_and_pin_counts(
    still: Changed, spoilt: dict[str, Any], reason: str
) -> None:
    entry = still.let_in(still.ada, **spoilt)
    assert still.renew(entry, still.crops("Ada")) == reason
    assert still.unchanged()


def test_face_and_pin_count_in_any_order_and_without_a_clock(changed: Changed) -> None:
    for person, name, more in (
        (changed.ada, "Ada", {"first": "pin", "credential": "face"}),
        (changed.bao, "Bao", {"at": 0, "time_known": False}),
    ):
        entry = changed.let_in(person, **more)
        assert changed.renew(entry, changed.crops(name)) == "renewed"


def test_another_doors_an_unknown_and_an_old_entry_are_refused(still: Changed) -> None:
    crops, entry = still.crops("Ada"), still.let_in(still.ada)
    with still.estate.changer.change() as change:
        other = add_door(change.session, "Other gate", "both")
    assert still.renew(entry, crops, door=other) == "entry-unfit"
    assert still.renew("0" * 32, crops) == "entry-unfit"
    with still.estate.changer.change() as change:
        row = change.session.scalars(select(Entry).where(Entry.entry == entry)).one()
        row.received_at -= service.RECENT_S + 1
    assert still.renew(entry, crops) == "too-late"
    assert still.renew(still.let_in(still.bao), crops) == "face-unsure"
    assert still.unchanged()


def test_whoever_lost_their_rights_meanwhile_is_not_renewed(changed: Changed) -> None:
    entry = changed.let_in(changed.ada)
    with changed.estate.changer.change() as change:
        suspend_person(change, changed.ada, suspended=True)
    assert changed.renew(entry, changed.crops("Ada")) == "entry-unfit"


def test_a_door_that_tells_faces_from_pictures_renews_faces_alone(changed: Changed) -> None:
    def seen(policy: str, seen: str) -> str:
        with changed.estate.changer.change() as change:
            get_door(change.session, changed.door, lock=True).liveness = policy
        return changed.renew(changed.let_in(changed.ada), changed.crops("Ada"), liveness=seen)

    for policy, liveness in (
        ("off", "spoof"),
        ("observe", "spoof"),
        ("open", "not-enough-evidence"),
        ("second", ""),
        ("challenge", "not-enough-evidence"),
    ):
        assert seen(policy, liveness) == "liveness-unproven"
    assert seen("challenge", "live") == "renewed"


def test_a_consent_to_another_text_is_none(still: Changed) -> None:
    given = agreed()
    for wrong in (
        GivenConsent(given.id, "2020-01", given.language, given.sha256),
        GivenConsent("encode", given.version, given.language, given.sha256),
        GivenConsent(given.id, given.version, "zh-CN", given.sha256),
        GivenConsent(given.id, given.version, given.language, "0" * 64),
    ):
        entry = still.let_in(still.ada)
        assert still.renew(entry, still.crops("Ada"), consent=wrong) == "consent-changed"
    assert still.unchanged()


def test_damaged_pictures_and_another_space_are_refused(still: Changed) -> None:
    entry = still.let_in(still.ada)
    with pytest.raises(RequestRefused) as refused:
        still.renew(entry, (b"no picture", *still.crops("Ada")))
    assert refused.value.code == "crop-malformed"
    with pytest.raises(RequestRefused) as refused:
        still.renew(entry, still.crops("Ada"), template_space="another")
    assert refused.value.code == "template-space-other"


def test_whoever_declines_is_not_asked_again_for_a_month_at_any_door(
    changed: Changed, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = changed.let_in(changed.ada)
    assert changed.ask(RenewalDeclined("0" * 32)).reason == "entry-unfit"
    assert changed.match("Ada").renewable
    assert changed.ask(RenewalDeclined(entry)).reason == "noted"
    assert changed.match("Ada") == MatchAnswer(changed.ada, "match", renewable=False)
    assert changed.match("Bao").renewable
    later = now() + service.ASK_AGAIN_S
    monkeypatch.setattr(service, "now", lambda: later)
    assert changed.match("Ada").renewable


def test_an_estate_that_changes_no_model_renews_nothing(models: Path, tmp_path: Path) -> None:
    estate = open_estate(Settings(data=tmp_path, models=models, model_pack=FORMER))
    prepare(estate)
    with estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    alone = Changed(estate, door, "", "", {"Ada": np.zeros((112, 112, 3), np.uint8)})
    _, ada = Bench(estate).invite()
    assert alone.renew(alone.let_in(ada), alone.crops("Ada")) == "not-due"
    assert load_pack(FORMER, models).template_space == FORMER_SPACE
    estate.close()


def test_what_nobody_waits_for_changes_nothing(still: Changed) -> None:
    entry, crops = still.let_in(still.ada), still.crops("Ada")
    request = RenewalRequest(still.estate.pack.template_space, entry, crops, "", agreed())
    renewals = still.estate.doors._records.renewals
    with pytest.raises(DeadlinePassed):
        renewals.renew(still.door, request, time.monotonic())
    with renewals._one_by_one, pytest.raises(RequestRefused) as refused:
        renewals.renew(still.door, request, time.monotonic() + 60)
    assert refused.value.code == "busy"
    assert still.unchanged()
