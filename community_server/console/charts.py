"""Charts as SVG, drawn here: no script, no picture, and a table behind each.

Widths are percentages and heights pixels, so that words keep their size on a phone; colours come
from classes, so that they follow the theme.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from markupsafe import Markup

LEVELS: Final = 6
"""Shades of a heat map, from nothing to the most."""
_ROW: Final = 46
_BAR: Final = 16
_CELL: Final = 26
_LEFT: Final = 9.0
"""Percent of a heat map's width for the words on its left."""
_COLUMNS: Final = 72
_FEW: Final = 0.4
"""Percent: the narrowest part of a bar that can still be seen."""


@dataclass(frozen=True)
class Chart:
    """One chart and the table that says the same."""

    title: str
    svg: Markup
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Bar:
    """One bar: its label and its parts, each a class of colour and how many."""

    label: str
    parts: Sequence[tuple[str, int]]

    @property
    def total(self) -> int:
        """All parts together."""
        return sum(count for _, count in self.parts)


def bars(name: str, title: str, description: str, rows: Sequence[Bar]) -> Markup:
    """Draw bars one below the other, each with its label above it."""
    most = max((row.total for row in rows), default=0)

    def drawn() -> Iterator[str]:
        for number, row in enumerate(rows):
            top = number * _ROW
            yield _text("0", top + 16, row.label)
            yield _text("100%", top + 16, f"{row.total:,}", anchor="end", kind="quiet")
            left = 0.0
            for kind, count in row.parts:
                width = max(100 * count / most, _FEW) if count and most else 0.0
                if width:
                    yield _box(min(left, 100 - width), top + 22, width, _BAR, kind)
                left += width

    return _svg(name, title, description, len(rows) * _ROW, drawn())


def columns(name: str, title: str, description: str, shares: Sequence[tuple[str, float]]) -> Markup:
    """Draw a day's hours as columns, each a class of colour and a share (0 to 1)."""
    width = 100 / len(shares)

    def drawn() -> Iterator[str]:
        yield f'<rect class="floor" x="0" y="{_COLUMNS}" width="100%" height="1"/>'
        for hour, (kind, share) in enumerate(shares):
            height = round(share * _COLUMNS, 1)
            if height:
                yield _box(hour * width + 0.4, _COLUMNS - height, width - 0.8, height, kind)
            if hour % 6 == 0:
                yield _text(f"{hour * width + width / 2:.2f}%", _COLUMNS + 16, str(hour), "middle")

    return _svg(name, title, description, _COLUMNS + 22, drawn())


def heat(
    name: str,
    title: str,
    description: str,
    table: Sequence[Sequence[int]],
    labels: Sequence[str],
) -> Markup:
    """Draw a table of counts as shades: a row for each label, a column for each hour."""
    most = max((max(row) for row in table), default=0)
    width = (100 - _LEFT) / len(table[0])

    def drawn() -> Iterator[str]:
        for number, (label, row) in enumerate(zip(labels, table, strict=True)):
            top = number * _CELL
            yield _text("0", top + 17, label)
            for hour, count in enumerate(row):
                level = -(-count * (LEVELS - 1) // most) if most else 0
                yield _box(_LEFT + hour * width, top, width - 0.25, _CELL - 3, f"shade-{level}")
        for hour in range(0, len(table[0]), 6):
            x = f"{_LEFT + (hour + 0.5) * width:.2f}%"
            yield _text(x, len(table) * _CELL + 14, str(hour), "middle")

    return _svg(name, title, description, len(table) * _CELL + 20, drawn())


def _svg(name: str, title: str, description: str, height: int, drawn: Iterator[str]) -> Markup:
    head = Markup(
        '<svg class="chart" role="img" width="100%" height="{height}"'
        ' aria-labelledby="{name}-title {name}-desc">'
        '<title id="{name}-title">{title}</title><desc id="{name}-desc">{description}</desc>'
    ).format(name=name, height=height, title=title, description=description)
    return head + Markup("".join(drawn)) + Markup("</svg>")  # noqa: S704 -- parts escape what they are given


def _box(left: float, top: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="{kind}" x="{left:.2f}%" y="{top}" width="{width:.2f}%" height="{height}"/>'
    )


def _text(left: str, top: float, words: str, anchor: str = "start", kind: str = "") -> str:
    return str(
        Markup(
            '<text class="{kind}" x="{left}" y="{top}" text-anchor="{anchor}">{words}</text>'
        ).format(kind=kind, left=left, top=top, anchor=anchor, words=words)
    )
