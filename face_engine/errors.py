"""Everything the face engine refuses, as one tree.

FaceEngineError
├── ModelsMissing        a pack's files are not in the models folder
├── ModelDamaged         a file's bytes are not the published ones
├── ModelUnfit           a model is for something that nothing here does
├── ModelsUnavailable    no source could give a file
├── LicenceNotConfirmed  a pack's licence has to be read and confirmed first
├── PackUnknown          no pack has this name
├── CalibrationMissing   this model has no calibration
├── PhotoRefused         a photo cannot be used (see `PhotoReason`)
├── IndexMisused         the gallery index was given an unknown id, a double one or a bad vector
└── EvaluationImpossible the folder or pair list cannot be evaluated
"""

from enum import StrEnum
from typing import ClassVar


class FaceEngineError(Exception):
    """Base of all errors of the face engine; `code` is stable and meant for programs."""

    code: ClassVar[str] = "face-engine-error"


class ModelsMissing(FaceEngineError):
    """A pack's files are not in the models folder."""

    code = "models-missing"


class ModelDamaged(FaceEngineError):
    """A model file's bytes are not the published ones."""

    code = "model-damaged"


class ModelUnfit(FaceEngineError):
    """A model answers something else than where faces are, who is alike, or what is live."""

    code = "model-unfit"


class ModelsUnavailable(FaceEngineError):
    """No source could give a model file."""

    code = "models-unavailable"


class LicenceNotConfirmed(FaceEngineError):
    """The pack's licence has to be read and confirmed before its first use."""

    code = "licence-not-confirmed"


class PackUnknown(FaceEngineError):
    """No pack has this name."""

    code = "pack-unknown"


class CalibrationMissing(FaceEngineError):
    """This template model has no calibration file."""

    code = "calibration-missing"


class IndexMisused(FaceEngineError):
    """The gallery index was given an unknown id, an id twice, or a vector it cannot hold."""

    code = "index-misused"


class EvaluationImpossible(FaceEngineError):
    """The folder of photos or the list of pairs cannot be evaluated."""

    code = "evaluation-impossible"


class PhotoReason(StrEnum):
    """Why a photo cannot be used: one reason per photo, worst first."""

    NOT_AN_IMAGE = "not-an-image"
    IMAGE_TRUNCATED = "image-truncated"
    IMAGE_TOO_LARGE = "image-too-large"
    NO_FACE = "no-face"
    SEVERAL_FACES = "several-faces"
    FACE_CUT_OFF = "face-cut-off"
    FACE_TOO_SMALL = "face-too-small"
    TOO_DARK = "too-dark"
    TOO_BRIGHT = "too-bright"
    LOW_CONTRAST = "low-contrast"
    TURNED_AWAY = "turned-away"
    TILTED = "tilted"
    BLURRED = "blurred"
    DIFFERENT_PEOPLE = "different-people"
    WOULD_NOT_OPEN = "would-not-open"


class PhotoRefused(FaceEngineError):
    """A photo that cannot be used.

    Attributes:
        reason: the one reason to tell the person.
        photo: which of the photos given, from 0; -1 when it is none in particular.
    """

    code = "photo-refused"

    def __init__(self, reason: PhotoReason, photo: int = -1) -> None:
        super().__init__(f"photo {photo} refused: {reason}" if photo >= 0 else str(reason))
        self.reason = reason
        self.photo = photo
