"""What a door sees of films of people, and of pictures of them."""

from collections.abc import Iterator
from functools import cache

from face_engine.evaluation.liveness.scenes import FRAME_S, Kind, Portrait, film
from face_engine.faces import Face, Image
from face_engine.models import FacePack


@cache
def _seen(
    pack: FacePack, portrait: Portrait, kind: Kind, turn: float | None
) -> tuple[tuple[float, Image, Face], ...]:
    return tuple(
        (number * FRAME_S, image, face)
        for number, image in enumerate(film(portrait, kind, turn=turn))
        for face in pack.detector.detect(image, longest_side=640)[:1]
    )


def seen(
    pack: FacePack, portrait: Portrait, kind: Kind, turn: float | None = None
) -> Iterator[tuple[float, Image, Face]]:
    """What a door's detector sees of a film: seconds, picture and face."""
    yield from _seen(pack, portrait, kind, turn)
