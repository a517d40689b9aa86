"""Write `vectors/*.json`, which the Python and the browser tests both read.

Run `python tests/tier_link/make_vectors.py`. Keys and times are fixed; only the sealed boxes
differ from run to run, since HPKE draws a fresh key for each. Binary values are base64url
without padding unless their name ends in `_hex`; private P-256 keys are JWK, as WebCrypto
imports them.
"""

import hashlib
import json
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from tier_link import (
    certificates,
    envelopes,
    invitations,
    passes,
    replies,
    sealing,
    visit_answers,
    visits,
)
from tier_link.base64url import encode_base64url

FOLDER = Path(__file__).parent / "vectors"
COMMUNITY = "sunny-court-4f2a"
ENVELOPE = "00112233445566778899aabbccddeeff"
KEY = "2026-w48"
NOW = 1_795_000_000
WEEK = 7 * 24 * 3600

ROOT = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
REPLY_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32, 64)))
PASS_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(64, 96)))
SIGNING_ID = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
PHONE_KEY = ec.derive_private_key(0x1357924680, ec.SECP256R1())
ENVELOPE_KEY = ec.derive_private_key(0x1234567, ec.SECP256R1())
BROWSER_KEY = ec.derive_private_key(0x7654321, ec.SECP256R1())
FINGERPRINT = certificates.root_fingerprint(certificates.root_public_bytes(ROOT))
INVITATION = invitations.InvitationSecret(bytes(range(64, 80)), FINGERPRINT)
CONSENT_TEXT = "Encode my face. 为我的人脸建立模板。"


def jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    point = sealing.sealing_public_bytes(key)
    scalar = key.private_numbers().private_value.to_bytes(32, "big")
    return {
        "kty": "EC",
        "crv": "P-256",
        "x": encode_base64url(point[1:33]),
        "y": encode_base64url(point[33:]),
        "d": encode_base64url(scalar),
    }


def certificate(purpose: certificates.Purpose, key: str, public: bytes) -> tuple[bytes, bytes]:
    return certificates.build_certificate(
        ROOT,
        community=COMMUNITY,
        purpose=purpose,
        key=key,
        public=public,
        not_before=NOW,
        not_after=NOW + WEEK,
    )


def invitation_vector() -> dict[str, Any]:
    return {
        "secret_hex": INVITATION.secret.hex(),
        "fingerprint_hex": FINGERPRINT.hex(),
        "id": INVITATION.id,
        "auth_hex": INVITATION.auth.hex(),
        "fragment": INVITATION.fragment,
        "resident_link": invitations.invitation_link(
            "https://cloud.example", COMMUNITY, "resident", INVITATION
        ),
        "visitor_link": invitations.invitation_link(
            "https://cloud.example", COMMUNITY, "visitor", INVITATION
        ),
    }


def certificate_vector() -> dict[str, Any]:
    root_public = certificates.root_public_bytes(ROOT)
    envelope_public = sealing.sealing_public_bytes(ENVELOPE_KEY)
    signer_public = certificates.root_public_bytes(REPLY_SIGNER)
    carried = {
        "envelope": certificates.carry_certificate(*certificate("envelope", KEY, envelope_public)),
        "reply": certificates.carry_certificate(*certificate("reply", "reply-1", signer_public)),
    }
    return {
        "community": COMMUNITY,
        "root_public": encode_base64url(root_public),
        "fingerprint_hex": FINGERPRINT.hex(),
        "now": NOW,
        "not_after": NOW + WEEK,
        "envelope_public": encode_base64url(envelope_public),
        "certificates": {
            purpose: {"certificate": one.certificate, "signature": one.signature}
            for purpose, one in carried.items()
        },
    }


