"""The committed vectors, which the browser's tests read too, hold for this code."""

import hashlib
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from tests.tier_link import make_vectors
from tier_link.base45 import decode_base45
from tier_link.base64url import decode_base64url
from tier_link.certificates import (
    Purpose,
    SignedCertificate,
    load_root,
    uncarry_certificate,
    verify_certificate,
)
from tier_link.envelopes import parse_enrollment
from tier_link.passes import (
    PassTrust,
    RotatingCode,
    SignedPass,
    door_tag,
    read_pass,
    verify_code,
    verify_pass,
)
from tier_link.replies import Reply, open_reply
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD, SealContext, open_sealed, seal
from tier_link.visit_answers import open_answer
from tier_link.visits import PURPOSE, Invite, parse_request


def vector(name: str) -> dict[str, Any]:
    text = (make_vectors.FOLDER / f"{name}.json").read_text(encoding="utf-8")
    loaded: dict[str, Any] = json.loads(text)
    return loaded


def private_key(jwk: dict[str, str]) -> ec.EllipticCurvePrivateKey:
    scalar = int.from_bytes(decode_base64url(jwk["d"]), "big")
    return ec.derive_private_key(scalar, ec.SECP256R1())


@pytest.mark.parametrize("name", ["invitation", "certificate", "padding"])
def test_vectors_without_chance_are_written_the_same_again(name: str) -> None:
    assert vector(name) == getattr(make_vectors, f"{name}_vector")()


@pytest.mark.parametrize("name", ["enrollment", "reply"])
def test_vectors_with_a_seal_differ_in_the_seal_alone(name: str) -> None:
    old, new = vector(name), getattr(make_vectors, f"{name}_vector")()
    assert old.pop("sealed") != new.pop("sealed")
    assert old == new


def test_the_pass_is_written_the_same_again_and_the_code_differs_in_its_signature_alone() -> None:
    old, new = vector("pass"), make_vectors.pass_vector()
    codes = [decode_base45(one.pop("code")) for one in (old, new)]
    assert old == new
    assert codes[0][:15] == codes[1][:15]


def test_the_pass_and_the_code_verify() -> None:
    v = vector("pass")
    carried = uncarry_certificate(SignedCertificate(**v["certificate"]))
    trust = PassTrust.of(v["community"], decode_base64url(v["root_public"]), [carried])
    signed, code = read_pass(v["text"]), read_pass(v["code"])
    assert isinstance(signed, SignedPass)
    assert isinstance(code, RotatingCode)
    claim = verify_pass(signed, trust)
    verify_code(code, bytes.fromhex(v["phone_public_hex"]), trust)
    assert (claim.pass_id, claim.begins, claim.ends, claim.uses) == (
        v["claim"]["pass_id"],
        v["claim"]["begins"],
        v["claim"]["ends"],
        v["claim"]["uses"],
    )
    assert claim.doors == (door_tag(v["door"]),)
    assert code.step == v["step"]


@pytest.mark.parametrize("purpose", ["envelope", "reply"])
def test_the_certificates_verify(purpose: Purpose) -> None:
    v = vector("certificate")
    root = load_root(decode_base64url(v["root_public"]), bytes.fromhex(v["fingerprint_hex"]))
    data, signature = uncarry_certificate(SignedCertificate(**v["certificates"][purpose]))
    certificate = verify_certificate(
        data, signature, root, community=v["community"], purpose=purpose, now=v["now"]
    )
    assert certificate.not_after == v["not_after"]


def test_the_enrollment_opens() -> None:
    v = vector("enrollment")
    context = SealContext(v["community"], "enrollment", v["envelope"], v["key"])
    assert context.info().hex() == v["info_hex"]
    plaintext = open_sealed(
        private_key(v["envelope_private"]), decode_base64url(v["sealed"]), context
    )
    assert hashlib.sha256(plaintext).hexdigest() == v["plaintext_sha256"]
    enrollment = parse_enrollment(
        plaintext,
        community=v["community"],
        envelope=v["envelope"],
        key=v["key"],
        sealed_by="browser",
        suite=v["suite"],
    )
    enrollment.verify_mac(bytes.fromhex(v["auth_hex"]))
    assert enrollment.particulars.name == "王小明"
    assert [photo.pose for photo in enrollment.photos] == ["front", "left"]


def test_the_visit_request_and_its_answer_open() -> None:
    v = vector("visit")
    context = SealContext(v["community"], PURPOSE, v["envelope"], v["key"])
    plaintext = open_sealed(
        private_key(v["envelope_private"]), decode_base64url(v["sealed"]), context
    )
    assert hashlib.sha256(plaintext).hexdigest() == v["plaintext_sha256"]
    request = parse_request(
        plaintext, community=v["community"], envelope=v["envelope"], key=v["key"]
    )
    request.verify_mac(bytes.fromhex(v["auth_hex"]))
    assert isinstance(request.asked, Invite)
    root = load_root(decode_base64url(v["root_public"]), bytes.fromhex(v["fingerprint_hex"]))
    answer = open_answer(
        private_key(v["reply_private"]),
        decode_base64url(v["sealed_answer"]),
        root_public=root,
        community=v["community"],
        envelope=v["envelope"],
        number=v["answer"]["number"],
        now=v["now"],
    )
    assert {name: getattr(answer, name) for name in v["answer"]} == v["answer"]


def test_the_visit_vector_differs_in_its_seals_alone() -> None:
    old, new = vector("visit"), make_vectors.visit_vector()
    for sealed in ("sealed", "sealed_answer"):
        assert old.pop(sealed) != new.pop(sealed)
    assert old == new


def test_the_reply_opens() -> None:
    v = vector("reply")
    root = load_root(decode_base64url(v["root_public"]), bytes.fromhex(v["fingerprint_hex"]))
    reply = open_reply(
        private_key(v["reply_private"]),
        decode_base64url(v["sealed"]),
        root_public=root,
        community=v["expected"]["community"],
        envelope=v["expected"]["envelope"],
        number=v["expected"]["number"],
        now=v["now"],
    )
    assert reply == Reply(**v["expected"])


def test_the_paddings_are_ours() -> None:
    v = vector("padding")
    assert v["sizes"] == list(PADDED_SIZES)
    public = decode_base64url(vector("enrollment")["envelope_public"])
    context = SealContext("sunny", "enrollment", "0", "k")
    for length, padded in v["padded"]:
        assert len(seal(public, bytes(length), context)) == padded + SEAL_OVERHEAD
