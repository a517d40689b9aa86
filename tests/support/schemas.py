"""What does not fit a JSON schema: the part of the vocabulary that our descriptions use."""

import re
from collections.abc import Iterator
from typing import Any

from tier_kit.openapi import is_kind

ANNOTATIONS = frozenset(
    {"title", "description", "default", "examples", "format", "discriminator", "contentMediaType"}
)
CHECKED = frozenset(
    {"$ref", "anyOf", "oneOf", "type", "enum", "const", "pattern", "items", "properties"}
    | {"required", "additionalProperties", "minimum", "maximum", "minLength", "maxLength"}
    | {"minItems", "maxItems", "exclusiveMinimum"}
)


def misfits(
    value: Any, schema: dict[str, Any], known: dict[str, Any], at: str = ""
) -> Iterator[str]:
    """Yield where and how a value does not fit a schema, whose references are among `known`."""
    unknown = schema.keys() - ANNOTATIONS - CHECKED
    if unknown:
        yield f"{at}: this checker knows nothing of {sorted(unknown)}"
    if "$ref" in schema:
        yield from misfits(value, known[schema["$ref"].rpartition("/")[2]], known, at)
        return
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        if not any(not list(misfits(value, one, known)) for one in choices):
            yield f"{at}: {value!r} fits none of the choices"
        return
    if "type" in schema and not is_kind(schema, value, known):
        yield f"{at}: {value!r} is no {schema['type']}"
        return
    if value not in schema.get("enum", [value]) or value != schema.get("const", value):
        yield f"{at}: {value!r} is not among the values"
    yield from _contents(value, schema, known, at)


def _contents(value: Any, schema: dict[str, Any], known: dict[str, Any], at: str) -> Iterator[str]:
    if isinstance(value, str):
        yield from _bounds(len(value), schema, "Length", at)
        if not re.search(schema.get("pattern", ""), value):
            yield f"{at}: {value!r} does not match {schema['pattern']}"
    elif isinstance(value, list):
        yield from _bounds(len(value), schema, "Items", at)
        for place, one in enumerate(value):
            yield from misfits(one, schema.get("items", {}), known, f"{at}/{place}")
    elif isinstance(value, dict):
        yield from _object(value, schema, known, at)
    elif isinstance(value, int | float):
        yield from _bounds(value, schema, "imum", at)


def _object(
    value: dict[str, Any], schema: dict[str, Any], known: dict[str, Any], at: str
) -> Iterator[str]:
    fields = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{at}: {name} is missing"
    for name, one in value.items():
        if name in fields:
            yield from misfits(one, fields[name], known, f"{at}/{name}")
        elif fields and not schema.get("additionalProperties"):
            yield f"{at}: {name} is described nowhere"


def _bounds(size: float, schema: dict[str, Any], word: str, at: str) -> Iterator[str]:
    least, most = schema.get(f"min{word}", size), schema.get(f"max{word}", size)
    if not least <= size <= most:
        yield f"{at}: {size} is not within {least} and {most}"