def enrollment_vector() -> dict[str, Any]:
    photos = [
        envelopes.Photo("front", b"first photo" * 400),
        envelopes.Photo("left", b"second photo" * 300),
    ]
    consent = envelopes.GivenConsent(
        id="encode",
        version="1",
        language="en",
        sha256=hashlib.sha256(CONSENT_TEXT.encode()).hexdigest(),
    )
    plaintext = envelopes.build_enrollment(
        auth=INVITATION.auth,
        community=COMMUNITY,
        envelope=ENVELOPE,
        key=KEY,
        kind="visitor",
        language="zh-CN",
        consents=[consent],
        photos=photos,
        particulars=envelopes.Particulars(
            name="王小明", phone="13800000000", visiting="3-1204", purpose="访友", plate="沪A12345"
        ),
        reply_key=sealing.sealing_public_bytes(BROWSER_KEY),
    )
    context = sealing.SealContext(COMMUNITY, "enrollment", ENVELOPE, KEY)
    sealed = sealing.seal(sealing.sealing_public_bytes(ENVELOPE_KEY), plaintext, context)
    manifest_end = 4 + int.from_bytes(plaintext[:4], "big")
    return {
        "community": COMMUNITY,
        "envelope": ENVELOPE,
        "key": KEY,
        "suite": sealing.SUITE_NAME,
        "envelope_private": jwk(ENVELOPE_KEY),
        "envelope_public": encode_base64url(sealing.sealing_public_bytes(ENVELOPE_KEY)),
        "reply_public": encode_base64url(sealing.sealing_public_bytes(BROWSER_KEY)),
        "auth_hex": INVITATION.auth.hex(),
        "info_hex": context.info().hex(),
        "consent_text": CONSENT_TEXT,
        "consent_sha256": consent.sha256,
        "manifest": plaintext[4:manifest_end].decode(),
        "mac_hex": plaintext[manifest_end : manifest_end + 32].hex(),
        "photos": [{"pose": p.pose, "data": encode_base64url(p.data)} for p in photos],
        "plaintext_sha256": hashlib.sha256(plaintext).hexdigest(),
        "sealed": encode_base64url(sealed),
    }


def reply_vector() -> dict[str, Any]:
    signer = certificates.root_public_bytes(REPLY_SIGNER)
    fields: dict[str, Any] = {
        "community": COMMUNITY,
        "envelope": ENVELOPE,
        "number": 1,
        "outcome": "retake",
        "reason": "too-dark",
        "photo": 1,
        "sent_at": NOW + 60,
    }
    sealed = replies.build_reply(
        reply_key=sealing.sealing_public_bytes(BROWSER_KEY),
        signing_key=REPLY_SIGNER,
        certificate=certificates.carry_certificate(*certificate("reply", "reply-1", signer)),
        **fields,
    )
    context = sealing.SealContext(COMMUNITY, "reply", ENVELOPE, "reply-1")
    return {
        "root_public": encode_base64url(certificates.root_public_bytes(ROOT)),
        "fingerprint_hex": FINGERPRINT.hex(),
        "reply_private": jwk(BROWSER_KEY),
        "info_hex": context.info().hex(),
        "now": NOW + 90,
        "expected": {"version": 1, **fields, "pin": "", "expires_at": 0},
        "sealed": encode_base64url(sealed),
    }


