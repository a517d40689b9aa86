"""Everything `tier_link` raises.

Each error has a stable, kebab-case `code` for programs and a sentence for people::

    LinkError
    ├── MalformedMessage      bytes from elsewhere that are not what they claim to be
    ├── SealBroken            a sealed box that does not open: altered, or for another context
    ├── CertificateRefused    a key the community's root did not certify for this use, now
    ├── InvitationMalformed   a link or fragment that is not an invitation
    ├── EnvelopeRefused       an opened enrollment that is altered, misplaced or forged
    ├── ReplyRefused          an opened reply that is misplaced or forged
    ├── ReceiptRefused        a file that is no receipt, or that no community signed
    ├── PassRefused           a QR code that is no pass of this community
    ├── CardRefused           what a reader or keyboard wrote is no card's number
    ├── PairingRefused        a pairing attempt that failed, and why
    ├── PeerRefused           a link handshake or a frame the other side must not have sent
    ├── RecordRefused         a tier's handler says: this durable record is nonsense, skip it
    ├── RequestRefused        a tier's handler says: no, with a code for the asker
    ├── UnsafeAddress         plain `ws://` to another machine
    ├── DatabaseAddressRefused  a database address of a kind the tiers do not run on
    ├── RevisionUnknown       a database that a newer release has been at
    ├── StorageFailed         the database cannot be written now: a full disk, say
    ├── SocketClosed          the connection under a link ended
    └── RequestError          a request that brought no answer
        ├── RequestFailed     the other side answered with a code
        ├── LinkDown          there is no link, or it went away before the answer
        └── DeadlinePassed    no answer in time
"""


class LinkError(Exception):
    """Base of all errors of this package."""

    code = "link-error"

    def __init__(self, message: str, *, code: str | None = None) -> None:
        """Take a sentence for people and, where a class has several, the code."""
        super().__init__(message)
        if code is not None:
            self.code = code


class MalformedMessage(LinkError):
    """Bytes from another tier are not a message of the kind they claim to be."""

    code = "malformed"


class SealBroken(LinkError):
    """A sealed box does not open under this key and context."""

    code = "seal-broken"


class CertificateRefused(LinkError):
    """A certificate does not prove this key for this use at this time.

    Codes: `certificate-malformed`, `certificate-forged`, `certificate-other-community`,
    `certificate-other-purpose`, `certificate-not-yet-valid`, `certificate-expired`,
    `root-mismatch` (the root key is not the one the fingerprint names).
    """

    code = "certificate-malformed"


class InvitationMalformed(LinkError):
    """A link or fragment is not an invitation."""

    code = "invitation-malformed"


class EnvelopeRefused(LinkError):
    """An opened enrollment is refused.

    Codes: `malformed`, `too-large`, `other-community`, `other-envelope`, `other-key`,
    `other-suite`, `other-sealer`, `photo-altered`, `forged` (the MAC is wrong).
    """

    code = "malformed"

    @property
    def reason(self) -> str:
        """The reply's reason for this refusal: `malformed` or `forged`."""
        return "malformed" if self.code in {"malformed", "too-large"} else "forged"


class ReplyRefused(LinkError):
    """An opened reply is refused.

    Codes: `reply-malformed`, `reply-forged`, `reply-other-community`,
    `reply-other-envelope`, `reply-other-number`.
    """

    code = "reply-malformed"


class ReceiptRefused(LinkError):
    """A file is no receipt, or not of the community that it should be of.

    Codes: `receipt-missing` (no receipt in it, or several), `receipt-malformed`,
    `receipt-forged`, `receipt-other-root`.
    """

    code = "receipt-malformed"


class PassRefused(LinkError):
    """A QR code is no pass, or none of this community's.

    Codes: `not-a-pass`, `pass-malformed`, `pass-foreign`, `pass-key-unknown`, `pass-forged`.
    """

    code = "pass-malformed"


class CardRefused(LinkError):
    """What was read or typed is no card's number."""

    code = "card-malformed"


class PairingRefused(LinkError):
    """A pairing attempt failed.

    Codes: `pairing-code-malformed`, `pairing-code-unknown`, `pairing-code-expired`,
    `pairing-code-used-up`, `pairing-proof-wrong`, `pairing-malformed`,
    `pairing-out-of-order`.
    """

    code = "pairing-code-unknown"


class PeerRefused(LinkError):
    """The other side of a link is refused; the connection closes with `close_code`."""

    code = "peer-refused"

    def __init__(self, message: str, *, code: str, close_code: int) -> None:
        """Take a sentence, a stable code and the WebSocket close code (4400 to 4499)."""
        super().__init__(message, code=code)
        self.close_code = close_code


class RecordRefused(LinkError):
    """A handler refuses a durable record for good: it is logged and skipped, the mark advances."""

    code = "record-refused"


class RequestRefused(LinkError):
    """A handler refuses a request; `code` travels to the asker."""

    code = "refused"


class UnsafeAddress(LinkError):
    """Plain `ws://` is only for the machine itself."""

    code = "unsafe-address"


class DatabaseAddressRefused(LinkError):
    """Only SQLite files and PostgreSQL through psycopg are supported."""

    code = "database-address-refused"


class RevisionUnknown(LinkError):
    """A database is of a newer release than this one: no migration here knows its revision."""

    code = "revision-unknown"


class StorageFailed(LinkError):
    """The database cannot be written now: the disk is full, or the server is away."""

    code = "storage-failed"


class SocketClosed(LinkError):
    """The connection under a link ended; `close_code` is the WebSocket's, 1006 when cut."""

    code = "socket-closed"

    def __init__(self, close_code: int = 1006, reason: str = "") -> None:
        """Take what the other side gave as close code and reason."""
        super().__init__(reason or f"connection closed ({close_code})")
        self.close_code = close_code
        self.reason = reason


class RequestError(LinkError):
    """A request brought no answer. It is never sent again by itself."""

    code = "request-error"


class RequestFailed(RequestError):
    """The other side answered a request with a code instead of a body."""

    code = "request-failed"


class LinkDown(RequestError):
    """There is no link, or it went away before the answer came."""

    code = "link-down"


class DeadlinePassed(RequestError):
    """No answer came before the request's deadline."""

    code = "deadline-passed"
