"""From a pack's name to something that detects and encodes."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from face_engine import centring
from face_engine.detector import YuNetDetector
from face_engine.encoder import SFaceEncoder
from face_engine.errors import PackUnknown
from face_engine.faces import Detector, Encoder, Vectors
from face_engine.models.insightface_packs import load_insightface_pack
from face_engine.models.openvino_sessions import OpenVinoSession
from face_engine.models.prepared import load_prepared
from face_engine.models.purposes import require_fit
from face_engine.models.registry import (
    DEFAULT_PACK,
    InsightFacePack,
    PinnedPack,
    Role,
    Runtime,
    default_folder,
    pack_named,
)
from face_engine.models.sessions import CPU, open_session

_UNCENTRED = "-uncentred"


@dataclass(frozen=True, slots=True, eq=False)
class FacePack:
    """A detector and an encoder that belong together.

    Attributes:
        name: the pack's name.
        template_space: names the space its vectors live in; vectors of two spaces never compare.
        detector: finds faces.
        encoder: turns aligned faces into vectors.
        folder: the models folder it comes from; None is the default one.
    """

    name: str
    template_space: str
    detector: Detector
    encoder: Encoder
    folder: Path | None = None

    def uncentred(self) -> Self:
        """The pack with its vectors as the network has them: a space of its own."""
        encoder = self.encoder
        if isinstance(encoder, centring.CentredEncoder):
            encoder = encoder.network
        space = self.template_space.removesuffix(_UNCENTRED) + _UNCENTRED
        return replace(self, template_space=space, encoder=encoder)

    def centred(self, vectors: Vectors) -> Vectors:
        """What `encoder` would have given for (N, d) unit vectors of the uncentred pack."""
        if isinstance(self.encoder, centring.CentredEncoder):
            return centring.centre(vectors, self.encoder.middle)
        return vectors


def _load_pinned(pack: PinnedPack, folder: Path, threads: int, runtime: Runtime) -> FacePack:
    detector = open_session(load_prepared(folder, pack, pack.file(Role.DETECTOR)), threads=threads)
    require_fit(detector, Role.DETECTOR, pack.file(Role.DETECTOR).name)
    encoder = load_prepared(folder, pack, pack.file(Role.ENCODER), runtime)
    if runtime is Runtime.OPENVINO:
        network = SFaceEncoder(OpenVinoSession(encoder, threads=threads, batch=1), largest_batch=1)
    else:
        session = open_session(encoder, threads=threads)
        require_fit(session, Role.ENCODER, pack.file(Role.ENCODER).name)
        network = SFaceEncoder(session)
    middle = centring.load(pack.template_space)
    return FacePack(
        name=pack.name,
        template_space=pack.template_space,
        detector=YuNetDetector(detector),
        encoder=centring.CentredEncoder(network, middle.vector) if middle else network,
    )


def load_pack(
    name: str = DEFAULT_PACK,
    folder: Path | None = None,
    *,
    threads: int = 1,
    runtime: Runtime | str = Runtime.ONNXRUNTIME,
) -> FacePack:
    """Load a pack from the models folder (default: `registry.default_folder()`).

    Never downloads. `threads` is what one run of one model may use; one session per model is
    shared by all callers and may be used from several threads at once. `runtime` runs the default
    pack's encoder; InsightFace's packs always run on onnxruntime. Vectors of both are of one space.

    Raises:
        PackUnknown: there is no such pack, or it is not one that recognises,
            or not on that runtime.
        ModelsMissing, ModelDamaged: with the command that mends it.
        ModelUnfit: a model is for something that nothing here does, see `purposes`.
        LicenceNotConfirmed: the pack's licence was not confirmed on this machine.
    """
    pack = pack_named(name)
    if isinstance(pack, PinnedPack) and not pack.template_space:
        raise PackUnknown(f"The pack '{name}' recognises nobody: it tells faces from pictures.")
    if isinstance(pack, PinnedPack) and pack.ranges and runtime != Runtime.ONNXRUNTIME:
        raise PackUnknown(f"The pack '{name}' runs on onnxruntime only.")
    where = default_folder() if folder is None else folder
    if isinstance(pack, InsightFacePack):
        space, detector, encoder = load_insightface_pack(pack, where, CPU)
        return FacePack(pack.name, space, detector, encoder, folder)
    return replace(_load_pinned(pack, where, threads, Runtime(runtime)), folder=folder)
