"""What one frame shows: moiré, paper, a bezel, a hand that holds a card.

The Silent-Face pair of networks (see `models.minifasnet`), or InsightFace's add-on where its file
is (see `insightface_addon`); one or the other. The pair was trained on pictures of a phone's
camera. Blur and little contrast push live faces down, so frames are chosen before they are judged,
and several are judged before anything is believed.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Face, Image, Session
from face_engine.liveness.insightface_addon import InsightFaceLiveness
from face_engine.models import minifasnet_form
from face_engine.models.licences import require_licence
from face_engine.models.prepared import load_prepared
from face_engine.models.purposes import require_fit
from face_engine.models.registry import SILENT_FACE, PinnedPack, Role, default_folder
from face_engine.models.sessions import CPU, open_session

_LIVE_CLASS: Final = 1
# How much of the picture around the face each network was trained on.
_GROWTH: Final = {Role.LIVENESS_NEAR: 2.7, Role.LIVENESS_WIDE: 4.0}


class PassiveLiveness(Protocol):
    """Networks that tell faces from pictures by one look."""

    def live(self, image: Image, face: Face) -> float | None:
        """How alike a live face this is, 0..1, `fusion.PASSIVE_EVEN` speaking for neither.

        None where the picture shows too little of what is around the face.
        """
        ...


def surroundings(image: Image, box: NDArray[np.floating], growth: float) -> Image:
    """What is around a face, as a network takes it: (80, 80, 3) uint8 BGR.

    The box, (4,) left, top, width, height, is grown about its middle, less where the picture is
    too small, and moved to stay inside the picture.
    """
    height, width = image.shape[:2]
    left, top, across, down = (float(value) for value in box)
    growth = min(growth, (width - 1) / max(across, 1), (height - 1) / max(down, 1))
    size = np.array([across, down]) * growth
    corner = np.array([left, top]) + (np.array([across, down]) - size) / 2
    corner = np.clip(corner, 0, np.maximum(np.array([width, height]) - 1 - size, 0))
    x1, y1 = corner.astype(int)
    x2, y2 = (corner + size).astype(int) + 1
    part = image[y1:y2, x1:x2]
    return np.asarray(cv2.resize(part, (minifasnet_form.SIDE, minifasnet_form.SIDE)), np.uint8)


class SilentFace:
    """The two networks; may be used from several threads at once."""

    def __init__(self, near: Session, wide: Session) -> None:
        self._networks = (
            (near, _GROWTH[Role.LIVENESS_NEAR]),
            (wide, _GROWTH[Role.LIVENESS_WIDE]),
        )

    def live(self, image: Image, face: Face) -> float:
        """How alike a live face this is, 0..1: the mean of what both networks make of it."""
        return float(np.mean([self._one(*net, image, face) for net in self._networks]))

    def _one(self, network: Session, growth: float, image: Image, face: Face) -> float:
        picture = surroundings(image, face.box, growth)
        blob = np.ascontiguousarray(picture.transpose(2, 0, 1)[None], dtype=np.float32)
        (classes,) = network.run([minifasnet_form.OUTPUT], {minifasnet_form.INPUT: blob})
        return float(classes[0, _LIVE_CLASS])


def load_passive(
    folder: Path | None = None,
    *,
    pack: PinnedPack = SILENT_FACE,
    threads: int = 1,
    providers: Sequence[str] = CPU,
) -> PassiveLiveness:
    """Load one of `registry.LIVENESS_PACKS` from the models folder; never downloads.

    Raises:
        ModelsMissing, ModelDamaged: with the command that mends it.
        LicenceNotConfirmed: the pack's licence was not confirmed on this machine.
    """
    where = default_folder() if folder is None else folder
    graphs = {file.role: load_prepared(where, pack, file) for file in pack.files}
    require_licence(pack, where)
    networks = {
        role: open_session(graph, threads=threads, providers=providers)
        for role, graph in graphs.items()
    }
    for role, network in networks.items():
        require_fit(network, role, pack.file(role).name)
    if Role.LIVENESS_ALIGNED in networks:
        network = networks[Role.LIVENESS_ALIGNED]
        return InsightFaceLiveness(network, network.get_inputs()[0].name)
    return SilentFace(networks[Role.LIVENESS_NEAR], networks[Role.LIVENESS_WIDE])
