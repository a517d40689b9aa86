"""Short-lived keys: envelope keys for sealing to the community; reply, pass and receipt keys.

A new envelope and reply key every week. Certificates overlap by a day, and the private part lives
two days longer than its certificate, for envelopes that were on their way; then it is destroyed
with its data key, and nothing sealed to it can be opened any more. A pass key signs for a month;
its certificate holds for as long as the last pass that it signed. A receipt key signs for a month,
too; a receipt is held against its certificate as of the moment when it was signed.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_der_private_key,
)
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.database import Sealed, new_id
from community_server.errors import ServerError
from community_server.keys.root import root_key
from community_server.keys.tables import CertifiedKey
from community_server.vault.safe import Safe
from tier_link.certificates import (
    Certificate,
    SignedCertificate,
    build_certificate,
    carry_certificate,
    root_public_bytes,
)
from tier_link.passes import LONGEST_S, key_number
from tier_link.relay_messages import CarriedCertificate
from tier_link.sealing import new_sealing_key, sealing_public_bytes

HOUR: Final = 3600
DAY: Final = 24 * HOUR
ROTATION: Final = 7 * DAY
VALIDITY: Final = 8 * DAY
GRACE: Final = 2 * DAY
"""How long an envelope key outlives its certificate; an envelope lives 24 hours in the cloud."""

PASS_ROTATION: Final = 30 * DAY
RECEIPT_ROTATION: Final = 30 * DAY

Use = Literal["envelope", "reply", "pass", "receipt"]


@dataclass(frozen=True)
class _Span:
    """Seconds from a key's beginning to the next one, to its certificate's end, to its own end."""

    rotation: int
    validity: int
    life: int


_WEEKLY: Final = _Span(ROTATION, VALIDITY, VALIDITY + GRACE)
_SPANS: Final[dict[Use, _Span]] = {
    "envelope": _WEEKLY,
    "reply": _WEEKLY,
    # A day for a sweep that comes late, twice: only the newest signs, and a pass may begin later.
    "pass": _Span(PASS_ROTATION, PASS_ROTATION + 2 * LONGEST_S, PASS_ROTATION + DAY),
    # Destroyed a day after its last use, so that nobody can date a receipt back later.
    "receipt": _Span(RECEIPT_ROTATION, RECEIPT_ROTATION + DAY, RECEIPT_ROTATION + DAY),
}


class KeyGone(ServerError):
    """This key was never ours, or its private part has been destroyed."""

    code = "key-expired"


@dataclass(frozen=True)
class Signer:
    """What signs replies, or receipts."""

    private: Ed25519PrivateKey = field(repr=False)
    certificate: SignedCertificate


@dataclass(frozen=True)
class PassSigner:
    """What signs passes, and the id by which they name it."""

    private: Ed25519PrivateKey = field(repr=False)
    key: str


def renew_keys(session: Session, safe: Safe, community: str, now: int) -> bool:
    """Make the keys that are due and destroy those whose time is over.

    Returns whether what the public form needs (its certificates) has changed.
    """
    changed = False
    for use, span in _SPANS.items():
        newest = _newest(session, use)
        if newest is None or newest.not_before + span.rotation <= now:
            make_key(session, safe, use, community, now)
            changed = True
    for old in session.scalars(
        select(CertifiedKey).where(
            CertifiedKey.destroy_after <= now, CertifiedKey.private.is_not(None)
        )
    ):
        destroy_private(session, safe, old)
    return changed


def destroy_private(session: Session, safe: Safe, row: CertifiedKey) -> None:
    """Destroy a key's private part, with the data key that sealed it."""
    row.private = None
    safe.destroy(session, key_owner(row.id))


def recertify(session: Session, safe: Safe, community: str, now: int) -> None:
    """Retire all keys and make new ones: the community's public id has changed."""
    living = (CertifiedKey.not_after > now, CertifiedKey.retired_at == 0)
    for key in session.scalars(select(CertifiedKey).where(*living)):
        if key.purpose == "pass":  # the passes it signed are with people, and name no id
            _certify(session, safe, key, community)
        else:
            key.not_after = now
    session.flush()
    for use in _SPANS:
        if use != "pass":
            make_key(session, safe, use, community, now)


def revive_keys(session: Session, safe: Safe, community: str, now: int) -> None:
    """After a restore: let go of keys whose data key is gone, and make new ones in their place.

    Certificates of passes that were signed stay; nothing more can be sealed to, or signed by, the
    others, and they end.
    """
    for row in session.scalars(select(CertifiedKey).where(CertifiedKey.private.is_not(None))):
        if not safe.has_owner(session, key_owner(row.id)):
            row.private = None
            if row.purpose != "pass":
                row.not_after = min(row.not_after, now)
    session.flush()
    for use in _SPANS:
        newest = _newest(session, use)
        if newest is None or newest.private is None:
            make_key(session, safe, use, community, now)


def published_certificates(session: Session, now: int) -> tuple[CarriedCertificate, ...]:
    """Return the envelope certificates that hold now, newest first."""
    rows = session.scalars(
        select(CertifiedKey)
        .where(
            CertifiedKey.purpose == "envelope",
            CertifiedKey.not_after > now,
            CertifiedKey.retired_at == 0,
        )
        .order_by(CertifiedKey.not_before.desc())
    )
    return tuple(CarriedCertificate(row.certificate, row.signature) for row in rows)


