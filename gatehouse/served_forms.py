"""What a cloud serves of the forms, held against what is built here, byte by byte.

A page is filled in here as the cloud should have done it: nothing in it depends on anything but the
community's name, the language and the build. So there is no place where a script could hide.
"""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast
from urllib.parse import quote, urlsplit

import httpx

from tier_kit.forms import form_pages
from tier_kit.language import LANGUAGES, Language
from tier_kit.pages import Pages
from tier_kit.security import HEADERS

TIER: Final = "enrollment_cloud"
MAX_FILE: Final = 4 << 20
"""Bytes of an answer: the largest built file has some 100 KB."""
TIMEOUT_S: Final = 30.0
_POLICY: Final = "content-security-policy"
_LEADING_ELSEWHERE: Final = ("refresh", "link")
"""Headers by which an answer fetches what its body does not name."""
_FORMS: Final = {"enroll": "resident", "visit": "visitor"}
_PAGES: Final = {"home": "own_page.html.jinja", "ask": "ask.html.jinja"}


class NotServed(Exception):
    """The address gives no form that could be compared."""


@dataclass(frozen=True)
class Compared:
    """One page or file: its SHA-256 here and there, both in hex; `served` empty where it fails."""

    name: str
    built: str
    served: str

    @property
    def same(self) -> bool:
        """Whether what is served is what is built."""
        return self.built == self.served


def built_files() -> dict[str, str]:
    """Return the SHA-256 (hex) of every file that is built here for the forms, by its name.

    Raises:
        PagesNotBuilt: nothing was built here.
    """
    pages = form_pages(TIER)
    pages.asset("form.js")
    manifest = json.loads((pages.static_folder / "manifest.json").read_text("utf-8"))
    return {entry["file"]: entry["sha256"] for entry in manifest.values()}


def compare(http: httpx.Client, address: str) -> Iterator[Compared]:
    """Yield all pages of a community's, in every language, and all files, compared.

    Args:
        http: a client that follows no redirects.
        address: a link of the estate's, or its part before the `#`, which alone is sent.

    Raises:
        NotServed: the address is no form's, or no answer came.
        PagesNotBuilt: nothing was built here.
    """
    parts = urlsplit(address)
    match parts.path.strip("/").split("/"):
        case ["c", community, *_] if parts.scheme in ("http", "https") and parts.netloc:
            base = f"{parts.scheme}://{parts.netloc}"
        case _:
            raise NotServed(f"'{parts.path}' is no form's address: …/c/<community>/enroll")
    name = _name(http, f"{base}/api/v1/communities/{quote(community)}")
    pages = form_pages(TIER)
    for language in LANGUAGES:
        for path, text in _built_pages(pages, language, community, name):
            yield _compare_page(http, base, path, language, text)
    for file, sha256 in built_files().items():
        answer = _get(http, f"{base}/static/{file}")
        yield Compared(f"/static/{file}", sha256, _digest(answer))


def _built_pages(
    pages: Pages, language: Language, community: str, name: str
) -> Iterator[tuple[str, str]]:
    known = {"community": community, "community_name": name}
    for last, kind in _FORMS.items():
        path = f"/c/{community}/{last}"
        yield (
            path,
            pages.render("form.html.jinja", language, path=path, **known, kind=kind, at_desk=False),
        )
    for last, template in _PAGES.items():
        path = f"/c/{community}/{last}"
        yield path, pages.render(template, language, path=path, **known)
    yield "/pass", pages.render("pass.html.jinja", language, path="/pass")


def _compare_page(
    http: httpx.Client, base: str, path: str, language: Language, text: str
) -> Compared:
    answer = _get(http, base + path, {"accept-language": language})
    served = _digest(answer)
    if answer.headers.get(_POLICY) != HEADERS[_POLICY] or any(
        name in answer.headers for name in _LEADING_ELSEWHERE
    ):
        served = ""
    return Compared(f"{path} ({language})", hashlib.sha256(text.encode()).hexdigest(), served)


def _name(http: httpx.Client, address: str) -> str:
    answer = _get(http, address)
    try:
        return str(cast("dict[str, object]", answer.json())["name"])
    except (ValueError, KeyError, TypeError) as error:
        raise NotServed(f"{address} knows no such community") from error


def _digest(answer: httpx.Response) -> str:
    if answer.status_code != httpx.codes.OK:
        return ""
    return hashlib.sha256(answer.content).hexdigest()


def _get(http: httpx.Client, address: str, headers: dict[str, str] | None = None) -> httpx.Response:
    try:
        with http.stream("GET", address, headers=headers) as answer:
            content = b""
            for part in answer.iter_bytes():
                content += part
                if len(content) > MAX_FILE:
                    raise NotServed(f"{address} answers without end")
            return httpx.Response(answer.status_code, headers=_plain(answer), content=content)
    except httpx.HTTPError as error:
        raise NotServed(f"{address}: {type(error).__name__}") from error


def _plain(answer: httpx.Response) -> dict[str, str]:
    # The body was unpacked while it was read.
    return {name: value for name, value in answer.headers.items() if name != "content-encoding"}
