"""Invitations: one secret in a link's fragment, and what is derived from it (HKDF, RFC 5869).

The fragment, which browsers do not send, carries a 128-bit secret and the fingerprint of the
community's root key. The cloud learns the derived id alone; `auth` stays with the browser and
the server, which made the link.
"""

import secrets
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tier_link.base64url import decode_base64url, encode_base64url
from tier_link.errors import InvitationMalformed

SECRET_SIZE: Final = 16
"""Bytes of an invitation's secret: 128 bits, beyond guessing."""
FINGERPRINT_SIZE: Final = 32
"""Bytes of a root key's fingerprint: SHA-256."""
FRAGMENT_LENGTH: Final = 64
"""Characters of a link's fragment."""

InvitationKind: TypeAlias = Literal["resident", "visitor"]
"""Kinds of links by which somebody enrolls, once."""
LinkKind: TypeAlias = Literal["resident", "visitor", "home", "poster"]
"""All kinds: `home` leads to a resident's own page, `poster` is on a door; both serve again and
again until they are withdrawn."""
_PAGES: Final[dict[LinkKind, str]] = {
    "resident": "enroll",
    "visitor": "visit",
    "home": "home",
    "poster": "ask",
}


@dataclass(frozen=True, slots=True)
class InvitationSecret:
    """What a link's fragment carries: the secret (16 bytes) and the root's fingerprint (32)."""

    secret: bytes = field(repr=False)
    fingerprint: bytes

    def __post_init__(self) -> None:
        if len(self.secret) != SECRET_SIZE or len(self.fingerprint) != FINGERPRINT_SIZE:
            raise ValueError("an invitation is 16 bytes of secret and 32 of fingerprint")

    @property
    def id(self) -> str:
        """The invitation's id as 32 hex characters: all that the cloud learns."""
        return _derive(self.secret, b"gatehouse/invitation/id", 16).hex()

    @property
    def auth(self) -> bytes:
        """The key of the enrollment's MAC, 32 bytes."""
        return _derive(self.secret, b"gatehouse/invitation/auth", 32)

    @property
    def fragment(self) -> str:
        """The 64 characters behind the link's `#`."""
        return encode_base64url(self.secret + self.fingerprint)


def new_invitation(fingerprint: bytes) -> InvitationSecret:
    """Draw a fresh invitation for the community whose root has this fingerprint."""
    return InvitationSecret(secrets.token_bytes(SECRET_SIZE), fingerprint)


def parse_fragment(fragment: str) -> InvitationSecret:
    """Read a link's fragment, without the `#`.

    Raises:
        InvitationMalformed: not 64 base64url characters.
    """
    try:
        data = decode_base64url(fragment) if len(fragment) == FRAGMENT_LENGTH else b""
        return InvitationSecret(data[:SECRET_SIZE], data[SECRET_SIZE:])
    except ValueError as error:
        raise InvitationMalformed("the link is incomplete or was changed on its way") from error


def invitation_link(
    cloud: str, community: str, kind: LinkKind, invitation: InvitationSecret
) -> str:
    """Return the link that the estate sends: `{cloud}/c/{community}/enroll#…`, `…/visit#…`, …."""
    return f"{cloud.rstrip('/')}/c/{community}/{_PAGES[kind]}#{invitation.fragment}"


@dataclass(frozen=True, slots=True)
class InvitationLink:
    """A link taken apart: the cloud's address without path, the community and the rest."""

    cloud: str
    community: str
    kind: LinkKind
    invitation: InvitationSecret

    @property
    def enrolls(self) -> InvitationKind:
        """Whom it enrolls.

        Raises:
            InvitationMalformed: it is a page's or a poster's.
        """
        if self.kind in {"home", "poster"}:
            raise InvitationMalformed("nobody enrolls by this link")
        return "visitor" if self.kind == "visitor" else "resident"


def parse_link(link: str) -> InvitationLink:
    """Take an invitation link apart, as a client without a browser does.

    Raises:
        InvitationMalformed: not a link that `invitation_link` makes.
    """
    try:
        parts = urlsplit(link)
    except ValueError as error:
        raise InvitationMalformed("not a link") from error
    match parts.path.split("/"):
        case [*base, "c", community, page] if community and parts.scheme in {"http", "https"}:
            for kind, name in _PAGES.items():
                if name == page:
                    cloud = f"{parts.scheme}://{parts.netloc}{'/'.join(base)}"
                    return InvitationLink(cloud, community, kind, parse_fragment(parts.fragment))
    raise InvitationMalformed("not an invitation link")


def _derive(secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)
