"""How two nodes prove themselves to each other, in three frames.

The dialer says Hello without proof; the acceptor answers with a Hello that proves its key;
the dialer says its Hello again, with proof. A proof is an Ed25519 signature over
`gatehouse/link/1`, a NUL, the signer's side, a NUL, and every Hello so far, the signer's own
with an empty proof. Both nonces are in what is signed, so neither a recorded Hello nor one
meant for somebody else proves anything. Epochs are looked at only once a key is proven.
"""

from typing import Final, Literal, TypeAlias

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from msgspec.structs import replace

from tier_link.errors import PeerRefused
from tier_link.events import Connected, Greeted, Marks, NodeIdentity
from tier_link.messages import PROTOCOL_VERSION, Hello, encode_frame

Side: TypeAlias = Literal["dialer", "acceptor"]

CLOSE_MALFORMED: Final = 4400
CLOSE_BAD_PROOF: Final = 4401
CLOSE_UNKNOWN_PEER: Final = 4403
CLOSE_VERSION: Final = 4406
CLOSE_HANDSHAKE_SLOW: Final = 4408
CLOSE_LOWER_EPOCH: Final = 4409
CLOSE_REPLACED: Final = 4410
CLOSE_LOST_HISTORY: Final = 4412
CLOSE_OVERRUN: Final = 4429


_LABEL = b"gatehouse/link/1\0"


class Handshake:
    """One side's handshake on one connection; see `tier_link.protocol.LinkCore`."""

    def __init__(self, side: Side, identity: NodeIdentity, nonce: bytes) -> None:
        self._side = side
        self._identity = identity
        self._nonce = nonce
        self._peer = ""
        self._peer_key: Ed25519PublicKey | None = None
        self._peer_hello: Hello | None = None
        self._marks = Marks(0, 1, 0, 0)
        self._transcript = b""
        self._over = False

    @property
    def epoch(self) -> int:
        """Our own epoch, as we said it."""
        return self._marks.epoch

    def dial(self, peer: str, peer_key: Ed25519PublicKey, marks: Marks) -> Hello:
        """Return the dialer's first Hello."""
        self._peer, self._peer_key, self._marks = peer, peer_key, marks
        return self._hello(proven=False)

    def welcome(self, peer_key: Ed25519PublicKey | None, marks: Marks) -> Hello:
        """Return the acceptor's Hello, the answer to a `Greeted`; no key means unknown.

        Raises:
            PeerRefused: `unknown-peer`.
        """
        hello = self._peer_hello
        if hello is None:
            raise RuntimeError("welcome answers a Greeted")
        if peer_key is None:
            raise refuse("this node is not known here", "unknown-peer", CLOSE_UNKNOWN_PEER)
        self._peer, self._peer_key, self._marks = hello.node, peer_key, marks
        return self._hello(proven=True)

    def _hello(self, *, proven: bool) -> Hello:
        marks = self._marks
        hello = Hello(
            PROTOCOL_VERSION,
            self._identity.node,
            marks.epoch,
            marks.seen_epoch,
            marks.seen_sequence,
            self._nonce,
        )
        if proven:
            signed = _LABEL + self._side.encode() + b"\0" + self._transcript + encode_frame(hello)
            hello = replace(hello, proof=self._identity.private_key.sign(signed))
        self._transcript += encode_frame(hello)
        return hello

    def take(self, hello: Hello) -> tuple[Greeted | Connected, Hello | None]:
        """Take the other side's Hello; return what it means and what to answer, if anything.

        Raises:
            PeerRefused: with the reason and the close code. A dialer that refuses an acceptor in
                an epoch before its last has a last word for it, see `parting`.
        """
        if hello.version != PROTOCOL_VERSION:
            raise refuse(f"link version {hello.version}", "other-version", CLOSE_VERSION)
        first = self._peer_hello
        if self._side == "acceptor" and first is None:
            if hello.proof:
                raise malformed("a first hello proves nothing")
            self._peer_hello = hello
            self._transcript = encode_frame(hello)
            return Greeted(hello.node), None
        if self._peer_key is None or self._over or hello.node != self._peer:
            raise refuse("a hello out of turn or of another node", "bad-proof", CLOSE_BAD_PROOF)
        unproven = replace(hello, proof=b"")
        if first is not None and unproven != first:
            raise refuse("the second hello differs from the first", "bad-proof", CLOSE_BAD_PROOF)
        other: Side = "acceptor" if self._side == "dialer" else "dialer"
        signed = _LABEL + other.encode() + b"\0" + self._transcript + encode_frame(unproven)
        try:
            self._peer_key.verify(hello.proof, signed)
        except InvalidSignature as error:
            raise refuse("the proof is wrong", "bad-proof", CLOSE_BAD_PROOF) from error
        self._transcript += encode_frame(hello)
        self._over = True
        self._check_epochs(hello)
        knows_us = hello.seen_epoch == self._marks.epoch
        connected = Connected(hello.node, hello.epoch, hello.seen_sequence if knows_us else 0)
        return connected, self._hello(proven=True) if self._side == "dialer" else None

    def parting(self) -> Hello | None:
        """Return the Hello by which a dialer shows an outdated acceptor that it is outdated.

        It proves the dialer's key over the highest epoch of the acceptor's that it ever met, so
        that an old primary which comes back need not take a stranger's word for it.
        """
        return self._hello(proven=True) if self._side == "dialer" and self._over else None

    def _check_epochs(self, hello: Hello) -> None:
        marks = self._marks
        if hello.epoch < marks.seen_epoch:
            raise refuse(
                "the peer is in an epoch before its last", "lower-epoch", CLOSE_LOWER_EPOCH
            )
        if hello.seen_epoch > marks.epoch:
            raise refuse("we are in an epoch before our last", "stale-epoch", CLOSE_LOWER_EPOCH)
        if hello.seen_epoch == marks.epoch and hello.seen_sequence >= marks.next_sequence:
            raise refuse(
                "the peer has records of this epoch that we do not know: begin a new epoch",
                "lost-history",
                CLOSE_LOST_HISTORY,
            )


def refuse(message: str, code: str, close_code: int) -> PeerRefused:
    """Make the error that closes a connection with `close_code`."""
    return PeerRefused(message, code=code, close_code=close_code)


def malformed(message: str) -> PeerRefused:
    """Make the error for a frame that must not have been sent."""
    return refuse(message, "malformed", CLOSE_MALFORMED)