def envelope_key(session: Session, safe: Safe, key: str, now: int) -> ec.EllipticCurvePrivateKey:
    """Return the private part of an envelope key.

    Raises:
        KeyGone: unknown, or past its last use.
    """
    row = session.get(CertifiedKey, key)
    if row is None or row.purpose != "envelope" or row.private is None or row.destroy_after <= now:
        raise KeyGone("the key this envelope is sealed to is unknown or past its last use")
    private = load_der_private_key(_open(session, safe, row.id, row.private), None)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise KeyGone("not an envelope key")
    return private


def reply_signer(session: Session, safe: Safe) -> Signer:
    """Return the newest reply key.

    Raises:
        KeyGone: none was made yet.
    """
    row, private = _signing(session, safe, "reply")
    return Signer(private, carry_certificate(row.certificate, row.signature))


def has_newest(session: Session, use: Use) -> bool:
    """Say whether there is a key of this use that was not retired."""
    return _newest(session, use) is not None


def receipt_signer(session: Session, safe: Safe, community: str, now: int) -> Signer:
    """Return the newest receipt key, made now where there is none that holds."""
    newest = _newest(session, "receipt")
    if newest is None or newest.not_after <= now:
        make_key(session, safe, "receipt", community, now)
    row, private = _signing(session, safe, "receipt")
    return Signer(private, carry_certificate(row.certificate, row.signature))


def pass_signer(session: Session, safe: Safe) -> PassSigner:
    """Return the newest pass key.

    Raises:
        KeyGone: none was made yet.
    """
    row, private = _signing(session, safe, "pass")
    return PassSigner(private, row.id)


def pass_certificates(session: Session, now: int) -> tuple[CarriedCertificate, ...]:
    """Return the certificates of the pass keys whose passes may still hold, newest first."""
    rows = session.scalars(
        select(CertifiedKey)
        .where(
            CertifiedKey.purpose == "pass",
            CertifiedKey.not_after > now,
            CertifiedKey.retired_at == 0,
        )
        .order_by(CertifiedKey.not_before.desc())
    )
    return tuple(CarriedCertificate(row.certificate, row.signature) for row in rows)


def _signing(
    session: Session, safe: Safe, use: Literal["reply", "pass", "receipt"]
) -> tuple[CertifiedKey, Ed25519PrivateKey]:
    row = _newest(session, use)
    if row is None or row.private is None:
        raise KeyGone(f"no {use} key")
    raw = _open(session, safe, row.id, row.private)
    return row, Ed25519PrivateKey.from_private_bytes(raw)


def _newest(session: Session, use: Use) -> CertifiedKey | None:
    return session.scalar(
        select(CertifiedKey)
        .where(CertifiedKey.purpose == use, CertifiedKey.retired_at == 0)
        .order_by(CertifiedKey.not_after.desc())
        .limit(1)
    )


def make_key(session: Session, safe: Safe, use: Use, community: str, now: int) -> None:
    """Make and certify a key of one use; it is the one in use from now on."""
    if use == "envelope":
        sealing = new_sealing_key()
        public = sealing_public_bytes(sealing)
        private = sealing.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    else:
        signing = Ed25519PrivateKey.generate()
        public, private = root_public_bytes(signing), signing.private_bytes_raw()
    span, key = _SPANS[use], _free_id(session, use)
    certificate, signature = build_certificate(
        root_key(session, safe),
        community=community,
        purpose=use,
        key=key,
        public=public,
        not_before=now,
        not_after=now + span.validity,
    )
    owner = key_owner(key)
    safe.add_owner(session, owner)
    session.add(
        CertifiedKey(
            id=key,
            purpose=use,
            not_before=now,
            not_after=now + span.validity,
            destroy_after=now + span.life,
            private=safe.seal(session, owner, "private", private),
            certificate=certificate,
            signature=signature,
        )
    )
    session.flush()


def _free_id(session: Session, use: Use) -> str:
    """Draw an id; passes name their key by two bytes of it, which no other pass key has."""
    taken = set()
    if use == "pass":
        ids = session.scalars(select(CertifiedKey.id).where(CertifiedKey.purpose == use))
        taken = {key_number(one) for one in ids}
    while key_number(key := new_id()) in taken:
        pass
    return key


def _certify(session: Session, safe: Safe, row: CertifiedKey, community: str) -> None:
    """Certify a signing key anew, for the same time."""
    old = msgspec.json.decode(row.certificate, type=Certificate)
    row.certificate, row.signature = build_certificate(
        root_key(session, safe),
        community=community,
        purpose=old.purpose,
        key=row.id,
        public=old.public_bytes,
        not_before=row.not_before,
        not_after=row.not_after,
    )


def _open(session: Session, safe: Safe, key: str, private: Sealed) -> bytes:
    return safe.open(session, key_owner(key), "private", private)


def key_owner(key: str) -> str:
    """Return the owner of the data key that seals a certified key."""
    return f"key:{key}"
