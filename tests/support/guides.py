"""The installer's guide as it stands: its sections, and the blocks that are typed or copied."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent.parent
GUIDES: Final = {"en": ROOT / "docs/install.md", "zh-CN": ROOT / "docs/install.zh-CN.md"}

_SECTION: Final = re.compile(r"^## (?:(\d+)\. )?.*$", re.MULTILINE)
_BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block: its language (`sh`, `toml`, …), its text, and the section's number."""

    language: str
    text: str
    section: int


def blocks_of(guide: Path) -> list[Block]:
    """Return every block of a guide, in order; sections without a number count as 0."""
    text = guide.read_text("utf-8")
    starts = [(found.start(), int(found[1] or 0)) for found in _SECTION.finditer(text)]
    return [
        Block(block[1], block[2], max(s for s in starts if s[0] < block.start())[1])
        for block in _BLOCK.finditer(text)
    ]
