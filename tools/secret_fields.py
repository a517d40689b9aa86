"""Finds fields that hold a secret and would stand in a log: their class shows them in its `repr`.

Reads the sources, and imports nothing. A field counts by its name and type, a class by its bases: a
dataclass or a Pydantic model hides a field with `repr=False`, a msgspec struct, which cannot, by a
`__repr__` of its own or of a base.
"""

import ast
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

_SECRET: Final = re.compile(
    r"(^|_)(secret|secrets|password|passphrase|pin|csrf|phone|plate|guardian|template|matrix|probe"
    r"|crops|auth|private|link|fragment|qr_pass|cards)$"
)
_KEY: Final = re.compile(r"(^|_)keys?$")
_HARMLESS_TYPES: Final = re.compile(r"\b(bool|int|float|Path|Callable|Mapped)\b")
_PUBLIC_KEYS: Final = frozenset(
    {"reply_key", "peer_key", "server_key", "public_key", "phone_key", "pass_key", "cloud_key"}
)
"""Public parts, and ids of keys."""
_WITH_A_PERSON: Final = frozenset({"phone", "plate", "visiting", "unit", "person", "guardian"})
"""Beside one of these, `name` is a person's."""
_ONE_TIME: Final = frozenset(
    {"IssuedCode", "CodeIssued", "RecoveryCodes", "SetupRequest", "CloudRequest"}
)
"""Classes whose `code` or `codes` let somebody in; everywhere else they are the codes of errors."""
EXCEPTIONS: Final[Mapping[str, str]] = {
    "Header.key": "encapsulated by HPKE: of use to whoever holds the recovery key",
    "Estate.recovery": "of the ledger, after a restore",
    "Settings.gate_pin": "the number of a wire",
    "DoorConfigured.name": "the door's",
}
"""`Class.field` that only sounds like one, and why."""


@dataclass(frozen=True)
class _Class:
    place: str
    node: ast.ClassDef
    bases: tuple[str, ...]
    fields: Mapping[str, ast.AnnAssign] = field(default_factory=dict)

    @property
    def is_dataclass(self) -> bool:
        return any("dataclass" in ast.unparse(one) for one in self.node.decorator_list)

    @property
    def has_repr(self) -> bool:
        return any(
            isinstance(one, ast.FunctionDef) and one.name == "__repr__" for one in self.node.body
        )


def shown_secrets(files: Iterable[Path], root: Path) -> Iterator[str]:
    """Yield each field that holds a secret and is shown, with its place."""
    trees = {file: ast.parse(file.read_text("utf-8")) for file in files}
    hidden = {name for tree in trees.values() for name in _hidden_types(tree)}
    classes = [one for file, tree in trees.items() for one in _classes(file, tree, root)]
    by_name: dict[str, list[_Class]] = {}
    for one in classes:
        by_name.setdefault(one.node.name, []).append(one)
    for one in classes:
        kind = _kind(one, by_name)
        if not kind or _hides(one, by_name):
            continue
        for name, line in one.fields.items():
            label = f"{one.node.name}.{name}"
            masked = label in EXCEPTIONS or _masked(line, hidden)
            if _is_secret(one, name, line) and not masked:
                yield f"{one.place}:{line.lineno} {label} is shown by repr()"


def _hidden_types(tree: ast.Module) -> Iterator[str]:
    """Yield the names of types that hide themselves, as `Password` of staff does."""
    for line in tree.body:
        if isinstance(line, ast.Assign) and "repr=False" in ast.unparse(line.value):
            yield from (one.id for one in line.targets if isinstance(one, ast.Name))


def _classes(file: Path, tree: ast.Module, root: Path) -> Iterator[_Class]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            bases = tuple(ast.unparse(base).split("[")[0].split(".")[-1] for base in node.bases)
            fields = {
                line.target.id: line
                for line in node.body
                if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name)
            }
            yield _Class(str(file.relative_to(root)), node, bases, fields)


def _kind(one: _Class, by_name: Mapping[str, list[_Class]]) -> str:
    if one.is_dataclass:
        return "dataclass"
    for base in one.bases:
        if base in {"Struct", "BaseModel", "BaseSettings", "NamedTuple"}:
            return base
        for above in by_name.get(base, ()):
            if above is not one and (kind := _kind(above, by_name)) and kind != "dataclass":
                return kind
    return ""


def _hides(one: _Class, by_name: Mapping[str, list[_Class]]) -> bool:
    if one.has_repr:
        return True
    if one.is_dataclass:  # which writes its own over a base's
        return False
    return any(
        _hides(above, by_name)
        for base in one.bases
        for above in by_name.get(base, ())
        if above is not one
    )


def _is_secret(one: _Class, name: str, line: ast.AnnAssign) -> bool:
    kind = ast.unparse(line.annotation)
    if _HARMLESS_TYPES.search(kind) or "ClassVar" in kind:
        return False
    if name == "name":
        return bool(_WITH_A_PERSON & one.fields.keys())
    if name in {"code", "codes"}:
        return one.node.name in _ONE_TIME
    if _KEY.search(name):
        return name not in _PUBLIC_KEYS and bool(re.search(r"bytes|Private", kind))
    return bool(_SECRET.search(name))


def _masked(line: ast.AnnAssign, hidden: Container[str]) -> bool:
    kind = ast.unparse(line.annotation)
    return kind in hidden or "repr=False" in kind + (ast.unparse(line.value) if line.value else "")
