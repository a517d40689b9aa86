"""Links and fragments that somebody pastes: `tier_link.invitations`."""

from collections.abc import Sequence
from typing import Final

from tests.fuzz.estate import BROWSER
from tests.fuzz.gate import Gate
from tests.tier_link.samples import COMMUNITY
from tier_link.errors import InvitationMalformed
from tier_link.invitations import LinkKind, invitation_link, parse_link


def one(data: bytes) -> None:
    link = parse_link(data.decode("utf-8", "replace"))
    assert link.invitation.id
    assert link.enrolls


_SENT: Final[tuple[tuple[str, LinkKind], ...]] = (
    ("https://cloud.example", "resident"),
    ("http://[::1]:8440/a", "visitor"),
)


def seeds() -> Sequence[bytes]:
    return [
        invitation_link(cloud, COMMUNITY, kind, BROWSER.invitation).encode()
        for cloud, kind in _SENT
    ]


GATE = Gate(one, seeds, (InvitationMalformed,), most=512)
