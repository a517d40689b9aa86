"""What every answer of every tier carries, and what its cookies are."""

from collections.abc import Iterator, Mapping
from http.cookies import SimpleCookie
from typing import Final

import httpx

LANGUAGE: Final = "lang"
"""The one cookie that scripts may read: which language somebody chose."""
_POLICY: Final[Mapping[str, str]] = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
    "base-uri": "'none'",
}


def faults_of(response: httpx.Response, *, tls: bool, kept: bool = False) -> Iterator[str]:
    """Yield what an answer lacks.

    Args:
        response: of any route.
        tls: whether it comes over TLS, for good.
        kept: whether browsers may keep it: a built file, which says nothing about anybody.
    """
    headers = response.headers
    parts = headers.get("content-security-policy", "").split(";")
    policy = dict(part.strip().partition(" ")[::2] for part in parts if part.strip())
    for name, value in _POLICY.items():
        if policy.get(name) != value:
            yield f"policy {name} is {policy.get(name)!r}"
    for name, value in {
        "x-content-type-options": "nosniff",
        "x-frame-options": "DENY",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
    }.items():
        if headers.get_list(name) != [value]:
            yield f"{name} is {headers.get_list(name)}"
    # The console's own pages tell one another where somebody comes from; nobody else is told.
    if headers.get("referrer-policy") not in {"no-referrer", "same-origin"}:
        yield f"referrer-policy is {headers.get('referrer-policy')}"
    if ("strict-transport-security" in headers) is not tls:
        yield f"strict-transport-security {'is missing' if tls else 'is promised without TLS'}"
    stored = headers.get("cache-control", "")
    if "no-store" not in stored and not (kept and "immutable" in stored):
        yield f"cache-control is {stored!r}"
    for sent in headers.get_list("set-cookie"):
        yield from _faults_of_cookie(sent, tls=tls)


def _faults_of_cookie(sent: str, *, tls: bool) -> Iterator[str]:
    ((name, cookie),) = SimpleCookie(sent).items()
    if tls and not cookie["secure"]:
        yield f"cookie {name} goes without TLS"
    if cookie["path"] != "/" or cookie["domain"]:
        yield f"cookie {name} is for {cookie['domain']}{cookie['path']}"
    if name == LANGUAGE:
        if cookie["samesite"].lower() not in {"lax", "strict"}:
            yield f"cookie {name} goes to other sites"
        return
    if not name.startswith("__Host-"):
        yield f"cookie {name} can be set from elsewhere"
    if not cookie["httponly"]:
        yield f"cookie {name} can be read by scripts"
    if cookie["samesite"].lower() != "strict":
        yield f"cookie {name} goes with requests of other sites"
