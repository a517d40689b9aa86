"""What a gate is to a fuzzer, and random changes of honest samples."""

import importlib
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
CORPUS: Final = HERE / "corpus"
"""Inputs that were findings once, by gate: each is tried at every run."""

_EDGES: Final = (0x00, 0x01, 0x22, 0x2D, 0x5B, 0x7B, 0x7F, 0x80, 0xC0, 0xDD, 0xFE, 0xFF)
"""Bytes at which formats turn: zero, brackets, quotes, ends of ranges, long arrays."""
_MOST_CHANGES: Final = 4


@dataclass(frozen=True)
class Gate:
    """One way in.

    Attributes:
        one: Takes an input; returns, or raises one of `refusals`. Anything else is a finding.
        seeds: Makes honest samples, each of which `one` takes.
        refusals: What may be raised, each an error of ours.
        most: Bytes of the longest input tried.
        seconds: Of processor time that an input may take, without the fuzzer's own cost.
        refuses: Whether changed samples are refused; a picture in which nothing is found is none.
    """

    one: Callable[[bytes], object]
    seeds: Callable[[], Sequence[bytes]]
    refusals: tuple[type[Exception], ...]
    most: int = 4096
    seconds: float = 0.5
    refuses: bool = True

    def takes(self, data: bytes) -> bool:
        """Say whether an input passes; False where it is refused as it should be."""
        try:
            self.one(data)
        except self.refusals:
            return False
        return True


def names() -> list[str]:
    """Return the names of all gates."""
    return sorted(path.stem for path in (HERE / "gates").glob("[a-z]*.py"))


def load(name: str) -> Gate:
    """Import a gate, and with it what it looks into."""
    gate = importlib.import_module(f"tests.fuzz.gates.{name}").GATE
    assert isinstance(gate, Gate)
    return gate


def stored(name: str) -> list[Path]:
    """Return the inputs that were findings at this gate."""
    return sorted((CORPUS / name).glob("*"))


def changed(seeds: Sequence[bytes], count: int, seed: int) -> Iterator[bytes]:
    """Yield so many random changes of samples, the same ones for the same `seed`."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, _MOST_CHANGES)):
            _change(data, chance, seeds)
        yield bytes(data)


def _change(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    to = min(len(data), at + chance.randint(1, 16))
    match chance.randrange(7):
        case 0 if at < len(data):
            data[at] ^= 1 << chance.randrange(8)
        case 1 if at < len(data):
            data[at] = chance.choice(_EDGES)
        case 2:
            data[at:at] = bytes([chance.choice(_EDGES)]) * chance.choice((1, 2, 4, 64))
        case 3:
            del data[at:to]
        case 4:
            del data[at:]
        case 5:
            data[at:at] = data[at:to] * chance.choice((1, 3))
        case _:
            other = chance.choice(seeds)
            start = chance.randrange(len(other) + 1)
            data[at:to] = other[start : start + chance.randint(1, 64)]
