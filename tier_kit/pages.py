"""A tier's pages: Jinja2 templates that speak the reader's language and name built files.

A package that has pages keeps `templates/*.html.jinja`, `locales/*.json` and `static/`,
the last written by `python -m web.build` with a `manifest.json` beside the files:
`{"form.js": {"file": "form-1a2b3c4d.js", "sha256": "…"}, …}`. Pages that several tiers serve
stand in a package of their own (`tier_kit.forms`), and each tier has its own built files.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from importlib import resources
from pathlib import Path
from typing import Final, cast

import jinja2

from tier_kit.catalogue import Catalogue
from tier_kit.language import LANGUAGES, Language

_STATIC_PREFIX: Final = "/static/"


class PagesNotBuilt(Exception):
    """The scripts and styles were not built, or not for this version."""

    code = "pages-not-built"


@dataclass(frozen=True)
class Pages:
    """Templates, catalogue and built files of one package.

    Templates see `t(key, **values)`, `branch(prefix)` (a mapping for scripts, to be printed
    with `|tojson` into a `<script type="application/json">` block, which no policy runs),
    `asset(name)`, `language`, `languages`.
    """

    package: str
    built_in: str = ""
    """The package whose `static/` holds the built files; empty for the same one."""

    @cached_property
    def catalogue(self) -> Catalogue:
        """The package's sentences."""
        return Catalogue.load(self.package)

    @cached_property
    def static_folder(self) -> Path:
        """Where the built files lie."""
        return Path(str(resources.files(self._builder))) / "static"

    @property
    def _builder(self) -> str:
        return self.built_in or self.package

    @cached_property
    def _manifest(self) -> Mapping[str, Mapping[str, str]]:
        try:
            manifest = json.loads((self.static_folder / "manifest.json").read_text("utf-8"))
        except FileNotFoundError as missing:
            raise PagesNotBuilt(
                f"{self._builder} has no built pages; run 'make pages' first"
            ) from missing
        return cast("Mapping[str, Mapping[str, str]]", manifest)

    @cached_property
    def _environment(self) -> jinja2.Environment:
        return jinja2.Environment(
            loader=jinja2.PackageLoader(self.package),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    def asset(self, name: str) -> str:
        """Return the address of a built file.

        Raises:
            PagesNotBuilt: the build does not hold `name`.
        """
        try:
            return _STATIC_PREFIX + self._manifest[name]["file"]
        except KeyError as missing:
            raise PagesNotBuilt(f"{self._builder} was built without {name}") from missing

    def render(self, template: str, language: Language, **values: object) -> str:
        """Fill a template in one language.

        Args:
            template: file name below `templates/`, for instance `login.html.jinja`.
            language: the reader's.
            values: what the template shows.
        """

        def t(key: str, **places: object) -> str:
            return self.catalogue.say(language, key, **places)

        def branch(prefix: str) -> Mapping[str, str]:
            return self.catalogue.branch(language, prefix)

        return self._environment.get_template(template).render(
            **values,
            t=t,
            branch=branch,
            asset=self.asset,
            language=language,
            languages=LANGUAGES,
        )
