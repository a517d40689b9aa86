"""How rows of the audit log hang together.

The head of a row is SHA-256 over the head before it and the row: place and time as eight bytes,
then each id and code as UTF-8 behind four bytes of length, all big-endian. Whoever changes a row
has to change every head behind it, and cannot change those that were signed.
"""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FIRST: Final = hashlib.sha256(b"gatehouse/audit/1").digest()
"""The head before the first row."""
_HEAD_LABEL: Final = b"gatehouse/audit-head/1\0"
_START_LABEL: Final = b"gatehouse/audit-start/1\0"


def head_of(
    before: bytes, place: int, at: int, staff: str, action: str, subject: str, detail: str
) -> bytes:
    """Return the head of a row, given the head before it."""
    digest = hashlib.sha256(before)
    digest.update(place.to_bytes(8, signed=True) + at.to_bytes(8, signed=True))
    for text in (staff, action, subject, detail):
        data = text.encode()
        digest.update(len(data).to_bytes(4) + data)
    return digest.digest()


def sign_head(root: Ed25519PrivateKey, count: int, head: bytes, signed_at: int) -> bytes:
    """Sign how many rows there are and the head of the last."""
    return root.sign(_head_bytes(count, head, signed_at))


def is_signed(
    root: Ed25519PublicKey, count: int, head: bytes, signed_at: int, signature: bytes
) -> bool:
    """Say whether the community signed this head."""
    return _holds(root, signature, _head_bytes(count, head, signed_at))


def sign_start(
    root: Ed25519PrivateKey, count: int, head: bytes, until: int, signed_at: int
) -> bytes:
    """Sign that so many rows, the newest of `until`, were forgotten, and the head of the last."""
    return root.sign(_start_bytes(count, head, until, signed_at))


def is_start(
    root: Ed25519PublicKey, count: int, head: bytes, until: int, signed_at: int, signature: bytes
) -> bool:
    """Say whether the community signed that its log begins behind these rows."""
    return _holds(root, signature, _start_bytes(count, head, until, signed_at))


def _holds(root: Ed25519PublicKey, signature: bytes, data: bytes) -> bool:
    try:
        root.verify(signature, data)
    except InvalidSignature:
        return False
    return True


def _head_bytes(count: int, head: bytes, signed_at: int) -> bytes:
    return _HEAD_LABEL + count.to_bytes(8) + signed_at.to_bytes(8) + head


def _start_bytes(count: int, head: bytes, until: int, signed_at: int) -> bytes:
    return _START_LABEL + count.to_bytes(8) + until.to_bytes(8) + signed_at.to_bytes(8) + head
