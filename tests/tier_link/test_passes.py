"""A pass is read at one gate, and nothing but the community makes one."""

from contextlib import suppress
from dataclasses import replace

import pytest
import segno
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.strategies import FUZZ, damaged
from tier_link.base45 import encode_base45
from tier_link.certificates import build_certificate, root_public_bytes
from tier_link.errors import CertificateRefused, PassRefused
from tier_link.passes import (
    LONGEST_ALONE_S,
    PassClaim,
    PassTrust,
    RotatingCode,
    SignedPass,
    build_code,
    build_pass,
    door_tag,
    pass_text,
    phone_public,
    read_pass,
    step_at,
    verify_code,
    verify_pass,
)

NOW = 1_795_000_000
DAY = 24 * 3600
COMMUNITY = "sunny-court-4f2a"
KEY = "a1b2c3d4e5f60718293a4b5c6d7e8f90"
DOOR = "00112233445566778899aabbccddeeff"
ROOT, SIGNER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PHONE = ec.generate_private_key(ec.SECP256R1())
PASS = "0123456789abcdef"  # noqa: S105 -- an id
CLAIM = PassClaim(PASS, "visitor", NOW, NOW + DAY, uses=2, doors=(door_tag(DOOR),), alone=True)


def certified(
    root: Ed25519PrivateKey = ROOT, purpose: str = "pass", community: str = COMMUNITY
) -> tuple[bytes, bytes]:
    return build_certificate(
        root,
        community=community,
        purpose=purpose,  # type: ignore[arg-type]
        key=KEY,
        public=root_public_bytes(SIGNER),
        not_before=NOW - DAY,
        not_after=NOW + 30 * DAY,
    )


TRUST = PassTrust.of(COMMUNITY, root_public_bytes(ROOT), [certified()])


def made(claim: PassClaim = CLAIM, signer: Ed25519PrivateKey = SIGNER) -> bytes:
    return build_pass(signer, KEY, TRUST.fingerprint, claim)


def opened(data: bytes, trust: PassTrust = TRUST) -> PassClaim:
    signed = read_pass(pass_text(data))
    assert isinstance(signed, SignedPass)
    return verify_pass(signed, trust)


def refusal(data: bytes, trust: PassTrust = TRUST) -> str:
    with pytest.raises(PassRefused) as refused:
        opened(data, trust)
    return refused.value.code


def code_refusal(data: bytes, phone_key: bytes, trust: PassTrust = TRUST) -> str:
    code = read_pass(pass_text(data))
    assert isinstance(code, RotatingCode)
    with pytest.raises(PassRefused) as refused:
        verify_code(code, phone_key, trust)
    return refused.value.code


@FUZZ
@given(
    st.builds(
        PassClaim,
        pass_id=st.binary(min_size=8, max_size=8).map(bytes.hex),
        category=st.sampled_from(["resident", "visitor", "service"]),
        begins=st.just(NOW),
        ends=st.integers(1, 24 * 60).map(lambda minutes: NOW + 60 * minutes),
        uses=st.integers(0, 255),
        doors=st.lists(st.binary(min_size=3, max_size=3), max_size=4).map(tuple),
        alone=st.booleans(),
    )
)
def test_a_claim_goes_out_and_comes_back(claim: PassClaim) -> None:
    assert opened(made(claim)) == claim


def test_passes_and_codes_fit_a_small_qr_code() -> None:
    anywhere = made(replace(CLAIM, doors=()))
    code = build_code(PHONE, TRUST.fingerprint, PASS, step_at(NOW))
    assert (len(anywhere), len(made()), len(code)) == (86, 89, 79)
    versions = [
        segno.make(pass_text(data), error="l", micro=False, boost_error=False).version
        for data in (anywhere, made(), code)
    ]
    assert versions == [5, 5, 5]
    widest = made(replace(CLAIM, doors=(door_tag(DOOR),) * 4))
    assert segno.make(pass_text(widest), error="l", micro=False, boost_error=False).version == 5


@FUZZ
@given(damaged(made()))
def test_a_pass_that_was_altered_in_any_way_is_refused(data: bytes) -> None:
    if data == made():
        return
    with pytest.raises(PassRefused):
        opened(data)


