"""Charts are well-formed, say what they show, and hold no script and no colour of their own."""

from collections.abc import Sequence
from xml.etree import ElementTree as ET

import pytest

from community_server.console.charts import Bar, bars, columns, heat

SVG = "{http://www.w3.org/2000/svg}"
NASTY = '<script>alert("7")</script> & “A”'


def drawn(svg: str) -> ET.Element:
    return ET.fromstring(str(svg).replace("<svg ", f'<svg xmlns="{SVG[1:-1]}" ', 1))  # noqa: S314 -- our own


def widths(chart: ET.Element) -> list[float]:
    return [float(box.get("width", "").rstrip("%")) for box in chart.iter(f"{SVG}rect")]


def charts() -> Sequence[str]:
    return [
        bars("b", NASTY, NASTY, [Bar(NASTY, (("granted", 90), ("refused", 10))), Bar("x", ())]),
        columns("c", NASTY, NASTY, [("usual", hour / 24) for hour in range(24)]),
        heat("h", NASTY, NASTY, [[0] * 24, list(range(24))], [NASTY, "b"]),
        bars("e", NASTY, NASTY, []),
    ]


@pytest.mark.parametrize("svg", charts())
def test_a_chart_has_a_title_and_a_description_and_escapes_what_it_is_given(svg: str) -> None:
    chart = drawn(svg)
    assert chart.get("role") == "img"
    named = {one.get("id"): one.text for one in (chart[0], chart[1])}
    assert chart.get("aria-labelledby", "").split() == list(named)
    assert set(named.values()) == {NASTY}
    for element in chart.iter():
        assert element.tag.removeprefix(SVG) in {"svg", "title", "desc", "rect", "text"}
        assert not {"style", "fill", "onclick"} & set(element.keys())


def test_bars_are_as_long_as_their_counts() -> None:
    rows = [Bar("a", (("granted", 60), ("refused", 20))), Bar("b", (("granted", 40),))]
    assert widths(drawn(bars("b", "t", "d", rows))) == [75, 25, 50]


def test_a_few_among_many_can_still_be_seen() -> None:
    rows = [Bar("a", (("granted", 1_000_000), ("refused", 1)))]
    assert min(widths(drawn(bars("b", "t", "d", rows)))) == 0.4


def test_the_most_is_the_darkest_and_nothing_is_none() -> None:
    chart = drawn(heat("h", "t", "d", [[0, 1, 50, 100]], ["a"]))
    shades = [box.get("class") for box in chart.iter(f"{SVG}rect")]
    assert shades == ["shade-0", "shade-1", "shade-3", "shade-5"]
    empty = drawn(heat("h", "t", "d", [[0, 0]], ["a"]))
    assert {box.get("class") for box in empty.iter(f"{SVG}rect")} == {"shade-0"}