def visit_vector() -> dict[str, Any]:
    asked = visits.Invite(
        visitor=envelopes.Particulars(name="李娜", purpose="吃饭", plate="沪A12345"),
        valid_from=0,
        valid_until=NOW + 4 * 3600,
        doors=(ENVELOPE,),
        uses=2,
        credential="pass",
    )
    plaintext = visits.build_request(
        asked,
        auth=INVITATION.auth,
        community=COMMUNITY,
        envelope=ENVELOPE,
        key=KEY,
        language="zh-CN",
        sent_at=NOW,
        reply_key=sealing.sealing_public_bytes(BROWSER_KEY),
    )
    context = sealing.SealContext(COMMUNITY, visits.PURPOSE, ENVELOPE, KEY)
    public = sealing.sealing_public_bytes(ENVELOPE_KEY)
    signer = certificates.root_public_bytes(REPLY_SIGNER)
    answer = visit_answers.VisitAnswer(
        1, COMMUNITY, ENVELOPE, 2, NOW + 60, "approved", pin="135790", unit="3-1204"
    )
    sealed_answer = visit_answers.seal_answer(
        answer,
        reply_key=sealing.sealing_public_bytes(BROWSER_KEY),
        signing_key=REPLY_SIGNER,
        certificate=certificates.carry_certificate(*certificate("reply", "reply-1", signer)),
    )
    return {
        "community": COMMUNITY,
        "envelope": ENVELOPE,
        "key": KEY,
        "sent_at": NOW,
        "envelope_private": jwk(ENVELOPE_KEY),
        "reply_private": jwk(BROWSER_KEY),
        "reply_public": encode_base64url(sealing.sealing_public_bytes(BROWSER_KEY)),
        "auth_hex": INVITATION.auth.hex(),
        "root_public": encode_base64url(certificates.root_public_bytes(ROOT)),
        "fingerprint_hex": FINGERPRINT.hex(),
        "now": NOW + 90,
        "asked": json.loads(plaintext[32:])["asked"],
        "plaintext_sha256": hashlib.sha256(plaintext).hexdigest(),
        "sealed": encode_base64url(sealing.seal(public, plaintext, context)),
        "answer": {"number": 2, "outcome": "approved", "pin": "135790", "unit": "3-1204"},
        "sealed_answer": encode_base64url(sealed_answer),
    }


def pass_vector() -> dict[str, Any]:
    """A fixed pass and a phone's code; ECDSA draws a fresh number, so the code's tail differs."""
    claim = passes.PassClaim(
        "0123456789abcdef",
        category="visitor",
        begins=NOW,
        ends=NOW + 8 * 3600,
        uses=3,
        doors=(passes.door_tag(ENVELOPE),),
        alone=True,
    )
    step = passes.step_at(NOW)
    data = passes.build_pass(PASS_SIGNER, SIGNING_ID, FINGERPRINT, claim)
    code = passes.build_code(PHONE_KEY, FINGERPRINT, claim.pass_id, step)
    signer = certificates.root_public_bytes(PASS_SIGNER)
    carried = certificates.carry_certificate(*certificate("pass", SIGNING_ID, signer))
    return {
        "community": COMMUNITY,
        "root_public": encode_base64url(certificates.root_public_bytes(ROOT)),
        "certificate": {"certificate": carried.certificate, "signature": carried.signature},
        "door": ENVELOPE,
        "claim": {
            "pass_id": claim.pass_id,
            "category": claim.category,
            "begins": claim.begins,
            "ends": claim.ends,
            "uses": claim.uses,
            "doors_hex": [one.hex() for one in claim.doors],
            "alone": claim.alone,
        },
        "pass_hex": data.hex(),
        "text": passes.pass_text(data),
        "fragment": passes.pass_fragment(data),
        "phone_private": jwk(PHONE_KEY),
        "phone_public_hex": passes.phone_public(PHONE_KEY).hex(),
        "phone_fragment": passes.pass_fragment(
            passes.phone_secret(PHONE_KEY, FINGERPRINT, claim.pass_id)
        ),
        "step": step,
        "code": passes.pass_text(code),
    }


def padding_vector() -> dict[str, Any]:
    edges = [0, 1, *(size + step for size in sealing.PADDED_SIZES for step in (-2, -1, 0))]
    return {
        "sizes": list(sealing.PADDED_SIZES),
        "overhead": sealing.SEAL_OVERHEAD,
        "max_plaintext": sealing.MAX_PLAINTEXT,
        "padded": [
            [length, next(size for size in sealing.PADDED_SIZES if length < size)]
            for length in edges
            if length <= sealing.MAX_PLAINTEXT
        ],
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, vector in (
        ("invitation", invitation_vector()),
        ("certificate", certificate_vector()),
        ("enrollment", enrollment_vector()),
        ("reply", reply_vector()),
        ("padding", padding_vector()),
        ("pass", pass_vector()),
        ("visit", visit_vector()),
    ):
        text = json.dumps(vector, ensure_ascii=False, indent=2)
        (FOLDER / f"{name}.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