def test_a_claim_signed_by_another_key_is_forged() -> None:
    assert refusal(made(signer=Ed25519PrivateKey.generate())) == "pass-forged"


def test_a_pass_of_another_community_is_foreign_whatever_it_claims() -> None:
    other = PassTrust.of(COMMUNITY, root_public_bytes(SIGNER), [])
    assert refusal(made(), other) == "pass-foreign"
    # Two communities whose two bytes happen to be the same: the signature still tells.
    namesake = replace(TRUST, fingerprint=TRUST.fingerprint[:2] + bytes(30))
    assert refusal(made(), namesake) == "pass-forged"


def test_a_pass_outside_its_keys_time_or_of_a_retired_key_is_refused() -> None:
    late = replace(CLAIM, begins=NOW + 30 * DAY - 3600, ends=NOW + 30 * DAY + 3600)
    assert refusal(made(late)) == "pass-key-unknown"
    assert refusal(made(replace(CLAIM, begins=NOW - 2 * DAY, ends=NOW - DAY))) == "pass-key-unknown"
    assert refusal(made(), replace(TRUST, keys={})) == "pass-key-unknown"


def test_a_pass_that_no_roster_knows_lives_a_day_at_most() -> None:
    longer = replace(CLAIM, ends=NOW + LONGEST_ALONE_S + 60)
    with pytest.raises(PassRefused) as refused:
        made(longer)
    assert refused.value.code == "pass-malformed"
    assert opened(made(replace(longer, alone=False))).ends == longer.ends


@pytest.mark.parametrize(
    "claim",
    [
        replace(CLAIM, ends=NOW + 90),
        replace(CLAIM, ends=NOW),
        replace(CLAIM, uses=256),
        replace(CLAIM, doors=(b"abc",) * 5),
        replace(CLAIM, ends=NOW - 60),
    ],
)
def test_no_claim_out_of_bounds_is_signed(claim: PassClaim) -> None:
    with pytest.raises(PassRefused):
        made(claim)


@pytest.mark.parametrize(
    "text", ["", "https://example.org/menu", "4006381333931", "BB8", "Z" * 500]
)
def test_other_codes_in_view_are_no_passes(text: str) -> None:
    with pytest.raises(PassRefused) as refused:
        read_pass(text)
    assert refused.value.code == "not-a-pass"


def test_a_pass_that_was_cut_is_malformed() -> None:
    with pytest.raises(PassRefused) as refused:
        read_pass(encode_base45(made()[:-1]))
    assert refused.value.code == "pass-malformed"


@FUZZ
@given(st.binary(max_size=130) | st.binary(max_size=129).map(lambda rest: b"\x01" + rest))
def test_any_text_is_read_or_refused(data: bytes) -> None:
    with suppress(PassRefused):
        read_pass(encode_base45(data))


def test_a_phones_code_verifies_with_its_own_key_for_its_own_community() -> None:
    data = build_code(PHONE, TRUST.fingerprint, PASS, step_at(NOW))
    code = read_pass(pass_text(data))
    assert isinstance(code, RotatingCode)
    verify_code(code, phone_public(PHONE), TRUST)
    assert (code.pass_id, code.step) == (PASS, NOW // 30)

    other_phone = phone_public(ec.generate_private_key(ec.SECP256R1()))
    assert code_refusal(data, other_phone) == "pass-forged"
    assert code_refusal(data, bytes(33)) == "pass-forged"
    assert code_refusal(data[:11] + bytes(4) + data[15:], phone_public(PHONE)) == "pass-forged"
    other = replace(TRUST, fingerprint=bytes(32))
    assert code_refusal(data, phone_public(PHONE), other) == "pass-foreign"


def test_a_pass_key_counts_only_with_the_roots_word_for_passes() -> None:
    root_public = root_public_bytes(ROOT)
    for certificate in (
        certified(root=SIGNER),
        certified(purpose="receipt"),
        certified(community="other-court"),
    ):
        with pytest.raises(CertificateRefused):
            PassTrust.of(COMMUNITY, root_public, [certificate])
    with pytest.raises(CertificateRefused):
        PassTrust.of(COMMUNITY, b"short", [certified()])
