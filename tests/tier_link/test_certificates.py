import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.samples import COMMUNITY, NOW, WEEK, Community
from tests.tier_link.strategies import FUZZ, damaged
from tier_link.certificates import (
    CLOCK_DRIFT,
    Certificate,
    SignedCertificate,
    load_root,
    root_fingerprint,
    root_public_bytes,
    uncarry_certificate,
    verify_certificate,
)
from tier_link.errors import CertificateRefused

SUNNY = Community()


def verify(carried: SignedCertificate, **changes: Any) -> Certificate:
    fields: dict[str, Any] = {"community": COMMUNITY, "purpose": "reply", "now": NOW}
    return verify_certificate(
        *uncarry_certificate(carried), SUNNY.root.public_key(), **(fields | changes)
    )


def refusal(carried: SignedCertificate, **changes: Any) -> str:
    with pytest.raises(CertificateRefused) as refused:
        verify(carried, **changes)
    return refused.value.code


def test_a_certified_key_is_taken_for_its_purpose() -> None:
    reply = verify(SUNNY.certify("reply"))
    assert reply.signing_key() == SUNNY.reply_signer.public_key()
    envelope = verify(SUNNY.certify("envelope"), purpose="envelope")
    assert len(envelope.public_bytes) == 65


def test_a_certificate_serves_no_other_community_purpose_or_time() -> None:
    carried = SUNNY.certify("reply")
    assert refusal(carried, community="other-court-0000") == "certificate-other-community"
    assert refusal(carried, purpose="pass") == "certificate-other-purpose"
    assert refusal(carried, now=NOW + WEEK) == "certificate-expired"
    assert refusal(carried, now=NOW - CLOCK_DRIFT - 1) == "certificate-not-yet-valid"
    for now in (NOW - CLOCK_DRIFT, NOW + WEEK - 1):
        assert verify(carried, now=now).not_before == NOW


def test_a_certificate_of_another_root_is_refused() -> None:
    assert refusal(Community().certify("reply")) == "certificate-forged"


@FUZZ
@given(st.data())
def test_an_altered_certificate_is_refused(data: st.DataObject) -> None:
    json_bytes, signature = uncarry_certificate(SUNNY.certify("reply"))
    altered = data.draw(damaged(json_bytes).filter(lambda one: one != json_bytes))
    with pytest.raises(CertificateRefused):
        verify_certificate(
            altered,
            signature,
            SUNNY.root.public_key(),
            community=COMMUNITY,
            purpose="reply",
            now=NOW,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"community": "Not A Slug"},
        {"purpose": "root"},
        {"key": ""},
        {"public": "AAAA"},
        {"public": "not base64"},
        {"not_after": NOW},
        {"not_before": -1},
        {"more": 1},
    ],
)
def test_even_the_root_cannot_sign_nonsense_into_a_certificate(change: dict[str, Any]) -> None:
    json_bytes, _ = uncarry_certificate(SUNNY.certify("reply"))
    nonsense = json.dumps(json.loads(json_bytes) | change).encode()
    signature = SUNNY.root.sign(b"gatehouse/certificate/1\0" + nonsense)
    with pytest.raises(CertificateRefused) as refused:
        verify_certificate(
            nonsense,
            signature,
            SUNNY.root.public_key(),
            community=COMMUNITY,
            purpose="reply",
            now=NOW,
        )
    assert refused.value.code == "certificate-malformed"


def test_a_certificate_that_would_be_refused_is_not_made() -> None:
    with pytest.raises(CertificateRefused):
        SUNNY.certify("reply", not_after=NOW)
    with pytest.raises(CertificateRefused):
        SUNNY.certify("reply", community="Not A Slug")


@pytest.mark.parametrize("text", ["!", "A", "AA=="])
def test_damaged_text_around_a_certificate_is_refused(text: str) -> None:
    with pytest.raises(CertificateRefused):
        uncarry_certificate(SignedCertificate(text, text))


def test_only_the_root_that_the_fingerprint_names_is_loaded() -> None:
    public = root_public_bytes(SUNNY.root)
    assert load_root(public, root_fingerprint(public)) == SUNNY.root.public_key()
    other = root_public_bytes(Ed25519PrivateKey.generate())
    for wrong in (other, b"", public + b"\0"):
        with pytest.raises(CertificateRefused) as refused:
            load_root(wrong, root_fingerprint(public))
        assert refused.value.code == "root-mismatch"
