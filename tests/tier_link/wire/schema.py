"""A message's shape as plain data, and a reader made from it: what a release could read.

A shape holds fields in order, types and bounds, as they were declared. A reader that is built from
it refuses what that release's types refused; checks that it made by hand are not in it.
"""

import pkgutil
from importlib import import_module
from typing import Annotated, Any, Literal, Union

import msgspec
from msgspec import Meta, inspect

import tier_link
from tier_link.messages import Message

Shape = dict[str, Any]
_BOUNDS = ("ge", "gt", "le", "lt", "min_length", "max_length", "pattern")
_PLAIN: dict[type, tuple[str, Any]] = {
    inspect.StrType: ("str", str),
    inspect.BytesType: ("bytes", bytes),
    inspect.IntType: ("int", int),
    inspect.FloatType: ("float", float),
    inspect.BoolType: ("bool", bool),
    inspect.NoneType: ("none", None),
}
_TYPES = dict(_PLAIN.values())


def wire_messages() -> dict[str, type[Message]]:
    """Return every message that a link, a pairing or a ledger sends, by its class's name."""
    for module in pkgutil.walk_packages(tier_link.__path__, "tier_link."):
        import_module(module.name)
    found: dict[str, type[Message]] = {}
    waiting = list(Message.__subclasses__())
    while waiting:
        one = waiting.pop()
        waiting += one.__subclasses__()
        if one.__struct_config__.tag is not None and one.__module__.startswith("tier_link"):
            assert one.__name__ not in found
            found[one.__name__] = one
    return dict(sorted(found.items()))


def describe(message: type[msgspec.Struct]) -> Shape:
    """Return a message's shape."""
    return _describe(inspect.type_info(message))


def _describe(info: inspect.Type) -> Shape:
    if isinstance(info, inspect.StructType):
        fields = [
            {"name": field.name, "required": field.required, "type": _describe(field.type)}
            for field in info.fields
        ]
        return {
            "type": "struct",
            "name": info.cls.__name__,
            "tag": info.tag,
            "array_like": info.array_like,
            "fields": fields,
        }
    if isinstance(info, inspect.LiteralType):
        return {"type": "literal", "values": sorted(info.values)}
    if isinstance(info, inspect.UnionType):
        return {"type": "union", "types": [_describe(one) for one in info.types]}
    bounds = {name: value for name in _BOUNDS if (value := getattr(info, name, None)) is not None}
    if isinstance(info, inspect.VarTupleType):
        return {"type": "tuple", "of": _describe(info.item_type), **bounds}
    return {"type": _PLAIN[type(info)][0], **bounds}


def reader(shape: Shape) -> Any:
    """Return a type that reads what the release read whose shape this is."""
    kind = shape["type"]
    if kind == "struct":
        fields: list[Any] = [
            (one["name"], reader(one["type"]))
            if one["required"]
            else (one["name"], reader(one["type"]), None)
            for one in shape["fields"]
        ]
        return msgspec.defstruct(
            shape["name"], fields, frozen=True, array_like=shape["array_like"], tag=shape["tag"]
        )
    if kind == "literal":
        return Literal[tuple(shape["values"])]
    if kind == "union":
        return Union[tuple(reader(one) for one in shape["types"])]  # noqa: UP007 - made from data
    bounds = {name: shape[name] for name in _BOUNDS if name in shape}
    plain = tuple[reader(shape["of"]), ...] if kind == "tuple" else _TYPES[kind]  # type: ignore[misc]
    return Annotated[plain, Meta(**bounds)] if bounds else plain
