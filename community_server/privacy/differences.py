"""What is another by now than in the configuration that was signed for."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_BY: Final[Mapping[str, str]] = {"doors": "name", "models": "name", "retention": "kind"}
"""Lists of things, and by what one of them is known."""
_THING: Final = "there"
"""Stands for a thing as a whole: it was added, or is gone."""


@dataclass(frozen=True)
class Difference:
    """One thing that changed; `before` and `after` are plain values, None for what is not there.

    `what` names a field of the configuration, or of a door, model or kind of data; then `subject`
    says which. `what` is `there` for one that was added or is gone.
    """

    group: str
    subject: str
    what: str
    before: Any
    after: Any


def differences(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return what changed between two configurations, see `assessment.read_facts`."""
    found = []
    for key in dict.fromkeys([*before, *after]):
        old, new = before.get(key), after.get(key)
        if old == new:
            continue
        if key in _BY:
            found += list(_within(key, old or (), new or ()))
        else:
            found.append(Difference("", "", key, old, new))
    return found


def _within(
    key: str, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]
) -> Iterator[Difference]:
    old, new = _named(key, before), _named(key, after)
    for name in dict.fromkeys([*old, *new]):
        if name not in old or name not in new:
            yield Difference(key, name[0], _THING, name in old, name in new)
            continue
        one, other = old[name], new[name]
        for what in dict.fromkeys([*one, *other]):
            if one.get(what) != other.get(what):
                yield Difference(key, name[0], what, one.get(what), other.get(what))


def _named(
    key: str, things: Sequence[Mapping[str, Any]]
) -> dict[tuple[str, int], Mapping[str, Any]]:
    """Return things by name; the second of one name is another thing."""
    found: dict[tuple[str, int], Mapping[str, Any]] = {}
    for thing in things:
        name = str(thing[_BY[key]])
        found[name, sum(1 for known, _ in found if known == name)] = thing
    return found
