"""Pairing: a short code makes two tiers know each other's link keys.

Four messages over one connection that need not be trusted::

    dialer                                      acceptor
    PairStart(role, locator, nonce, key, name) ─▶
              ◀─ PairAnswer(nonce, key, configuration, mac)
    PairConfirm(mac) ─▶
              ◀─ PairDone()

Both MACs are HMAC-SHA256 under a key derived from the code, over the sender's side and every
byte of the messages before and its own without the MAC: roles, nonces, both public keys, the
configuration. Whoever sits between and does not know the code can change nothing. 80 bits
are beyond trying offline in the code's ten minutes, and five tries bound guessing online.

The two classes are the protocol without input or output; `tier_link.channel` carries it.
"""

import base64
import hmac
import secrets
from typing import Annotated, Final, Literal, TypeAlias, TypeVar

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from msgspec import Meta
from msgspec.structs import replace

from tier_link.errors import MalformedMessage, PairingRefused
from tier_link.events import NodeIdentity
from tier_link.messages import NONCE_SIZE, Message, PeerId, Vocabulary

CODE_BITS: Final = 80
CODE_LENGTH: Final = 16
"""Characters of a code: 80 bits in base32."""
LOCATOR_SIZE: Final = 8
"""Bytes that tell the acceptor which open code is meant."""
MAX_PAIRING_MESSAGE: Final = 32 * 1024
"""Bytes of one message: a CA certificate is some 1 KiB."""

PairingRole: TypeAlias = Literal["server", "door"]
"""What the dialer wants to be: a server to the cloud, or a door to a server."""

_STANDARD = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_SHOWN = str.maketrans(_STANDARD, _CROCKFORD)
_READ = str.maketrans(
    _CROCKFORD + "OIL",  # what people read into 0 and 1
    _STANDARD + _STANDARD[0] + _STANDARD[1] * 2,
)
M = TypeVar("M", bound=Message)

_LABEL = b"gatehouse/pair/1\0"
_MAC_SIZE = 32

_Nonce: TypeAlias = Annotated[bytes, Meta(min_length=NONCE_SIZE, max_length=NONCE_SIZE)]
_PublicKey: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
_Mac: TypeAlias = Annotated[bytes, Meta(max_length=_MAC_SIZE)]


class PairingConfiguration(Message, frozen=True):
    """What the acceptor tells the dialer.

    `community` is the community's id, `node` the id the dialer has from now on, `peer` the
    acceptor's own. `ca_pem` is the certificate authority to pin, or empty where the public
    ones are used.
    """

    community: PeerId
    node: PeerId
    peer: PeerId
    ca_pem: Annotated[str, Meta(max_length=16 * 1024)] = ""


class PairStart(Message, frozen=True, tag="pair-start"):
    """The dialer names the code and itself; `name` is what its installer calls it."""

    version: Annotated[int, Meta(ge=1, le=1)]
    role: PairingRole
    locator: Annotated[bytes, Meta(min_length=LOCATOR_SIZE, max_length=LOCATOR_SIZE)]
    nonce: _Nonce
    public_key: _PublicKey
    name: Annotated[str, Meta(max_length=64)]


class PairAnswer(Message, frozen=True, tag="pair-answer"):
    """The acceptor's key and configuration."""

    nonce: _Nonce
    public_key: _PublicKey
    configuration: PairingConfiguration
    mac: _Mac


class PairConfirm(Message, frozen=True, tag="pair-confirm"):
    """The dialer's proof that it knows the code."""

    mac: _Mac


class PairDone(Message, frozen=True, tag="pair-done"):
    """The acceptor has stored the dialer's key: both are paired."""


PairingMessage: TypeAlias = PairStart | PairAnswer | PairConfirm | PairDone

_PAIRING: Vocabulary[PairingMessage] = Vocabulary(PairStart, PairAnswer, PairConfirm, PairDone)


class Paired(Message, frozen=True):
    """What the dialer has at the end: its configuration and the acceptor's link key."""

    configuration: PairingConfiguration
    peer_key: bytes


