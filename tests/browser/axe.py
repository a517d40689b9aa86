"""axe-core on a page of ours, under the page's own policy.

The browser runs it by its debugging protocol, which no policy of a page governs: nothing is let in
for users.
"""

from collections.abc import Sequence
from functools import cache
from typing import Final

from playwright.sync_api import Page

from web.build import PACKAGES

_LOOK: Final = """async rules => {
    const found = await axe.run(document, {
        resultTypes: ["violations"],
        runOnly: rules,
    });
    return found.violations
        .filter(one => one.impact === "serious" || one.impact === "critical")
        .map(one => `${one.id} (${one.impact}): ${one.nodes.map(node =>
            `${node.target} ${node.any.map(why => why.message).join("; ")}`).join(" | ")}`);
}"""
_EVERYTHING: Final = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}


@cache
def _source() -> str:
    return (PACKAGES / "axe-core" / "axe.min.js").read_text("utf-8")


def faults(page: Page) -> Sequence[str]:
    """Return the serious and critical faults that axe finds on a page as it stands."""
    if not page.evaluate("typeof axe === 'object'"):
        page.evaluate(_source())
    found: Sequence[str] = page.evaluate(_LOOK, _EVERYTHING)
    return found
