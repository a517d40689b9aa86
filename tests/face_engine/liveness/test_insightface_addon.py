"""InsightFace's add-on sees what its own package shows it. Its weights are not had here: graphs of
the same inputs and outputs stand in, whose answer depends on every pixel and channel.
"""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from face_engine.errors import LicenceNotConfirmed, ModelDamaged, ModelsMissing
from face_engine.faces import Face, Image
from face_engine.liveness.fusion import PASSIVE_EVEN
from face_engine.liveness.passive import PassiveLiveness, load_passive
from face_engine.liveness.track import LivenessTrack
from face_engine.models.fetching import fetch
from face_engine.models.files import pack_folder, sha256
from face_engine.models.licences import confirm_licence, licence_confirmed
from face_engine.models.registry import INSIGHTFACE_LIVENESS, PinnedPack
from face_engine.quality import assess

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def graph(*, weights: float, bias: float) -> bytes:
    """[N, 3, 80, 80] to the [N] probability by a logistic regression on all pixels."""
    drawn = np.random.default_rng(3).normal(scale=weights, size=(3 * 80 * 80, 1))
    model = helper.make_model(
        helper.make_graph(
            [
                helper.make_node("Flatten", ["picture"], ["flat"]),
                helper.make_node("Gemm", ["flat", "weights", "bias"], ["sum"]),
                helper.make_node("Sigmoid", ["sum"], ["each"]),
                helper.make_node("Squeeze", ["each", "last"], ["live"]),
            ],
            "stand-in",
            [helper.make_tensor_value_info("picture", TensorProto.FLOAT, ["N", 3, 80, 80])],
            [helper.make_tensor_value_info("live", TensorProto.FLOAT, ["N"])],
            [
                numpy_helper.from_array(drawn.astype(np.float32), "weights"),
                numpy_helper.from_array(np.array([bias], np.float32), "bias"),
                numpy_helper.from_array(np.array([1], np.int64), "last"),
            ],
        ),
        opset_imports=[helper.make_opsetid("", 17)],
        ir_version=9,
    )
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def carried(folder: Path, data: bytes) -> PinnedPack:
    """The pack with these bytes as its published file, which lies in a folder."""
    folder.mkdir(exist_ok=True)
    (folder / "liveness.onnx").write_bytes(data)
    (file,) = INSIGHTFACE_LIVENESS.files
    ours = replace(file, size=len(data), sha256=sha256(data), address="http://127.0.0.1:9/none")
    return replace(INSIGHTFACE_LIVENESS, files=(ours,))


def loaded(folder: Path, data: bytes) -> PassiveLiveness:
    """The add-on with these bytes, fetched and confirmed as a person would."""
    pack = carried(folder / "stick", data)
    confirm_licence(pack, folder)
    fetch(pack, folder, local=folder / "stick")
    return load_passive(folder, pack=pack)


def test_the_pinned_file_is_the_one_insightface_pins() -> None:
    from insightface.addons import ADDON_CATALOG  # noqa: PLC0415 — warns when imported

    theirs = ADDON_CATALOG["liveness"]
    (ours,) = INSIGHTFACE_LIVENESS.files
    assert (ours.name, ours.address) == (theirs.filename, theirs.url)
    assert (ours.size, ours.sha256) == (theirs.size_bytes, theirs.sha256)


def test_it_sees_what_insightface_shows_it(
    six_people: Image, six_faces: list[Face], tmp_path: Path
) -> None:
    from insightface.addons import Liveness  # noqa: PLC0415 — warns when imported

    addon = loaded(tmp_path, graph(weights=0.02, bias=0.0))
    theirs = Liveness(pack_folder(tmp_path, INSIGHTFACE_LIVENESS) / "liveness.onnx")
    seen = []
    for face in six_faces:
        score = theirs.predict(six_people, face.landmarks)["live_score"]
        odds = score / (1 - score) * (PASSIVE_EVEN / (1 - PASSIVE_EVEN)) / (0.8 / 0.2)
        seen.append(score)
        assert addon.live(six_people, face) == pytest.approx(odds / (1 + odds), abs=1e-3)
    assert max(seen) - min(seen) > 0.1  # a stand-in that says the same of all would prove nothing


def test_its_own_threshold_speaks_for_neither(
    six_people: Image, six_faces: list[Face], tmp_path: Path
) -> None:
    addon = loaded(tmp_path, graph(weights=0.0, bias=float(np.log(4))))
    assert addon.live(six_people, six_faces[0]) == pytest.approx(PASSIVE_EVEN)


@pytest.mark.parametrize("bias", [-1000.0, 1000.0])
def test_it_may_be_certain(
    bias: float, six_people: Image, six_faces: list[Face], tmp_path: Path
) -> None:
    addon = loaded(tmp_path, graph(weights=0.0, bias=bias))
    assert addon.live(six_people, six_faces[0]) == (1.0 if bias > 0 else 0.0)


def test_a_face_with_too_little_around_it_is_not_judged(
    six_people: Image, six_faces: list[Face], tmp_path: Path
) -> None:
    from insightface.addons import Liveness  # noqa: PLC0415 — warns when imported

    addon = loaded(tmp_path, graph(weights=0.02, bias=0.0))
    theirs = Liveness(pack_folder(tmp_path, INSIGHTFACE_LIVENESS) / "liveness.onnx")
    face = six_faces[0]
    x, y, width, height = (int(value) for value in face.box)
    alone = six_people[y : y + height, x : x + width].copy()
    corner = np.array([x, y], np.float32)
    box = face.box - np.array([x, y, 0, 0], np.float32)
    within = Face(box, face.landmarks - corner, face.score)
    assert theirs.predict(alone, within.landmarks)["status"] == "input_rejected"
    assert addon.live(alone, within) is None

    whole, cut = LivenessTrack(addon), LivenessTrack(addon)
    whole.offer(six_people, face, assess(six_people, face), 1.0)
    cut.offer(alone, within, assess(six_people, face), 1.0)
    assert (len(whole.scores), len(cut.scores)) == (1, 0)


def test_other_bytes_are_refused(tmp_path: Path) -> None:
    confirm_licence(INSIGHTFACE_LIVENESS, tmp_path)
    with pytest.raises(ModelsMissing, match="gatehouse models fetch --pack insightface-liveness"):
        load_passive(tmp_path, pack=INSIGHTFACE_LIVENESS)
    where = pack_folder(tmp_path, INSIGHTFACE_LIVENESS)
    where.mkdir(parents=True)
    (where / "liveness.onnx").write_bytes(graph(weights=0.02, bias=0.0))
    with pytest.raises(ModelDamaged, match="not the published one"):
        load_passive(tmp_path, pack=INSIGHTFACE_LIVENESS)


def test_nothing_is_fetched_or_loaded_before_its_licence_is_confirmed(tmp_path: Path) -> None:
    pack = carried(tmp_path / "stick", graph(weights=0.02, bias=0.0))
    with pytest.raises(LicenceNotConfirmed, match="non-commercial research"):
        fetch(pack, tmp_path, local=tmp_path / "stick")
    where = pack_folder(tmp_path, pack)
    assert not where.exists()
    # Put there by hand, or by insightface itself.
    where.mkdir(parents=True)
    (tmp_path / "stick" / "liveness.onnx").rename(where / "liveness.onnx")
    with pytest.raises(LicenceNotConfirmed, match="--accept-licence"):
        load_passive(tmp_path, pack=pack)
    confirm_licence(pack, tmp_path)
    assert licence_confirmed(pack, tmp_path)
    load_passive(tmp_path, pack=pack)