def new_code() -> str:
    """Draw a code, written `XXXX-XXXX-XXXX-XXXX`."""
    text = base64.b32encode(secrets.token_bytes(CODE_BITS // 8)).decode().translate(_SHOWN)
    return "-".join(text[start : start + 4] for start in range(0, CODE_LENGTH, 4))


def derive_locator(code: str) -> bytes:
    """Return what names a code without giving it away.

    Raises:
        PairingRefused: `pairing-code-malformed`.
    """
    return _derive(code, b"gatehouse/pair/locator", LOCATOR_SIZE)


def derive_pairing_key(code: str) -> bytes:
    """Return the key of both MACs, 32 bytes.

    Raises:
        PairingRefused: `pairing-code-malformed`.
    """
    return _derive(code, b"gatehouse/pair/mac", _MAC_SIZE)


class PairingDialer:
    """The lower tier's side. Send `start`, feed the answer, send the result, feed the end.

    Args:
        code: As somebody typed it: case, spaces and hyphens do not matter, nor O for 0 and
            I or L for 1.
        role: What to be paired as.
        public_key: Of the link key, which was made on this machine and stays there.
        name: What the installer calls this machine.

    Raises:
        PairingRefused: `pairing-code-malformed`.
    """

    def __init__(
        self, code: str, *, role: PairingRole, public_key: Ed25519PublicKey, name: str
    ) -> None:
        self._key = derive_pairing_key(code)
        self._start = _PAIRING.encode(
            PairStart(
                version=1,
                role=role,
                locator=derive_locator(code),
                nonce=secrets.token_bytes(NONCE_SIZE),
                public_key=_raw(public_key),
                name=name[:64],
            )
        )
        self._paired: Paired | None = None

    def start(self) -> bytes:
        """Return the first message."""
        return self._start

    def confirm(self, data: bytes) -> bytes:
        """Take the acceptor's answer; return the confirmation.

        Raises:
            PairingRefused: `pairing-malformed`, or `pairing-proof-wrong`: the other side
                does not know the code.
        """
        answer = _decode(data, PairAnswer)
        unproven = _PAIRING.encode(replace(answer, mac=b""))
        _check(answer.mac, _mac(self._key, b"acceptor", self._start, unproven))
        self._paired = Paired(answer.configuration, answer.public_key)
        return _PAIRING.encode(PairConfirm(_mac(self._key, b"dialer", self._start, data)))

    def finish(self, data: bytes) -> Paired:
        """Take the last message; from now on both sides know each other.

        Raises:
            PairingRefused: `pairing-malformed` or `pairing-out-of-order`.
        """
        _decode(data, PairDone)
        if self._paired is None:
            raise PairingRefused("an end before the middle", code="pairing-out-of-order")
        return self._paired


class PairingAcceptor:
    """The upper tier's side: `read_start`, look up the code, `answer`, `read_confirm`, `done`."""

    def __init__(self, identity: NodeIdentity) -> None:
        self._public = _raw(identity.private_key.public_key())
        self._key = b""
        self._start = b""
        self._answer = b""

    def read_start(self, data: bytes) -> PairStart:
        """Take the first message.

        Raises:
            PairingRefused: `pairing-malformed`.
        """
        start = _decode(data, PairStart)
        self._start = data
        return start

    def answer(self, key: bytes, configuration: PairingConfiguration) -> bytes:
        """Return the answer, proven with the key of the code that was named."""
        self._key = key
        answer = PairAnswer(secrets.token_bytes(NONCE_SIZE), self._public, configuration, b"")
        mac = _mac(key, b"acceptor", self._start, _PAIRING.encode(answer))
        self._answer = _PAIRING.encode(replace(answer, mac=mac))
        return self._answer

    def read_confirm(self, data: bytes) -> None:
        """Check the confirmation; store the dialer's key only after this.

        Raises:
            PairingRefused: `pairing-malformed`, `pairing-out-of-order`, or
                `pairing-proof-wrong`: the dialer does not know the code.
        """
        confirm = _decode(data, PairConfirm)
        if not self._answer:
            raise PairingRefused("a confirmation of nothing", code="pairing-out-of-order")
        _check(confirm.mac, _mac(self._key, b"dialer", self._start, self._answer))

    def done(self) -> bytes:
        """Return the last message, to be sent once the dialer's key is stored."""
        return _PAIRING.encode(PairDone())


def _derive(code: str, info: bytes, length: int) -> bytes:
    letters = "".join(code.upper().replace("-", " ").split())
    if len(letters) != CODE_LENGTH or not set(letters) <= set(_CROCKFORD + "OIL"):
        raise PairingRefused(
            f"a pairing code has {CODE_LENGTH} letters and digits", code="pairing-code-malformed"
        )
    secret = base64.b32decode(letters.translate(_READ))
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def _mac(key: bytes, side: bytes, before: bytes, own: bytes) -> bytes:
    # Each message is one self-delimiting MessagePack value: no two transcripts look alike.
    return hmac.digest(key, _LABEL + side + b"\0" + before + own, "sha256")


def _check(found: bytes, expected: bytes) -> None:
    if not hmac.compare_digest(found, expected):
        raise PairingRefused("the other side does not know the code", code="pairing-proof-wrong")


def _raw(public_key: Ed25519PublicKey) -> bytes:
    return public_key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def _decode(data: bytes, message_type: type[M]) -> M:
    if len(data) > MAX_PAIRING_MESSAGE:
        raise PairingRefused("a pairing message is too long", code="pairing-malformed")
    try:
        message = _PAIRING.decode(_PAIRING.kind(message_type), data)
    except MalformedMessage as error:
        raise PairingRefused(
            "not the pairing message expected", code="pairing-malformed"
        ) from error
    if not isinstance(message, message_type):
        raise TypeError("a vocabulary decodes a kind to its class")
    return message
