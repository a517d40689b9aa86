import pytest
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.samples import CONTEXT
from tests.tier_link.strategies import FUZZ, damaged
from tier_link.errors import SealBroken
from tier_link.sealing import (
    MAX_PLAINTEXT,
    PADDED_SIZES,
    SEAL_OVERHEAD,
    SealContext,
    is_sealed_size,
    is_sealing_public_key,
    new_sealing_key,
    open_sealed,
    seal,
    sealing_public_bytes,
)

KEY = new_sealing_key()
PUBLIC = sealing_public_bytes(KEY)


@FUZZ
@given(st.one_of(st.binary(max_size=300), st.integers(0, 70_000).map(lambda n: b"\0" * n)))
def test_what_is_sealed_opens(plaintext: bytes) -> None:
    sealed = seal(PUBLIC, plaintext, CONTEXT)
    assert is_sealed_size(len(sealed))
    assert open_sealed(KEY, sealed, CONTEXT) == plaintext


@pytest.mark.parametrize("size", PADDED_SIZES)
def test_the_longest_plaintext_of_each_size_opens(size: int) -> None:
    plaintext = b"\x80" * (size - 1)
    sealed = seal(PUBLIC, plaintext, CONTEXT)
    assert len(sealed) == size + SEAL_OVERHEAD
    assert open_sealed(KEY, sealed, CONTEXT) == plaintext


def test_what_is_too_long_is_not_sealed() -> None:
    with pytest.raises(ValueError, match="at most"):
        seal(PUBLIC, b"\0" * (MAX_PLAINTEXT + 1), CONTEXT)


@FUZZ
@given(st.data())
def test_a_damaged_box_never_opens(data: st.DataObject) -> None:
    sealed = seal(PUBLIC, b"photo", CONTEXT)
    spoiled = data.draw(damaged(sealed).filter(lambda one: one != sealed))
    with pytest.raises(SealBroken):
        open_sealed(KEY, spoiled, CONTEXT)


@FUZZ
@given(st.binary(max_size=300))
def test_foreign_bytes_never_open(data: bytes) -> None:
    for sealed in (data, data.ljust(PADDED_SIZES[0] + SEAL_OVERHEAD, b"\4")):
        with pytest.raises(SealBroken):
            open_sealed(KEY, sealed, CONTEXT)


def test_a_box_opens_with_no_other_key() -> None:
    with pytest.raises(SealBroken):
        open_sealed(new_sealing_key(), seal(PUBLIC, b"photo", CONTEXT), CONTEXT)


@pytest.mark.parametrize(
    "context",
    [
        SealContext("other-court-0000", "enrollment", CONTEXT.envelope, CONTEXT.key),
        SealContext(CONTEXT.community, "reply", CONTEXT.envelope, CONTEXT.key),
        SealContext(CONTEXT.community, "enrollment", "f" * 32, CONTEXT.key),
        SealContext(CONTEXT.community, "enrollment", CONTEXT.envelope, "2026-w49"),
    ],
)
def test_a_box_opens_in_no_other_context(context: SealContext) -> None:
    with pytest.raises(SealBroken):
        open_sealed(KEY, seal(PUBLIC, b"photo", CONTEXT), context)


@pytest.mark.parametrize(
    "padded",
    [
        b"\0" * PADDED_SIZES[0],  # no mark at all
        b"x" * PADDED_SIZES[0],
        b"x\x80".ljust(PADDED_SIZES[1], b"\0"),  # would have fitted a smaller size
    ],
)
def test_other_padding_is_refused(padded: bytes) -> None:
    suite = Suite(KEM.P256, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
    sealed = suite.encrypt(padded, KEY.public_key(), info=CONTEXT.info())
    with pytest.raises(SealBroken, match="padding"):
        open_sealed(KEY, sealed, CONTEXT)


def test_equal_lengths_of_boxes_hide_lengths_of_contents() -> None:
    assert len(seal(PUBLIC, b"", CONTEXT)) == len(seal(PUBLIC, b"x" * 4000, CONTEXT))


@pytest.mark.parametrize("field", ["", "with\0nul", "x" * 129])
def test_a_context_takes_no_field_that_could_run_into_the_next(field: str) -> None:
    with pytest.raises(ValueError, match="context"):
        SealContext(field, "enrollment", "envelope", "key")


@pytest.mark.parametrize(
    "key",
    [b"", PUBLIC[:64], b"\2" + PUBLIC[1:33], PUBLIC[:64] + bytes([PUBLIC[64] ^ 1])],
    ids=["empty", "short", "compressed", "beside the curve"],
)
def test_only_points_on_the_curve_are_keys(key: bytes) -> None:
    assert is_sealing_public_key(PUBLIC)
    assert not is_sealing_public_key(key)
    with pytest.raises(ValueError):  # noqa: PT011 -- the library words it
        seal(key, b"photo", CONTEXT)
