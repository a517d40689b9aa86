"""A fresh pass as the desk sees it, once."""

from dataclasses import dataclass, field

from community_server.console.qr_code import draw_pass, draw_qr_code
from community_server.errors import InputRefused
from community_server.passes.service import GivenPass
from tier_link.passes import MOST_USES


def read_uses(text: str) -> int:
    """Return how often a field says, 0 for any number, which an empty one means.

    Raises:
        InputRefused: `number-wrong`.
    """
    if not text.strip():
        return 0
    if text.strip().isdecimal() and 1 <= int(text) <= MOST_USES:
        return int(text)
    raise InputRefused("not a number of uses", field="uses", code="number-wrong")


@dataclass(frozen=True)
class ShownPass:
    """When it holds, the link that shows it, and a QR code as SVG.

    The code is the pass itself, or, of one that changes, the link for the resident's phone.
    """

    begins: int
    ends: int
    uses: int
    changes: bool
    link: str = field(repr=False)
    qr_code: str = field(repr=False)


def show_pass(given: GivenPass, link: str) -> ShownPass:
    """Draw a pass."""
    changes = not given.text
    code = draw_qr_code(link) if changes else draw_pass(given.text)
    return ShownPass(given.begins, given.ends, given.uses, changes, link, code)
