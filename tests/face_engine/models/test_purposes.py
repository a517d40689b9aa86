"""Nothing here infers emotion, age, sex or race: a model that could is never opened."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from face_engine.errors import ModelsMissing, ModelUnfit
from face_engine.models import load_pack
from face_engine.models.files import read_verified
from face_engine.models.licences import confirm_licence
from face_engine.models.preparation import mend
from face_engine.models.prepared import load_prepared
from face_engine.models.purposes import PURPOSES, Purpose, fits, purpose_of_file, require_fit
from face_engine.models.registry import (
    OPENCV_ZOO,
    PINNED_PACKS,
    InsightFacePack,
    Role,
    pack_named,
)
from face_engine.models.sessions import open_session

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")


def answering(path: Path, side: int, values: int, answers: int = 1) -> Path:
    """Make a model of a picture that answers so many times with so many values."""
    weights = numpy_helper.from_array(np.zeros((3, values), np.float32), "weights")
    nodes = [helper.make_node("GlobalAveragePool", ["picture"], ["pooled"])]
    nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
    names = [f"answer{number}" for number in range(answers)]
    nodes += [helper.make_node("MatMul", ["flat", "weights"], [name]) for name in names]
    graph = helper.make_graph(
        nodes,
        "made-up",
        [helper.make_tensor_value_info("picture", TensorProto.FLOAT, [1, 3, side, side])],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, values]) for name in names],
        [weights],
    )
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8),
        str(path),
    )
    return path


def test_there_are_three_purposes_and_every_file_of_every_pinned_pack_has_one() -> None:
    assert set(Purpose) == {Purpose.FIND, Purpose.TELL_APART, Purpose.TELL_LIVE}
    assert set(PURPOSES) == set(Role)
    roles = [file.role for pack in PINNED_PACKS for file in pack.files]
    assert all(PURPOSES[role] in set(Purpose) for role in roles)


@pytest.mark.parametrize("file", OPENCV_ZOO.files, ids=lambda file: file.role)
def test_the_default_packs_models_answer_in_the_form_of_their_role_alone(
    models_folder: Path, file: Any
) -> None:
    session = open_session(load_prepared(models_folder, OPENCV_ZOO, file), threads=1)
    require_fit(session, file.role, file.name)
    shapes = [output.shape for output in session.get_outputs()]
    assert [purpose for purpose in Purpose if fits(purpose, shapes)] == [PURPOSES[file.role]]


@pytest.mark.parametrize("values", [1, 2, 3, 7, 8, 40])
def test_a_model_that_answers_with_a_handful_of_values_is_no_encoder(
    tmp_path: Path, values: int
) -> None:
    """Age is one value, sex two, race and emotion some seven, attributes forty."""
    session = open_session(answering(tmp_path / "model.onnx", 112, values), threads=1)
    for role in (Role.ENCODER, Role.DETECTOR):
        with pytest.raises(ModelUnfit) as refused:
            require_fit(session, role, "model.onnx")
        assert refused.value.code == "model-unfit"


def test_an_encoder_that_answers_something_beside_its_vector_is_refused(tmp_path: Path) -> None:
    session = open_session(answering(tmp_path / "model.onnx", 112, 128, answers=2), threads=1)
    with pytest.raises(ModelUnfit):
        require_fit(session, Role.ENCODER, "model.onnx")


@pytest.mark.parametrize(("side", "values"), [(96, 3), (112, 3), (112, 7), (192, 212), (224, 128)])
def test_what_a_packs_folder_brings_beside_is_never_opened(
    tmp_path: Path, models_folder: Path, monkeypatch: pytest.MonkeyPatch, side: int, values: int
) -> None:
    """InsightFace's packs hold such files: 96 pixels and 3 values are sex and age."""
    from insightface import model_zoo  # noqa: PLC0415 -- warns when imported

    folder = tmp_path / "packs" / "own"
    folder.mkdir(parents=True)
    source = read_verified(models_folder, OPENCV_ZOO, OPENCV_ZOO.file(Role.ENCODER))
    onnx.save(mend(source, Role.ENCODER), str(folder / "w600k.onnx"))
    beside = answering(folder / "genderage.onnx", side, values)
    assert purpose_of_file(folder / "w600k.onnx") is Purpose.TELL_APART
    assert purpose_of_file(beside) is None
    pack = pack_named(str(folder))
    assert isinstance(pack, InsightFacePack)
    confirm_licence(pack, tmp_path)
    opened, really = list[str](), model_zoo.get_model

    def get_model(name: str, **more: Any) -> Any:
        opened.append(Path(name).name)
        return really(name, **more)

    monkeypatch.setattr(model_zoo, "get_model", get_model)
    with pytest.raises(ModelsMissing, match="detection"):
        load_pack(str(folder), tmp_path)
    assert opened == ["w600k.onnx"]
