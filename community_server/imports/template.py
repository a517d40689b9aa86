"""The file to begin with: the columns by name, in either language, and one row to show them."""

import csv
import io
from typing import Final

from community_server.imports.columns import NAMES
from tier_kit.language import Language

_EXAMPLES: Final = {
    "en": ("R-1001", "Ada Example", "3", "1", "502", "13800138000", "ada@example.org"),
    "zh-CN": (
        "R-1001",
        "\u5f20\u4f8b",
        "3",
        "1",
        "502",
        "13800138000",
        "zhang@example.org",
    ),
}


def write_template(language: Language) -> bytes:
    """Return it as CSV in UTF-8 with the mark by which spreadsheets know the encoding."""
    text = io.StringIO()
    rows = csv.writer(text)
    at = 1 if language == "zh-CN" else 0
    rows.writerow(words[at] for words in NAMES.values())
    rows.writerow(_EXAMPLES[language])
    return text.getvalue().encode("utf-8-sig")
