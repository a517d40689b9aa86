"""The list of receipt keys that a community has retired, and from when on none of them counts.

Whoever checks a receipt offline cannot hear that its key has leaked. The list tells them; the
community's root signs it. It is JSON, in a block of text like a receipt's (`tier_link.receipts`).
"""

from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec import Meta

from tier_link.base64url import decode_base64url, encode_base64url
from tier_link.certificates import load_root, root_fingerprint, root_public_bytes
from tier_link.errors import LinkError, ReceiptRefused
from tier_link.messages import HexId, PeerId, UnixSeconds

MOST_RETIRED: Final = 1000
_LABEL: Final = b"gatehouse/retired-keys/1\0"
_BEGIN: Final = "-----BEGIN GATEHOUSE RETIRED KEYS-----"
_END: Final = "-----END GATEHOUSE RETIRED KEYS-----"
_MAX_FILE: Final = 256 * 1024
_LINE: Final = 64


class RetiredKey(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One key, and the moment (Unix seconds) from which on nothing that it signed counts."""

    key: HexId
    since: UnixSeconds


class RetiredKeys(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a community had retired at `made_at` (Unix seconds)."""

    version: Literal[1]
    community: PeerId
    made_at: UnixSeconds
    keys: Annotated[tuple[RetiredKey, ...], Meta(max_length=MOST_RETIRED)] = ()

    def ended(self, key: str, signed_at: int) -> bool:
        """Say whether a key was retired when something bears to have been signed by it."""
        return any(one.key == key and one.since <= signed_at for one in self.keys)


class _Signed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    keys: Annotated[str, Meta(max_length=_MAX_FILE)]
    signature: Annotated[str, Meta(max_length=128)]
    root: Annotated[str, Meta(max_length=64)]


def sign_retired_keys(stated: RetiredKeys, root: Ed25519PrivateKey) -> str:
    """Sign a list; return the block."""
    data = msgspec.json.encode(stated)
    signed = _Signed(
        data.decode(),
        encode_base64url(root.sign(_LABEL + data)),
        encode_base64url(root_public_bytes(root)),
    )
    text = encode_base64url(msgspec.json.encode(signed))
    lines = (text[at : at + _LINE] for at in range(0, len(text), _LINE))
    return "\n".join([_BEGIN, *lines, _END, ""])


def open_retired_keys(file: bytes, fingerprint: bytes) -> RetiredKeys:
    """Find the list in a file and check that the root with this fingerprint (32 bytes) signed it.

    Raises:
        ReceiptRefused: `retired-malformed`, `retired-other-root`, `retired-forged`.
    """
    signed, stated = _read(file)
    try:
        root, signature = decode_base64url(signed.root), decode_base64url(signed.signature)
        found = root_fingerprint(root)
        public = load_root(root, found)
    except (ValueError, LinkError) as error:
        raise _malformed() from error
    if found != fingerprint:
        raise ReceiptRefused("the list is another community's", code="retired-other-root")
    try:
        public.verify(signature, _LABEL + signed.keys.encode())
    except InvalidSignature as error:
        raise ReceiptRefused("the list was altered", code="retired-forged") from error
    return stated


def _read(file: bytes) -> tuple[_Signed, RetiredKeys]:
    if len(file) > _MAX_FILE:
        raise _malformed()
    try:
        block, end, _ = file.decode().partition(_BEGIN)[2].partition(_END)
        signed = msgspec.json.decode(decode_base64url("".join(block.split())), type=_Signed)
        stated = msgspec.json.decode(signed.keys, type=RetiredKeys)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise _malformed() from error
    if not end:
        raise _malformed()
    return signed, stated


def _malformed() -> ReceiptRefused:
    return ReceiptRefused("not a list of retired keys", code="retired-malformed")
