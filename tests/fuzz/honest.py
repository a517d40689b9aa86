"""An honest sample of any message, read off its own declared bounds."""

import random
import re
from collections.abc import Iterator
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

S = TypeVar("S", bound=msgspec.Struct)

_WORDS: Final = (
    "",
    "a",
    "en",
    "12",
    "0d" * 16,
    "0d" * 32,
    "2026-11-27",
    "08:30",
    "a/b/c",
    "Asia/Shanghai",
    "https://192.0.2.12:8443",
)
"""One of these fits each pattern that a field has."""


def samples(message_type: type[S], count: int, seed: int = 0) -> Iterator[S]:
    """Yield so many messages of a kind, the same ones for the same `seed`."""
    chance = random.Random(seed)
    for _ in range(count):
        yield _sample(inspect.type_info(message_type), chance)


def _sample(info: inspect.Type, chance: random.Random) -> Any:  # noqa: C901, PLR0911 -- one per type
    match info:
        case inspect.StructType(cls=cls, fields=fields):
            return cls(**{field.name: _sample(field.type, chance) for field in fields})
        case inspect.StrType(pattern=str(pattern)):
            return next(word for word in _WORDS if re.search(pattern, word))
        case inspect.StrType(min_length=low, max_length=high):
            return "门a"[: high or 2].ljust(low or 0, "x")
        case inspect.BytesType(min_length=low, max_length=high):
            return chance.randbytes(max(low or 0, min(high or 0, 40)))
        case inspect.IntType(ge=low, le=high):
            return chance.choice((low or 0, high if high is not None else 7))
        case inspect.FloatType(ge=low, le=high):
            return float(chance.choice((low or 0, high if high is not None else 7)))
        case inspect.BoolType():
            return chance.random() < 0.5
        case inspect.LiteralType(values=values):
            return chance.choice(values)
        case inspect.EnumType(cls=cls):
            return chance.choice(list(cls))
        case inspect.VarTupleType(item_type=item, min_length=low):
            return tuple(_sample(item, chance) for _ in range(max(low or 0, chance.randrange(3))))
        case inspect.NoneType():
            return None
        case inspect.UnionType(types=types):
            return _sample(chance.choice(types), chance)
    raise NotImplementedError(info)
