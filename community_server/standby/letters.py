"""What an estate's two servers write to each other, over HTTPS that nobody vouches for.

Each letter is signed by the community's root key, which both have: the standby from the recovery
kit at first, from its replica afterwards. Erasure keys are sealed to a key made for one letter, so
that whoever records the traffic and steals the root later still reads none.
"""

import hashlib
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from msgspec import Meta

from community_server.errors import LetterRefused
from community_server.vault.master_key import KEY_SIZE
from tier_link.errors import SealBroken
from tier_link.estate_messages import ServerAddress
from tier_link.sealing import PUBLIC_KEY_SIZE, SealContext, open_sealed, seal

MEDIA_TYPE: Final = "application/msgpack"
NONCE_SIZE: Final = 32
MOST_GENERATIONS: Final = 64
"""Of erasure keys alive at one time: there are two for a minute a day, and one otherwise."""
_MOST_SEALED: Final = 32 * 1024
_WANTED: Final = b"gatehouse/standby-wants-keys/1\0"
_GIVEN: Final = b"gatehouse/standby-is-given-keys/1\0"
_STATED: Final = b"gatehouse/server-epoch/1\0"

Node: TypeAlias = Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
Generation: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=2**50)]
Signature: TypeAlias = Annotated[bytes, Meta(min_length=64, max_length=64)]
Key: TypeAlias = Annotated[bytes, Meta(min_length=KEY_SIZE, max_length=KEY_SIZE)]


class Signed(msgspec.Struct, frozen=True, array_like=True):
    """A letter as it travels: its body, and the root's signature over a label and the body."""

    body: Annotated[bytes, Meta(max_length=_MOST_SEALED)]
    signature: Signature


class KeysWanted(msgspec.Struct, frozen=True, array_like=True):
    """The standby asks for the erasure keys and says which it holds.

    `admit` says that the recovery kit was typed just now: it takes an earlier standby's place.
    `at` is Unix milliseconds and grows from letter to letter. `serving_address` is how doors reach
    the server that is asked, `address` how they reach the standby. `public` is the key, made for
    this letter, to which the answer is sealed. `behind_s` is the age of what was last replayed.
    """

    node: Node
    admit: bool
    at: Milliseconds
    serving_address: ServerAddress
    address: ServerAddress
    public: Annotated[bytes, Meta(min_length=PUBLIC_KEY_SIZE, max_length=PUBLIC_KEY_SIZE)]
    holds: Annotated[tuple[Generation, ...], Meta(max_length=MOST_GENERATIONS)]
    behind_s: Annotated[int, Meta(ge=0, le=2**40)]


class KeyRing(msgspec.Struct, frozen=True, array_like=True):
    """The erasure keys of a vault, by generation; `upcoming` wraps nothing yet."""

    estate: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    keys: Annotated[dict[Generation, Key], Meta(min_length=1, max_length=MOST_GENERATIONS)]
    upcoming: tuple[Generation, Key] | None

    def __repr__(self) -> str:
        """Show which, never the keys."""
        return f"KeyRing({sorted(self.keys)})"


class EpochWanted(msgspec.Struct, frozen=True, array_like=True):
    """Whoever asks: which epoch is your store in? The nonce makes the answer a fresh one."""

    nonce: Annotated[bytes, Meta(min_length=NONCE_SIZE, max_length=NONCE_SIZE)]


class EpochStated(msgspec.Struct, frozen=True, array_like=True):
    """The answer: the epoch, and whether this server is in service; a standby is not."""

    nonce: Annotated[bytes, Meta(min_length=NONCE_SIZE, max_length=NONCE_SIZE)]
    epoch: Annotated[int, Meta(ge=1, le=2**62)]
    serving: bool


L = TypeVar("L", KeysWanted, EpochStated)
_LABELS: Final = {KeysWanted: _WANTED, EpochStated: _STATED}


def sign(letter: KeysWanted | EpochStated, root: Ed25519PrivateKey) -> bytes:
    """Return a letter as it travels."""
    return _signed(_LABELS[type(letter)], msgspec.msgpack.encode(letter), root)


def read(kind: type[L], data: bytes, root: Ed25519PublicKey) -> L:
    """Read a letter.

    Raises:
        LetterRefused: malformed, or not signed by this community's root.
    """
    return _decode(kind, _verified(_LABELS[kind], data, root))


def read_question(data: bytes) -> EpochWanted:
    """Read the one question that anybody may ask.

    Raises:
        LetterRefused: malformed.
    """
    return _decode(EpochWanted, data)


def ask_epoch(nonce: bytes) -> bytes:
    """Return the question as it travels."""
    return msgspec.msgpack.encode(EpochWanted(nonce))


def answer_keys(asked: bytes, wanted: KeysWanted, ring: KeyRing, root: Ed25519PrivateKey) -> bytes:
    """Return the answer to a letter (`asked`, as it came): the keys, sealed and signed."""
    box = seal(wanted.public, msgspec.msgpack.encode(ring), _context(wanted))
    return _signed(_GIVEN + hashlib.sha256(asked).digest(), box, root)


def read_keys(
    data: bytes,
    asked: bytes,
    wanted: KeysWanted,
    private: EllipticCurvePrivateKey,
    root: Ed25519PublicKey,
) -> KeyRing:
    """Open the answer to a letter that was sent.

    Raises:
        LetterRefused: malformed, not signed by the root, or the answer to another letter.
    """
    box = _verified(_GIVEN + hashlib.sha256(asked).digest(), data, root)
    try:
        return _decode(KeyRing, open_sealed(private, box, _context(wanted)))
    except SealBroken as error:
        raise LetterRefused("the keys are not sealed to this standby") from error


def _context(wanted: KeysWanted) -> SealContext:
    return SealContext(wanted.node, "standby-keys", str(wanted.at), "standby")


def _signed(label: bytes, body: bytes, root: Ed25519PrivateKey) -> bytes:
    return msgspec.msgpack.encode(Signed(body, root.sign(label + body)))


def _verified(label: bytes, data: bytes, root: Ed25519PublicKey) -> bytes:
    letter = _decode(Signed, data)
    try:
        root.verify(letter.signature, label + letter.body)
    except InvalidSignature as error:
        raise LetterRefused("the other server is not of this community") from error
    return letter.body


T = TypeVar("T")


def _decode(kind: type[T], data: bytes) -> T:
    try:
        return msgspec.msgpack.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise LetterRefused("not a letter of a server's") from error
