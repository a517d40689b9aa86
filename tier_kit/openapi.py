"""Completing a description of an API (OpenAPI 3.1): examples, and what each route refuses with.

Examples follow from the schemas and a list of words: for each field that holds a text, and wherever
an example should say more than its type does.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

Json: TypeAlias = dict[str, Any]

ERROR: Final = "Error"
"""Name of the schema of every refusal."""
MISSING: Final = "?"
"""Stands for a text of which there is no example; a test finds it."""
_JSON: Final = "application/json"
_REF: Final = "#/components/schemas/"
_KINDS: Final[Mapping[str, tuple[type, ...]]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
    "null": (type(None),),
}

_PLAIN: Final[Mapping[str, Any]] = {"integer": 0, "number": 0, "boolean": False, "object": {}}


@dataclass(frozen=True)
class Words:
    """Examples of fields by `Model.field` or `field`, for the schemas of one document."""

    schemas: Mapping[str, Json]
    words: Mapping[str, Any]

    def example(self, schema: Json, name: str = "") -> Any:
        """Return an example of what a schema describes; a text that has none is `MISSING`."""
        if "$ref" in schema:
            return self._object(schema["$ref"].removeprefix(_REF))
        for word in (name, name.rpartition(".")[2]):
            if word in self.words and is_kind(schema, self.words[word], self.schemas):
                return self.words[word]
        choices = schema.get("anyOf") or schema.get("oneOf")
        return self.example(choices[0], name) if choices else self._plain(schema, name)

    def _plain(self, schema: Json, name: str) -> Any:
        if "const" in schema or "enum" in schema:
            return schema.get("const", schema.get("enum", [None])[0])
        kind = str(schema.get("type"))
        if kind == "array":
            return [self.example(schema["items"], name)]
        if kind not in _PLAIN:
            return MISSING
        least = schema.get("minimum", _PLAIN[kind])
        return int(least) if kind == "integer" else least

    def _object(self, model: str) -> Any:
        schema = self.schemas[model]
        if "properties" not in schema:
            return self.example(schema, model)
        if model in self.words:
            return self.words[model]
        return {
            field: self.example(one, f"{model}.{field}")
            for field, one in schema["properties"].items()
        }


def is_kind(schema: Json, value: object, schemas: Mapping[str, Json]) -> bool:
    """Say whether a value, and the first one in it, is of one of the types that a schema names."""
    if "$ref" in schema:
        return is_kind(schemas[schema["$ref"].removeprefix(_REF)], value, schemas)
    choices = schema.get("anyOf") or schema.get("oneOf")
    if choices:
        return any(is_kind(one, value, schemas) for one in choices)
    kind = schema.get("type")
    if kind is None or (isinstance(value, bool) and kind != "boolean"):
        return False
    first = value[:1] if isinstance(value, list) and kind == "array" else []
    return isinstance(value, _KINDS[kind]) and all(
        is_kind(schema["items"], inner, schemas) for inner in first
    )


def describe(
    document: Json,
    words: Mapping[str, Any],
    answers: Mapping[str, Any],
    refusals: Mapping[str, Iterable[tuple[int, str]]],
    sentences: Mapping[str, str],
) -> Json:
    """Give every operation of a document a summary, examples and its refusals; return it.

    Args:
        document: as the web framework wrote it.
        words: examples of fields, see `Words`; of a whole model by its name.
        answers: examples of whole answers, by `METHOD path`.
        refusals: status and code of what each operation refuses, by `METHOD path`.
        sentences: what codes say.
    """
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    schemas[ERROR] = _error_schema()
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    examples = Words(schemas, words)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            key = f"{method.upper()} {path}"
            if "description" in operation:
                operation["summary"] = operation["description"].partition("\n")[0]
            sent = operation.get("requestBody", {}).get("content", {}).get(_JSON)
            if sent is not None:
                sent["example"] = examples.example(sent["schema"])
            for status, response in operation["responses"].items():
                answered = response.get("content", {}).get(_JSON)
                if status.startswith("2") and answered is not None:
                    known = answers.get(key)
                    shown = examples.example(answered["schema"]) if known is None else known
                    answered["example"] = shown
            operation["responses"].pop("422", None)
            _add_refusals(operation, refusals.get(key, ()), sentences)
    return document


def _add_refusals(
    operation: Json, refusals: Iterable[tuple[int, str]], sentences: Mapping[str, str]
) -> None:
    by_status: dict[int, list[str]] = {}
    for status, code in refusals:
        by_status.setdefault(status, []).append(code)
    for status, codes in sorted(by_status.items()):
        operation["responses"][str(status)] = {
            "description": ", ".join(f"`{code}`" for code in codes),
            "content": {
                _JSON: {
                    "schema": {"$ref": _REF + ERROR},
                    "examples": {
                        code: {
                            "value": {"error": {"code": code, "message": sentences.get(code, code)}}
                        }
                        for code in codes
                    },
                }
            },
        }


def _error_schema() -> Json:
    texts = {name: {"type": "string"} for name in ("code", "message", "field")}
    error = {"type": "object", "properties": texts, "required": ["code", "message"]}
    return {"type": "object", "properties": {"error": error}, "required": ["error"]}
