"""No page of any tier says anything that does not stand in its catalogues."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tier_kit.catalogue import Catalogue
from web.build import ROOT, WEB

PACKAGES = ("tier_kit.forms", "enrollment_cloud", "community_server", "door_terminal")
TEMPLATES = sorted(
    path
    for package in PACKAGES
    for path in (ROOT / package.replace(".", "/") / "templates").glob("*.jinja")
)
SCRIPTS = sorted(
    [
        *(
            path
            for room in ("console", "form", "visits", "pass")
            for path in (WEB / room).glob("*.ts")
        ),
        *(ROOT / "door_terminal" / "screen").glob("*.js"),
    ]
)
READ_ALOUD = re.compile(r'(?<![\w-])(?:aria-label|alt|title|placeholder|label)="([^"]*)"')
LITERAL = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`")
LIKE_TEXT = re.compile(r"[一-鿿]|[A-Za-z]{2,}[,.!?…:]? +[a-z]{2,}")
NOT_SHOWN = re.compile(
    r"(?:Error|Refused|Unusable)\($|(?:querySelector|matches|closest)\w*(?:<\w+>)?\($"
)
"""What stands before a literal that a developer reads in a log, or that names an element."""


def without_code(template: str) -> str:
    """Return what of a template is neither Jinja's nor a command that is the same everywhere."""
    text = re.sub(r"<pre.*?</pre>|<script.*?</script>", "", template, flags=re.DOTALL)
    return re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", "", text, flags=re.DOTALL)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: f"{path.parts[-3]}/{path.name}")
def test_no_template_holds_a_word_of_its_own(path: Path) -> None:
    text = without_code(path.read_text("utf-8"))
    # Keys as they stand on a keyboard are the same everywhere; a macro may end a tag that its
    # caller begins.
    shown = re.sub(r"<kbd>\w+</kbd>|<[^>]*>|[\w-]+=\"[^\"]*\"", "", text)
    assert not re.search(r"[^\W\d_]", shown), shown.split()
    for said in READ_ALOUD.findall(text):
        assert not re.search(r"[A-Za-z一-鿿]{3,}", said)


def literals(source: str) -> Iterator[str]:
    """Yield the literals of a script that people could be shown."""
    source = re.sub(r"^\s*//.*$|/\*.*?\*/", "", source, flags=re.DOTALL | re.MULTILINE)
    for found in LITERAL.finditer(source):
        before = source[max(0, found.start() - 60) : found.start()].rstrip()
        if not NOT_SHOWN.search(before) and not before.endswith(("from", "import")):
            yield found[0][1:-1]


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: f"{path.parts[-2]}/{path.name}")
def test_no_script_holds_a_sentence(path: Path) -> None:
    sentences = [one for one in literals(path.read_text("utf-8")) if LIKE_TEXT.search(one)]
    assert sentences == []


@pytest.mark.parametrize("package", [*PACKAGES, "tier_kit.receipts"])
def test_both_catalogues_are_complete_and_each_is_in_its_own_language(package: str) -> None:
    catalogue = Catalogue.load(package)  # refuses a key or a place that one of them lacks
    for key, sentence in catalogue.sentences["en"].items():
        assert sentence.strip(), key
        assert not re.search(r"[一-鿿]", sentence), key
    for key, sentence in catalogue.sentences["zh-CN"].items():
        assert sentence.strip(), key
