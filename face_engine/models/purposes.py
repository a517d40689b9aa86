"""What a model may be for: finding faces, telling people apart, telling faces from pictures.

Nothing here infers emotion, age, sex, race or anything else about whom it sees. Packs are published
with models that do (InsightFace's `genderage`), so a file is looked at before it is opened, and one
whose answer has another form than these three is not: it never gets into memory.
"""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from face_engine.errors import ModelUnfit
from face_engine.models.registry import Role

if TYPE_CHECKING:
    import onnx

Shape = Sequence[int | str | None]
"""Of one output; what is not a number is as long as its input makes it."""


class Purpose(StrEnum):
    """All that a model here may be for."""

    FIND = "find"
    """Where in a picture faces are: boxes, and five points for the eyes, nose and mouth."""
    TELL_APART = "tell-apart"
    """A vector, alike for pictures of one person; it names no property of theirs."""
    TELL_LIVE = "tell-live"
    """Whether a camera sees a face or a picture of one."""


PURPOSES: Final[Mapping[Role, Purpose]] = {
    Role.DETECTOR: Purpose.FIND,
    Role.ENCODER: Purpose.TELL_APART,
    Role.LIVENESS_NEAR: Purpose.TELL_LIVE,
    Role.LIVENESS_WIDE: Purpose.TELL_LIVE,
    Role.LIVENESS_ALIGNED: Purpose.TELL_LIVE,
}

_SHORTEST_VECTOR: Final = 64
"""Values of a vector that tells people apart; models of properties answer with a handful."""
_PER_PLACE: Final = frozenset({1, 4, 10})
"""Values per place that a detector gives: a score, a box, five points."""
_CELL: Final = 16
"""The same in one row, as our prepared detector has it: two scores, a box, five points."""
_ALIGNED: Final = 112
"""Pixels of the aligned face that is turned into a vector."""
_KINDS: Final = frozenset({1, 2, 3})
"""How live it is; or a live face, and one or two kinds of pictures of one."""


def fits(purpose: Purpose, outputs: Sequence[Shape]) -> bool:
    """Say whether a model that answers in this form can be for a purpose.

    The form alone does not tell whether a face is live from another answer of two or three values:
    for that, models are taken only as they are pinned in the registry, byte for byte.
    """
    match purpose:
        case Purpose.FIND if len(outputs) == 1:
            return len(outputs[0]) == 3 and outputs[0][1] == _CELL  # noqa: PLR2004 -- rows of cells
        case Purpose.FIND:
            return len(outputs) > 1 and all(shape[-1] in _PER_PLACE for shape in outputs)
        case Purpose.TELL_APART:
            return len(outputs) == 1 and _is_vector(outputs[0])
        case Purpose.TELL_LIVE:
            return len(outputs) == 1 and (len(outputs[0]) == 1 or outputs[0][-1] in _KINDS)


def require_fit(session: Any, role: Role, name: str) -> None:
    """Refuse an opened model whose answer has another form than its role's.

    Raises:
        ModelUnfit: it has.
    """
    if not fits(PURPOSES[role], [output.shape for output in session.get_outputs()]):
        raise ModelUnfit(f"{name} is no {role} model: its answer has another form")


def purpose_of_file(path: Path) -> Purpose | None:
    """Return what an ONNX file of somebody's pack can be for, without opening it for running.

    None where it is for none of what we do. Liveness is never guessed.

    Raises:
        ModelUnfit: it is no ONNX file.
    """
    import onnx  # noqa: PLC0415 -- a start that opens known models does without its 11 MB

    try:
        graph = onnx.load(str(path), load_external_data=False).graph
    except Exception as broken:
        raise ModelUnfit(f"{path} is not a model") from broken
    weights = {tensor.name for tensor in graph.initializer}
    inputs = [_shape(one) for one in graph.input if one.name not in weights]
    outputs = [_shape(one) for one in graph.output]
    if len(inputs) != 1:
        return None
    if len(outputs) > 1 and fits(Purpose.FIND, outputs):
        return Purpose.FIND
    sides = list(inputs[0][2:])
    if sides == [_ALIGNED, _ALIGNED] and fits(Purpose.TELL_APART, outputs):
        return Purpose.TELL_APART
    return None


def _is_vector(shape: Shape) -> bool:
    length = shape[-1]
    return len(shape) == 2 and isinstance(length, int) and length >= _SHORTEST_VECTOR  # noqa: PLR2004 -- faces by values


def _shape(value: "onnx.ValueInfoProto") -> Shape:
    sizes = value.type.tensor_type.shape.dim
    return [size.dim_value or size.dim_param or None for size in sizes]
