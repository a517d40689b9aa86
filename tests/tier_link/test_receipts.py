import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.samples import COMMUNITY, ENVELOPE, NOW, WEEK, Community
from tests.tier_link.strategies import FUZZ, damaged, messages
from tier_link.base64url import encode_base64url
from tier_link.certificates import root_public_bytes
from tier_link.errors import CertificateRefused, LinkError, ReceiptRefused
from tier_link.receipts import (
    MAX_FILE,
    AgreedText,
    DoorTold,
    Erased,
    PhotosDestroyed,
    Receipt,
    open_receipt,
    sign_receipt,
)

SUNNY = Community()
TEXT = "I agree. 我同意。"
AGREED = AgreedText("keep", "1", "en", hashlib.sha256(TEXT.encode()).hexdigest(), NOW, TEXT)
PHOTOS = PhotosDestroyed(ENVELOPE, 3, "sface-1/abc", (AGREED,))
DOORS = (
    DoorTold("a" * 32, "北门", "confirmed", NOW + 5),
    DoorTold("b" * 32, "Back gate", "lease-ended", NOW + 9),
)
ERASED = Erased("c" * 32, "person", NOW, "sface-1/abc", 7, DOORS)


def receipt(stated: Any = ERASED, **changes: Any) -> Receipt:
    fields: dict[str, Any] = {
        "version": 1,
        "community": COMMUNITY,
        "name": "晴园 Sunny Court",
        "signed_at": NOW,
        "stated": stated,
    }
    return Receipt(**(fields | changes))


def sign(stated: Any = ERASED, by: Community = SUNNY, **changes: Any) -> str:
    fields: dict[str, Any] = {
        "signing_key": by.reply_signer,
        "certificate": by.certify("receipt"),
        "root_public": root_public_bytes(by.root),
    }
    fields |= {name: changes.pop(name) for name in fields if name in changes}
    return sign_receipt(receipt(stated, **changes), **fields)


def block_of(signed: dict[str, Any]) -> bytes:
    text = encode_base64url(json.dumps(signed).encode())
    return f"-----BEGIN GATEHOUSE RECEIPT-----\n{text}\n-----END GATEHOUSE RECEIPT-----\n".encode()


BLOCK = sign()
WHOLE = f"Receipt 收据\n\n{BLOCK}\nKeep it.".encode()


@FUZZ
@given(messages(Erased) | messages(PhotosDestroyed).filter(lambda one: not one.agreed))
def test_a_receipt_goes_out_and_back_offline(stated: Erased | PhotosDestroyed) -> None:
    opened = open_receipt(sign(stated).encode(), SUNNY.fingerprint)
    assert opened.receipt == receipt(stated)
    assert opened.fingerprint == SUNNY.fingerprint


def test_it_opens_from_a_file_with_words_around_it_however_its_lines_end() -> None:
    assert open_receipt(WHOLE).receipt == receipt()
    assert open_receipt(WHOLE.replace(b"\n", b"\r\n")).receipt == receipt()
    assert open_receipt(sign(PHOTOS).encode()).receipt == receipt(PHOTOS)


@FUZZ
@given(damaged(WHOLE))
def test_whatever_is_altered_is_refused_or_was_never_signed(data: bytes) -> None:
    try:
        opened = open_receipt(data, SUNNY.fingerprint)
    except LinkError:
        return
    # Words around the block, and blanks in it, are nobody's statement.
    assert opened.receipt == receipt()


@FUZZ
@given(st.integers(0, len("".join(BLOCK.split()[3:-3])) - 1), st.sampled_from("AbZ09_-"))
def test_every_single_character_of_the_block_counts(at: int, other: str) -> None:
    body = "".join(BLOCK.split()[3:-3])
    spoiled = body[:at] + other + body[at + 1 :]
    data = BLOCK.replace("\n".join(BLOCK.split()[3:-3]), spoiled).encode()
    if spoiled == body:
        assert open_receipt(data).receipt == receipt()
        return
    with pytest.raises(LinkError):
        open_receipt(data, SUNNY.fingerprint)


@FUZZ
@given(st.binary(max_size=300))
def test_foreign_bytes_are_refused_with_our_error(data: bytes) -> None:
    with pytest.raises(ReceiptRefused):
        open_receipt(data)
    framed = b"-----BEGIN GATEHOUSE RECEIPT-----" + data + b"-----END GATEHOUSE RECEIPT-----"
    with pytest.raises(ReceiptRefused):
        open_receipt(framed)


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "receipt-missing"),
        (b"\xff\xfe", "receipt-missing"),
        (WHOLE + WHOLE, "receipt-missing"),
        (WHOLE[: WHOLE.index(b"-----END")], "receipt-malformed"),
        (b"-----BEGIN GATEHOUSE RECEIPT-----" * 10_000, "receipt-missing"),
        (b" " * (MAX_FILE + 1), "receipt-malformed"),
        (block_of({"receipt": "{}"}), "receipt-malformed"),
    ],
)
def test_a_file_that_holds_no_receipt_says_so(data: bytes, code: str) -> None:
    with pytest.raises(ReceiptRefused) as refused:
        open_receipt(data)
    assert refused.value.code == code


def test_another_communitys_receipt_is_told_by_the_fingerprint_alone() -> None:
    other = Community()
    block = sign(by=other).encode()
    assert open_receipt(block).fingerprint == other.fingerprint
    with pytest.raises(ReceiptRefused) as refused:
        open_receipt(block, SUNNY.fingerprint)
    assert refused.value.code == "receipt-other-root"


def test_a_key_that_the_root_did_not_certify_signs_nothing() -> None:
    stranger = Community()
    with pytest.raises(ReceiptRefused) as forged:
        open_receipt(sign(signing_key=stranger.reply_signer).encode())
    assert forged.value.code == "receipt-forged"
    with pytest.raises(CertificateRefused) as uncertified:
        open_receipt(sign(certificate=stranger.certify("receipt")).encode())
    assert uncertified.value.code == "certificate-forged"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"certificate": SUNNY.certify("reply")}, "certificate-other-purpose"),
        ({"community": "other-court-0000"}, "certificate-other-community"),
        ({"signed_at": NOW + WEEK}, "certificate-expired"),
        ({"signed_at": NOW - WEEK}, "certificate-not-yet-valid"),
    ],
)
def test_the_certificate_has_to_be_for_receipts_here_and_then(
    changes: dict[str, Any], code: str
) -> None:
    with pytest.raises(CertificateRefused) as refused:
        open_receipt(sign(**changes).encode())
    assert refused.value.code == code


def test_a_consents_text_has_to_bear_its_hash() -> None:
    altered = AgreedText("keep", "1", "en", AGREED.sha256, NOW, TEXT + " And to anything else.")
    with pytest.raises(ReceiptRefused):
        sign(PhotosDestroyed(ENVELOPE, 1, "", (altered,)))
    # A version that the estate does not have any more is stated by its hash.
    bare = AgreedText("keep", "1", "en", AGREED.sha256, NOW)
    stated = PhotosDestroyed(ENVELOPE, 1, "", (bare,))
    assert open_receipt(sign(stated).encode()).receipt.stated == stated


def test_an_erasure_is_complete_when_no_door_is_waited_for() -> None:
    waiting = DoorTold("d" * 32, "Side gate", "waiting", 0)
    assert ERASED.complete
    assert not Erased("c" * 32, "face", NOW, "", 7, (*DOORS, waiting)).complete
