"""Short-lived keys: envelope keys for sealing to the community, a reply key for answering.

A new one of each every week. Certificates overlap by a day, and the private part lives two
days longer than its certificate, for envelopes that were on their way; then it is destroyed
with its data key, and nothing sealed to it can be opened any more.
"""

from dataclasses import dataclass, field
from typing import Final, Literal

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
    SignedCertificate,
    build_certificate,
    carry_certificate,
    root_public_bytes,
)
from tier_link.relay_messages import CarriedCertificate
from tier_link.sealing import new_sealing_key, sealing_public_bytes

HOUR: Final = 3600
DAY: Final = 24 * HOUR
ROTATION: Final = 7 * DAY
VALIDITY: Final = 8 * DAY
GRACE: Final = 2 * DAY
"""How long an envelope key outlives its certificate; an envelope lives 24 hours in the cloud."""

Use = Literal["envelope", "reply"]
_USES: Final[tuple[Use, ...]] = ("envelope", "reply")


class KeyGone(ServerError):
    """This key was never ours, or its private part has been destroyed."""

    code = "key-expired"


@dataclass(frozen=True)
class ReplySigner:
    """What signs replies."""

    private: Ed25519PrivateKey = field(repr=False)
    certificate: SignedCertificate


def renew_keys(session: Session, safe: Safe, community: str, now: int) -> bool:
    """Make the keys that are due and destroy those whose time is over.

    Returns whether what the public form needs (its certificates) has changed.
    """
    changed = False
    for use in _USES:
        newest = _newest(session, use)
        if newest is None or newest.not_before + ROTATION <= now:
            _make(session, safe, use, community, now)
            changed = True
    for old in session.scalars(
        select(CertifiedKey).where(
            CertifiedKey.destroy_after <= now, CertifiedKey.private.is_not(None)
        )
    ):
        old.private = None
        safe.destroy(session, _owner(old.id))
    return changed


def recertify(session: Session, safe: Safe, community: str, now: int) -> None:
    """Retire all keys and make new ones: the community's public id has changed."""
    for key in session.scalars(select(CertifiedKey).where(CertifiedKey.not_after > now)):
        key.not_after = now
    session.flush()
    for use in _USES:
        _make(session, safe, use, community, now)


def published_certificates(session: Session, now: int) -> tuple[CarriedCertificate, ...]:
    """Return the envelope certificates that hold now, newest first."""
    rows = session.scalars(
        select(CertifiedKey)
        .where(CertifiedKey.purpose == "envelope", CertifiedKey.not_after > now)
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


def reply_signer(session: Session, safe: Safe) -> ReplySigner:
    """Return the newest reply key.

    Raises:
        KeyGone: none was made yet.
    """
    row = _newest(session, "reply")
    if row is None or row.private is None:
        raise KeyGone("no reply key")
    raw = _open(session, safe, row.id, row.private)
    return ReplySigner(
        Ed25519PrivateKey.from_private_bytes(raw),
        carry_certificate(row.certificate, row.signature),
    )


def _newest(session: Session, use: Use) -> CertifiedKey | None:
    return session.scalar(
        select(CertifiedKey)
        .where(CertifiedKey.purpose == use)
        .order_by(CertifiedKey.not_after.desc())
        .limit(1)
    )


def _make(session: Session, safe: Safe, use: Use, community: str, now: int) -> None:
    if use == "envelope":
        sealing = new_sealing_key()
        public = sealing_public_bytes(sealing)
        private = sealing.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    else:
        signing = Ed25519PrivateKey.generate()
        public, private = root_public_bytes(signing), signing.private_bytes_raw()
    key = new_id()
    certificate, signature = build_certificate(
        root_key(session, safe),
        community=community,
        purpose=use,
        key=key,
        public=public,
        not_before=now,
        not_after=now + VALIDITY,
    )
    owner = _owner(key)
    safe.add_owner(session, owner)
    session.add(
        CertifiedKey(
            id=key,
            purpose=use,
            not_before=now,
            not_after=now + VALIDITY,
            destroy_after=now + VALIDITY + GRACE,
            private=safe.seal(session, owner, "private", private),
            certificate=certificate,
            signature=signature,
        )
    )
    session.flush()


def _open(session: Session, safe: Safe, key: str, private: Sealed) -> bytes:
    return safe.open(session, _owner(key), "private", private)


def _owner(key: str) -> str:
    return f"key:{key}"
