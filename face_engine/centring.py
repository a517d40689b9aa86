"""Face vectors seen from the middle of all faces, not from the origin.

An encoder trained on millions of faces still puts them all to one side of the sphere: the mean
of SFace's unit vectors is a third long, and that shared third says nothing of who somebody is.
Vectors less that mean, scaled to unit length again, tell people apart better (J. Mu and
P. Viswanath, "All-but-the-Top", ICLR 2018, found the same of words); by how much stands in
`docs/face-engine.md`. A middle belongs to one encoder and is made by `gatehouse evaluate
--write-middle`; its file names its data and its command.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np

from face_engine.encoder import normalise
from face_engine.faces import Encoder, Image, Vectors


@dataclass(frozen=True, slots=True, eq=False)
class Middle:
    """The mean direction of many people's faces, as one encoder sees them.

    Attributes:
        source: the photos it comes from.
        command: what made the file.
        people: how many, each with one vote.
        vector: (d,) float32, shorter than 1.
    """

    source: str
    command: str
    people: int
    vector: Vectors


def centre(vectors: Vectors, middle: Vectors) -> Vectors:
    """(N, d) or (d,) unit vectors as seen from a (d,) middle: unit vectors again."""
    return normalise(vectors - middle)


def middle_of(people: Sequence[Vectors]) -> Vectors:
    """The middle of people with (n, d) vectors each: everybody counts once, however often seen."""
    directions = np.stack([normalise(vectors.sum(axis=0)) for vectors in people])
    return np.asarray(directions.mean(axis=0), np.float32)


class CentredEncoder:
    """An encoder whose vectors are centred.

    Attributes:
        network: the encoder as its authors published it.
        middle: (d,) float32.
    """

    def __init__(self, network: Encoder, middle: Vectors) -> None:
        self.network = network
        self.middle = middle

    @property
    def dimension(self) -> int:
        """Values in one vector."""
        return self.network.dimension

    def encode(self, crops: Image) -> Vectors:
        """(N, 112, 112, 3) uint8 BGR aligned faces to (N, dimension) float32 of unit length."""
        return centre(self.network.encode(crops), self.middle)


def to_json(middle: Middle) -> str:
    """The middle as a file: JSON, one field a line, six digits a value."""
    fields = {
        "source": middle.source,
        "command": middle.command,
        "people": middle.people,
        "vector": [round(float(value), 6) for value in middle.vector],
    }
    lines = (f"  {json.dumps(name)}: {json.dumps(value)}" for name, value in fields.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def from_json(text: str) -> Middle:
    """Out and back with `to_json`."""
    fields = json.loads(text)
    return Middle(**fields | {"vector": np.asarray(fields["vector"], np.float32)})


@cache
def load(template_space: str) -> Middle | None:
    """The middle shipped for a template space; None where vectors stay as the network has them."""
    file = resources.files("face_engine") / "middles" / f"{template_space}.json"
    return from_json(file.read_text("utf-8")) if file.is_file() else None
