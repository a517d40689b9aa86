"""Finds secrets in the repository's files: by the forms that keys and tokens have, and by chance.

A form is that of a private key, a provider's access key, a signed token, an address with a
password, and of what Gatehouse itself hands out. Where nothing has a form, a long text drawn at
random that is given to a name such as `password` counts by its entropy. What stands in a test or a
document on purpose has a line in `stray_secrets.txt`: the file, how the find begins, and why it
opens nothing.
"""

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ALLOWED: Final = Path(__file__).with_name("stray_secrets.txt")
SHOWN: Final = 12
"""Characters of a find that are told, and by which the list names it: never the whole."""
LEAST_RANDOM: Final = 20
"""Characters of a text that can be told from words by its letters' entropy."""
LEAST_ENTROPY: Final = 3.9
"""Bits a character: sentences and names in one word stay below, 20 random letters reach 4."""

_CROCKFORD: Final = "[0-9A-HJKMNP-TV-Z]"
FORMS: Final = {
    "private key": r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----",
    "private key of PuTTY": r"PuTTY-User-Key-File-\d",
    "private key of age": r"AGE-SECRET-KEY-1[A-Z0-9]{20,}",
    "access key of AWS": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "access key of Alibaba Cloud": r"\bLTAI[0-9A-Za-z]{12,30}\b",
    "access key of Tencent Cloud": r"\bAKID[0-9A-Za-z]{13,40}\b",
    "key of Google": r"\bAIza[0-9A-Za-z_-]{35}\b",
    "token of GitHub": r"\b(?:gh[pousr]_[0-9A-Za-z]{36}|github_pat_[0-9A-Za-z_]{50,})\b",
    "token of GitLab": r"\bglpat-[0-9A-Za-z_-]{20,}",
    "token of Slack": r"\bxox[abprs]-[0-9A-Za-z-]{10,}",
    "token of a package registry": r"\b(?:npm_[0-9A-Za-z]{36}|pypi-AgE[0-9A-Za-z_-]{50,})",
    "key of Stripe": r"\b[rs]k_live_[0-9A-Za-z]{16,}",
    "signed token (JWT)": r"\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}",
    "address with a password": r"[a-z0-9]://[^\s/:@\"'<>{}$`|]+:[^\s/:@\"'<>{}$`|]+@[\w.\[]",
    "secret of a second factor": r"otpauth://totp/[^\s\"']*[?&]secret=[A-Z2-7]{16,}",
    "link that lets somebody in": r"/(?:enroll|visit|home|ask)#[\w-]{64}(?![\w-])",
    "link that shows a pass": r"/pass#[\w-]{110,}",
    "pairing or set-up code": (
        rf"\b(?=[A-Z-]*[0-9])(?=[0-9-]*[A-Z]){_CROCKFORD}{{4}}(?:-{_CROCKFORD}{{4}}){{3}}\b"
    ),
    # A metric's name is long, too, but of small letters alone; of 43 drawn ones some are others.
    "token of a program": r"\bgatehouse_(?=[\w-]*[A-Z0-9-])[\w-]{30,}",
    "secret of a webhook": r"\bwhsec_[\w+/-]{24,}",
    "recovery secret": r"\b(?:[A-Z2-7]{4} ){12,}[A-Z2-7]{4}\b",
}
_FORMS: Final = {what: re.compile(form) for what, form in FORMS.items()}
_GIVEN: Final = re.compile(
    r"(?i)(?:password|passwd|passphrase|secret|token|api_?key|private_?key|credential)s?[\w]*[\"']?"
    r"\s*(?::[^=\n]{0,20})?[:=]\s*b?[\"']([\w+/=.-]{20,})[\"']"
)


@dataclass(frozen=True)
class Find:
    """A secret that stands in a file."""

    path: str
    line: int
    what: str
    begins: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} holds a {self.what}: {self.begins}…"


@dataclass(frozen=True)
class Allowed:
    """One line of the list: where something stands that only looks like a secret, and why."""

    path: str
    begins: str
    reason: str


def read_allowed(text: str) -> list[Allowed]:
    """Read the list. Raises `ValueError` for a line without a reason."""
    found = []
    for line in text.splitlines():
        if line and not line.startswith("#"):
            path, begins, reason = (part.strip() for part in line.split(" | ", 2))
            if not (path and begins and reason):
                raise ValueError(f"no reason: {line}")
            found.append(Allowed(path, begins, reason))
    return found


def finds_in(path: str, text: str) -> Iterator[Find]:
    """Yield what looks like a secret in a file, one find a place."""
    for what, form in _FORMS.items():
        for found in form.finditer(text):
            yield _find(path, text, found.start(), what, found[0])
    for found in _GIVEN.finditer(text):
        if len(found[1]) >= LEAST_RANDOM and entropy(found[1]) >= LEAST_ENTROPY:
            yield _find(path, text, found.start(1), "text drawn at random", found[1])


def stray_secrets(files: Iterable[tuple[str, str]], allowed: Iterable[Allowed]) -> Iterator[str]:
    """Yield what is found and not allowed, and what is allowed and not there any more.

    `files` are paths and texts.
    """
    unused = {(one.path, one.begins) for one in allowed}
    known = frozenset(unused)
    for path, text in files:
        for find in finds_in(path, text):
            if (find.path, find.begins) in known:
                unused.discard((find.path, find.begins))
            else:
                yield str(find)
    for path, begins in sorted(unused):
        yield f"{ALLOWED.name} allows {begins}… in {path}, where nothing begins so"


def entropy(text: str) -> float:
    """Return the entropy of a text's characters, in bits each."""
    counts = Counter(text).values()
    return -sum(count / len(text) * math.log2(count / len(text)) for count in counts)


def _find(path: str, text: str, at: int, what: str, whole: str) -> Find:
    # Of an address or a link what tells it from others stands at its end.
    begins = whole[-SHOWN:] if "://" in whole or whole.startswith(("/", "-----")) else whole[:SHOWN]
    return Find(path, text.count("\n", 0, at) + 1, what, begins.strip())
