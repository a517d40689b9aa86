"""The file to begin with: the columns by name, in either language, and one row to show them."""

import csv
import io
from typing import Final

from community_server.imports.columns import NAMES
from community_server.imports.service import About
from community_server.imports.worker_columns import WORKER_NAMES
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


_WORKERS: Final = {
    "en": ("W-2001", "Bo Example", "Swift Couriers", "13800138001", "B12345", "5-1-502"),
    "zh-CN": (
        "W-2001",
        "\u738b\u4f8b",
        "\u8fc5\u6377\u5feb\u9012",
        "13800138001",
        "\u6caaB12345",
        "5-1-502",
    ),
}


def write_template(language: Language, about: About = "residents") -> bytes:
    """Return it as CSV in UTF-8 with the mark by which spreadsheets know the encoding."""
    text = io.StringIO()
    rows = csv.writer(text)
    at = 1 if language == "zh-CN" else 0
    names, examples = (WORKER_NAMES, _WORKERS) if about == "workers" else (NAMES, _EXAMPLES)
    rows.writerow(words[at] for words in names.values())
    rows.writerow(examples[language])
    return text.getvalue().encode("utf-8-sig")
