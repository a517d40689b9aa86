"""Hypothesis strategies for every message, read off its own declared bounds."""

from typing import Any

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from msgspec import inspect

FUZZ = settings(max_examples=25, deadline=None)
"""For every property here: the machine may be busy, and each gate has cases of its own."""

MAX_BYTES = 300  # longer ones add time, not cases


def messages(message_type: type[msgspec.Struct]) -> st.SearchStrategy[Any]:
    return _strategy(inspect.type_info(message_type))


def _strategy(info: inspect.Type) -> st.SearchStrategy[Any]:  # noqa: C901, PLR0911 -- one per type
    match info:
        case inspect.StructType(cls=cls, fields=fields):
            return st.builds(cls, **{field.name: _strategy(field.type) for field in fields})
        case inspect.StrType(pattern=str(pattern)):
            return st.from_regex(pattern.replace(r"\Z", "$"), fullmatch=True).map(str.rstrip)
        case inspect.StrType(min_length=low, max_length=high):
            return st.text(min_size=low or 0, max_size=min(high or 50, 50))
        case inspect.BytesType(min_length=low, max_length=high):
            return st.binary(min_size=low or 0, max_size=max(low or 0, min(high or 0, MAX_BYTES)))
        case inspect.IntType(ge=low, le=high):
            return st.integers(low, high)
        case inspect.FloatType(ge=low, le=high):
            return st.floats(low, high, allow_nan=False, allow_infinity=False)
        case inspect.BoolType():
            return st.booleans()
        case inspect.LiteralType(values=values):
            return st.sampled_from(values)
        case inspect.VarTupleType(item_type=item, min_length=low, max_length=high):
            return st.lists(
                _strategy(item), min_size=low or 0, max_size=max(low or 0, min(high or 3, 3))
            ).map(tuple)
        case inspect.NoneType():
            return st.none()
        case inspect.UnionType(types=types):
            return st.one_of(*map(_strategy, types))
    raise NotImplementedError(info)


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """Return `whole` with a byte changed, cut short, or with something behind it."""
    data = bytearray(whole)
    kind = draw(st.sampled_from(["flip", "cut", "grow", "swap"]))
    at = draw(st.integers(0, len(data) - 1))
    if kind == "flip":
        data[at] ^= draw(st.integers(1, 255))
    elif kind == "cut":
        del data[at:]
    elif kind == "grow":
        data += draw(st.binary(min_size=1, max_size=20))
    else:
        other = draw(st.integers(0, len(data) - 1))
        data[at], data[other] = data[other], data[at]
    return bytes(data)
