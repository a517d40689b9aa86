"""A new model takes over while the one before goes on serving the faces that were not renewed."""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from onnx import TensorProto, helper

from community_server.console.overview import look
from community_server.doors.service import add_door, get_door
from community_server.errors import Conflict, StartRefused
from community_server.estate import Estate, open_estate
from community_server.intake.approvals import list_waiting
from community_server.intake.holding import WAITING_TEMPLATE, enrollment_owner
from community_server.intake.judging import Face, PhotoJudge
from community_server.intake.tables import Enrollment
from community_server.invitations.service import invite_again
from community_server.people.queries import get_person
from community_server.people.service import issue_pin, open_template, store_template
from community_server.people.tables import Template
from community_server.settings import Settings
from community_server.sweeper import Sweeper
from face_engine.calibration import load, to_json
from face_engine.enrollment import judge
from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.models import FacePack, load_pack
from face_engine.models.files import read_verified
from face_engine.models.licences import confirm_licence
from face_engine.models.preparation import mend
from face_engine.models.registry import OPENCV_ZOO, InsightFacePack, Role, pack_named
from face_engine.rotation import turn
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench, prepare
from tests.community_server.photos import aligned, jpeg
from tier_link.certificates import root_public_bytes
from tier_link.estate_messages import (
    ESTATE,
    DoorConfigured,
    EstateMessage,
    MatchRequest,
    RosterSnapshot,
)
from tier_link.invitations import parse_link

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def _detector() -> onnx.ModelProto:
    """A graph that insightface takes for a detector; matching needs none."""
    names = [f"out{number}" for number in range(9)]
    values = [helper.make_tensor(f"c{n}", TensorProto.FLOAT, [1, 1], [0.0]) for n in names]
    graph = helper.make_graph(
        [
            helper.make_node("Constant", [], [n], value=v)
            for n, v in zip(names, values, strict=True)
        ],
        "detector",
        [helper.make_tensor_value_info("input.1", TensorProto.FLOAT, [1, 3, "h", "w"])],
        [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1]) for n in names],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


