"""A client written from `docs/api-cloud.md` alone: HTTP, JSON and `cryptography`, nothing of ours.

It is what another system's programmer would write; where the page is wrong, it fails.
"""

import hashlib
import hmac
import json
import secrets
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field
from typing import Any

import httpx
from cryptography.hazmat.primitives import hashes, hpke
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

SUITE = "hpke-p256-sha256-aes256gcm"
SIZES = [1024 * size for size in (4, 16, 64, 128, 256, 512, 1024, 2048, 4096)]

_hpke = hpke.Suite(hpke.KEM.P256, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)


@dataclass
class DocumentedClient:
    """One invitation and one enrollment by it."""

    link: str
    http: httpx.Client
    envelope: str = field(default_factory=lambda: secrets.token_hex(16))
    reply_key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    root: Ed25519PublicKey | None = None

    def __post_init__(self) -> None:
        address, _, fragment = self.link.partition("#")
        cloud, _, path = address.partition("/c/")
        self.community, page = path.split("/")
        self.kind = "visitor" if page == "visit" else "resident"
        self.base = f"{cloud}/api/v1/communities/{self.community}"
        secret, self.fingerprint = _plain(fragment)[:16], _plain(fragment)[16:]
        self.invitation = _derive(secret, b"gatehouse/invitation/id", 16).hex()
        self.auth = _derive(secret, b"gatehouse/invitation/auth", 32)

    def enroll(self, photos: dict[str, bytes], particulars: dict[str, str]) -> None:
        """Seal and send."""
        profile = self.http.get(self.base).json()
        root = _plain(profile["root_public"])
        assert hashlib.sha256(root).digest() == self.fingerprint
        self.root = Ed25519PublicKey.from_public_bytes(root)
        assert self.http.get(f"{self.base}/invitations/{self.invitation}").json()["state"] == "open"
        certificates = [
            self._certificate(one["certificate"], one["signature"])
            for one in profile["certificates"]
        ]
        key = next(one for one in certificates if one["purpose"] == "envelope")
        manifest = json.dumps(
            {
                "version": 1,
                "community": self.community,
                "envelope": self.envelope,
                "suite": SUITE,
                "key": key["key"],
                "kind": self.kind,
                "language": "en",
                "sealed_by": "browser",
                "consents": [
                    {
                        "id": one["id"],
                        "version": one["version"],
                        "language": one["language"],
                        "sha256": hashlib.sha256(one["text"].encode()).hexdigest(),
                    }
                    for one in profile["consents"]
                    if one["required"] and one["language"] == "en"
                ],
                "photos": [
                    {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data), "pose": pose}
                    for pose, data in photos.items()
                ],
                "particulars": particulars,
                "alternative": "",
                "reply_key": _text(_point(self.reply_key.public_key())),
            }
        ).encode()
        mac = hmac.digest(self.auth, b"gatehouse/enrollment/1\0" + manifest, "sha256")
        plain = len(manifest).to_bytes(4, "big") + manifest + mac + b"".join(photos.values())
        plain += b"\x80"
        plain += bytes(next(size for size in SIZES if size >= len(plain)) - len(plain))
        to = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), _plain(key["public"]))
        info = self._info("enrollment", key["key"])
        answer = self.http.put(
            f"{self.base}/envelopes/{self.envelope}",
            params={"invitation": self.invitation, "key": key["key"], "suite": SUITE},
            content=_hpke.encrypt(plain, to, info=info),
            headers={"content-type": "application/octet-stream"},
        )
        assert answer.status_code == httpx.codes.ACCEPTED, answer.text

    def replies(self) -> list[dict[str, Any]]:
        """Read what has been answered so far."""
        found = self.http.get(f"{self.base}/envelopes/{self.envelope}").json()["replies"]
        return [self._open(one["number"], _plain(one["sealed"])) for one in found]

    def _open(self, number: int, sealed: bytes) -> dict[str, Any]:
        info = self._info("reply", f"reply-{number}")
        padded = _hpke.decrypt(sealed, self.reply_key, info=info)
        carried = json.loads(padded.rstrip(b"\0").removesuffix(b"\x80"))
        certificate = self._certificate(carried["certificate"], carried["certificate_signature"])
        assert certificate["purpose"] == "reply"
        data = _plain(carried["reply"])
        signer = Ed25519PublicKey.from_public_bytes(_plain(certificate["public"]))
        signer.verify(_plain(carried["signature"]), b"gatehouse/reply/1\0" + data)
        reply: dict[str, Any] = json.loads(data)
        asked = (self.community, self.envelope, number)
        assert (reply["community"], reply["envelope"], reply["number"]) == asked
        return reply

    def _certificate(self, carried: str, signature: str) -> dict[str, Any]:
        assert self.root is not None
        data = _plain(carried)
        self.root.verify(_plain(signature), b"gatehouse/certificate/1\0" + data)
        certificate: dict[str, Any] = json.loads(data)
        assert certificate["community"] == self.community
        assert certificate["not_before"] <= time.time() < certificate["not_after"]
        return certificate

    def _info(self, purpose: str, key: str) -> bytes:
        parts = ("gatehouse/seal/1", self.community, purpose, self.envelope, key)
        return b"\0".join(part.encode() for part in parts)


def _derive(secret: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt=None, info=info).derive(secret)


def _point(public: ec.EllipticCurvePublicKey) -> bytes:
    return public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)


def _plain(text: str) -> bytes:
    return urlsafe_b64decode(text + "==")


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).decode().rstrip("=")
