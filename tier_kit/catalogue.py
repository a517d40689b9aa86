"""Every sentence that a person reads, in both languages, by dotted key.

A tier keeps `locales/en.json` and `locales/zh-CN.json`: nested objects of strings.
`{name}` in a sentence is a place for a value. Both files hold the same keys and the same
places; a catalogue that does not is refused when it is loaded, so that no person ever
meets half a translation.
"""

import json
import string
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from typing import Any, Final

from tier_kit.language import LANGUAGES, Language

_FOLDER: Final = "locales"


class CatalogueError(Exception):
    """The catalogues of a package disagree with each other or with their users."""

    code = "catalogue-broken"


@dataclass(frozen=True)
class Catalogue:
    """The sentences of one package."""

    sentences: Mapping[Language, Mapping[str, str]]

    @classmethod
    def load(cls, package: str) -> "Catalogue":
        """Read and compare the catalogues of `package`.

        Raises:
            CatalogueError: a key or a place stands in one language only, or a key twice.
        """
        folder = resources.files(package).joinpath(_FOLDER)
        catalogue = cls(
            {
                language: _flatten(_read(folder.joinpath(f"{language}.json").read_text("utf-8")))
                for language in LANGUAGES
            }
        )
        catalogue.compare()
        return catalogue

    def compare(self) -> None:
        """Refuse catalogues that differ in keys or places.

        Raises:
            CatalogueError: naming the first keys that differ.
        """
        first, *others = LANGUAGES
        for other in others:
            lonely = self.sentences[first].keys() ^ self.sentences[other].keys()
            if lonely:
                raise CatalogueError(f"only one language has: {', '.join(sorted(lonely))}")
            for key, sentence in self.sentences[first].items():
                if _places(sentence) != _places(self.sentences[other][key]):
                    raise CatalogueError(f"'{key}' has other places in {first} than in {other}")

    def say(self, language: Language, key: str, **values: object) -> str:
        """Return the sentence behind `key` with its places filled.

        Raises:
            CatalogueError: nobody wrote that sentence, or a value is missing.
        """
        try:
            return self.sentences[language][key].format_map(values)
        except KeyError as missing:
            raise CatalogueError(f"'{key}' in {language} lacks {missing}") from missing

    def branch(self, language: Language, prefix: str) -> Mapping[str, str]:
        """Return the sentences below `prefix`, keys shortened: what a page's script needs."""
        return self._branches[language].get(prefix, {})

    @cached_property
    def _branches(self) -> Mapping[Language, Mapping[str, Mapping[str, str]]]:
        """Every branch, made once: a list asks for its words in each of its rows."""
        return {language: _branches_of(sentences) for language, sentences in self.sentences.items()}


def _read(text: str) -> Any:
    """Read a catalogue; of a key that stands there twice, JSON would keep the last in silence."""

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) != len(pairs):
            twice = sorted({key for key, _ in pairs if [one for one, _ in pairs].count(key) > 1})
            raise CatalogueError(f"stands twice in one catalogue: {', '.join(twice)}")
        return found

    return json.loads(text, object_pairs_hook=once)


def _branches_of(sentences: Mapping[str, str]) -> Mapping[str, Mapping[str, str]]:
    branches: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for key, sentence in sentences.items():
        parts = key.split(".")
        for depth in range(1, len(parts)):
            branches[".".join(parts[:depth])][".".join(parts[depth:])] = sentence
    return dict(branches)


def _flatten(tree: Mapping[str, object], prefix: str = "") -> dict[str, str]:
    flat: dict[str, str] = {}
    for key, value in tree.items():
        match value:
            case str():
                flat[prefix + key] = value
            case dict():
                flat |= _flatten(value, f"{prefix}{key}.")
            case _:
                raise CatalogueError(f"'{prefix}{key}' is neither a sentence nor a branch")
    return flat


def _places(sentence: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}