@pytest.fixture(scope="module")
def former(models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A pack of SFace's own weights, uncentred, and a models folder with its calibration."""
    pack = tmp_path_factory.mktemp("former")
    source = read_verified(models, OPENCV_ZOO, OPENCV_ZOO.file(Role.ENCODER))
    onnx.save(mend(source, Role.ENCODER), str(pack / "w600k.onnx"))
    onnx.save(_detector(), str(pack / "det.onnx"))
    own = tmp_path_factory.mktemp("models")
    for entry in models.iterdir():
        (own / entry.name).symlink_to(entry)
    named = pack_named(str(pack))
    assert isinstance(named, InsightFacePack)
    confirm_licence(named, own)
    space = load_pack(str(pack), own).template_space
    (own / "calibrations").mkdir()
    calibration = replace(load(OPENCV_ZOO.template_space), template_space=space)
    (own / "calibrations" / f"{space}.json").write_text(to_json(calibration), "utf-8")
    return pack, own


@dataclass
class Changed:
    """An estate whose model was changed: the door was paired and Ada enrolled before."""

    estate: Estate
    door: str
    ada: str

    def told(self) -> list[EstateMessage]:
        records = self.estate.links.pending(self.door, 0, limit=10_000)
        return [ESTATE.decode(record.kind, record.body) for record in records]

    def match(self, crop: bytes) -> str:
        matcher = self.estate.doors._records.matcher
        request = MatchRequest(self.estate.pack.template_space, (crop,))
        return matcher.answer(self.door, request, time.monotonic() + 60).person


def _template(pack: FacePack, detecting: FacePack, portrait: bytes) -> np.ndarray:
    return judge(replace(pack, detector=detecting.detector), [portrait]).template


@pytest.fixture
def changed(
    former: tuple[Path, Path], tmp_path: Path, people: Sequence[SamplePerson]
) -> Iterator[Changed]:
    pack, models = former
    before = Settings(data=tmp_path, models=models, model_pack=str(pack))
    estate = open_estate(before)
    prepare(estate)
    detecting = load_pack(folder=models)
    _, ada = Bench(estate).invite()
    with estate.changer.change() as change:
        door = add_door(change.session, "Gate", "both")
    with estate.changer.change() as change:
        key = root_public_bytes(Ed25519PrivateKey.generate())
        estate.configurer.welcome(change, get_door(change.session, door, lock=True), key)
    _store(estate, ada, _template(estate.pack, detecting, people[0].portrait))
    with estate.changer.change() as change:
        issue_pin(change, ada)
    estate.close()
    estate = open_estate(
        before.model_copy(
            update={
                "model_pack": "opencv-zoo",
                "former_pack": str(pack),
                "first_opening": "pin",
            }
        )
    )
    yield Changed(estate, door, ada)
    estate.close()


def _store(estate: Estate, person: str, template: np.ndarray) -> None:
    with estate.changer.change() as change:
        row = get_person(change.session, person, lock=True)
        turned = turn(template, estate.secrets.matrix)
        store_template(change, row, estate.pack.template_space, turned, photos=1)


def test_doors_go_on_knowing_faces_of_the_model_before_until_they_are_renewed(
    changed: Changed, people: Sequence[SamplePerson]
) -> None:
    estate = changed.estate
    assert estate.former is not None
    assert (len(estate.gallery), len(estate.former.gallery)) == (0, 1)
    ada, bao = (jpeg(aligned(estate.pack, one.portrait), 95) for one in people[:2])
    assert changed.match(ada) == changed.ada
    assert changed.match(bao) == ""
    assert look(estate).renewed == (0, 1)

    _store(estate, changed.ada, _template(estate.pack, estate.pack, people[0].portrait))

    assert (len(estate.gallery), len(estate.former.gallery)) == (1, 0)
    assert changed.match(ada) == changed.ada
    assert look(estate).renewed == (1, 1)


def test_doors_are_told_of_the_change_once(changed: Changed) -> None:
    Sweeper.of(changed.estate).sweep()
    told = changed.told()
    configured = [one for one in told if isinstance(one, DoorConfigured)][-1]
    assert configured.template_space == changed.estate.pack.template_space
    assert configured.ask_unknown
    roster = [one for one in told if isinstance(one, RosterSnapshot)][-1]
    (ada,) = roster.people
    assert (ada.person, ada.template) == (changed.ada, b"")  # her rights, without the old vector
    Sweeper.of(changed.estate).sweep()
    assert changed.told() == told


def test_a_newcomer_is_compared_with_the_faces_of_the_model_before(
    changed: Changed, people: Sequence[SamplePerson]
) -> None:
    estate = changed.estate
    assert estate.former is not None
    judging = estate.intake.judge
    seen = judging.look([people[0].portrait])
    assert judging.judge(seen, "f" * 32).resembles == changed.ada
    assert judging.judge(seen, changed.ada).resembles is None
    with estate.reading() as session:
        assert list_waiting(session, estate.safe) == []


@pytest.mark.parametrize(
    ("photo_of", "expected"),
    [(0, ""), (1, "differs")],
    ids=["the same at once", "somebody else at the desk"],
)
def test_in_pin_mode_a_renewed_face_is_compared_with_the_one_of_the_model_before(
    changed: Changed,
    people: Sequence[SamplePerson],
    photo_of: int,
    expected: str,
) -> None:
    assert _send_again(changed.estate, changed.ada, people[photo_of].portrait) == expected


@pytest.mark.parametrize("renews", ["somebody known", "a newcomer"])
def test_whom_the_model_before_refuses_waits_for_the_desk(
    changed: Changed,
    people: Sequence[SamplePerson],
    monkeypatch: pytest.MonkeyPatch,
    renews: str,
) -> None:
    estate = changed.estate
    assert estate.former is not None
    former = estate.former.pack.template_space

    def refuse(pack: FacePack, *given: Any, **named: Any) -> Any:
        if pack.template_space == former:
            raise PhotoRefused(PhotoReason.DIFFERENT_PEOPLE)
        return judge(pack, *given, **named)

    monkeypatch.setattr("community_server.intake.judging.judge", refuse)
    person = changed.ada
    if renews == "a newcomer":
        _, person = Bench(estate).invite(name="Bao")
        with estate.changer.change() as change:
            issue_pin(change, person)
    assert _send_again(estate, person, people[0].portrait) == "uncompared"


def _send_again(estate: Estate, person: str, portrait: bytes) -> str:
    """Renew somebody's face; return what it waits for, or nothing when it was taken at once."""
    bench = Bench(estate)
    with estate.changer.change() as change:
        link = invite_again(change, estate.links, person, days=1).link
    (reply,) = bench.send(bench.draft(parse_link(link).invitation, [portrait]))
    with estate.reading() as session:
        held = "".join(one.held_for for one in list_waiting(session, estate.safe))
    assert reply.outcome == ("received" if held else "enrolled")
    return held


@pytest.mark.parametrize("size", [128, 64], ids=["of the same dimension", "of another"])
def test_photos_that_waited_while_the_model_changed_are_looked_at_again(
    changed: Changed, people: Sequence[SamplePerson], size: int
) -> None:
    estate = changed.estate
    bao, own = _wait_with_older_template(estate, people[1].portrait, size)
    alike, other = _wait_with_older_template(estate, people[1].portrait, size)
    assert Bench(estate).decide(own, "approve")
    assert not Bench(estate).decide(other, "approve")
    with estate.reading() as session:
        template = session.get_one(Template, bao)
        assert template.space == estate.pack.template_space
        stored = np.frombuffer(open_template(session, estate.safe, template), "<f4")
        assert session.get(Template, alike) is None
    assert len(estate.gallery) == 1
    seen = estate.intake.judge.look([people[1].portrait])
    assert isinstance(seen, Face)
    assert np.allclose(stored, seen.template, atol=1e-5)


def test_photos_that_the_new_model_refuses_leave_the_desk_a_sentence(
    changed: Changed, people: Sequence[SamplePerson], monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = changed.estate
    _, envelope = _wait_with_older_template(estate, people[1].portrait, 64)
    refused = PhotoRefused(PhotoReason.NO_FACE)
    monkeypatch.setattr(PhotoJudge, "look", lambda *_: refused)
    with pytest.raises(Conflict) as conflict:
        Bench(estate).decide(envelope, "approve")
    assert conflict.value.code == "photos-unusable"
    assert not Bench(estate).decide(envelope, "decline")


def _wait_with_older_template(estate: Estate, portrait: bytes, size: int) -> tuple[str, str]:
    """Let a visitor wait as one who came before the change; return person and envelope."""
    bench = Bench(estate)
    invitation, person = bench.invite("visitor")
    draft = bench.draft(invitation, [portrait], kind="visitor")
    bench.send(draft)
    with estate.changer.change() as change:
        row = change.session.get_one(Enrollment, draft.envelope)
        older = np.eye(size, dtype="<f4")[0].tobytes()
        owner = enrollment_owner(draft.envelope)
        row.template = estate.safe.seal(change.session, owner, WAITING_TEMPLATE, older)
        row.template_space = "an-older-model"
    return person, draft.envelope


def test_the_same_pack_twice_is_refused(models: Path, tmp_path: Path) -> None:
    settings = Settings(data=tmp_path, models=models, former_pack="opencv-zoo")
    with pytest.raises(StartRefused) as refused:
        open_estate(settings)
    assert refused.value.code == "pack-twice"
