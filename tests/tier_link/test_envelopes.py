import hashlib
import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.samples import COMMUNITY, ENVELOPE, KEY, Browser, consent
from tests.tier_link.strategies import FUZZ, damaged
from tier_link.envelopes import (
    MAX_PHOTO,
    Enrollment,
    Particulars,
    Photo,
    parse_enrollment,
)
from tier_link.errors import EnvelopeRefused
from tier_link.invitations import new_invitation

BROWSER = Browser()
EXPECTED: dict[str, Any] = {
    "community": COMMUNITY,
    "envelope": ENVELOPE,
    "key": KEY,
    "sealed_by": "browser",
}


def parse(plaintext: bytes, **changes: Any) -> Enrollment:
    return parse_enrollment(plaintext, **(EXPECTED | changes))


def refusal(plaintext: bytes, **changes: Any) -> str:
    with pytest.raises(EnvelopeRefused) as refused:
        parse(plaintext, **changes)
    return refused.value.code


def rewritten(change: dict[str, Any], photos: bytes | None = None) -> bytes:
    """Write the sample enrollment with another manifest, as the invitation's holder could."""
    plaintext = BROWSER.enrollment()
    end = 4 + int.from_bytes(plaintext[:4], "big")
    manifest = json.dumps(json.loads(plaintext[4:end]) | change).encode()
    mac = hmac.digest(
        BROWSER.invitation.auth, b"gatehouse/enrollment/1\0" + manifest, hashlib.sha256
    )
    rest = plaintext[end + 32 :] if photos is None else photos
    return len(manifest).to_bytes(4, "big") + manifest + mac + rest


PHOTO = Photo("front", b"jpeg")


@FUZZ
@given(
    sizes=st.lists(st.integers(1, 2000), max_size=3),
    name=st.text(max_size=64),
    kind=st.sampled_from(["resident", "visitor"]),
)
def test_an_enrollment_goes_out_and_back(sizes: list[int], name: str, kind: Any) -> None:
    poses: Any = ("front", "left", "right")
    photos = [
        Photo(pose, bytes([size % 256]) * size) for pose, size in zip(poses, sizes, strict=False)
    ]
    particulars = Particulars(name=name, plate="沪A12345")
    enrollment = parse(
        BROWSER.enrollment(
            photos=photos, particulars=particulars, kind=kind, alternative="" if photos else "pin"
        )
    )
    enrollment.verify_mac(BROWSER.invitation.auth)
    assert list(enrollment.photos) == photos
    assert enrollment.particulars == particulars
    assert enrollment.kind == kind
    assert enrollment.consents == (consent("encode"), consent("keep"))


@FUZZ
@given(st.data())
def test_an_altered_enrollment_is_refused_with_our_error(data: st.DataObject) -> None:
    plaintext = BROWSER.enrollment()
    altered = data.draw(damaged(plaintext).filter(lambda one: one != plaintext))
    with pytest.raises(EnvelopeRefused):
        parse(altered).verify_mac(BROWSER.invitation.auth)


@FUZZ
@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_with_our_error(data: bytes) -> None:
    assert refusal(data) == "malformed"


def test_an_enrollment_fits_only_its_own_envelope() -> None:
    plaintext = BROWSER.enrollment()
    assert refusal(plaintext, community="other-court-0000") == "other-community"
    assert refusal(plaintext, envelope="f" * 32) == "other-envelope"
    assert refusal(plaintext, key="2026-w49") == "other-key"
    assert refusal(plaintext, suite="hpke-other") == "other-suite"
    assert refusal(plaintext, sealed_by="cloud") == "other-sealer"


def test_only_the_holder_of_the_invitation_can_have_written_it() -> None:
    enrollment = parse(BROWSER.enrollment())
    enrollment.verify_mac(BROWSER.invitation.auth)
    with pytest.raises(EnvelopeRefused) as refused:
        enrollment.verify_mac(new_invitation(bytes(32)).auth)
    assert (refused.value.code, refused.value.reason) == ("forged", "forged")


def test_a_swapped_photo_is_refused() -> None:
    plaintext = BROWSER.enrollment()
    swapped = plaintext.replace(b"front" * 1000, b"other" * 1000)
    assert refusal(swapped) == "photo-altered"


@pytest.mark.parametrize(
    "change",
    [
        {"version": 2},
        {"kind": "service"},
        {"language": "fr"},
        {"more": 1},
        {"photos": []},  # no face and no alternative to one
        {"alternative": "card"},
        {"reply_key": ""},  # only a client that cannot seal has none
        {"reply_key": "AAAA"},
        {"reply_key": "A" * 87},
        {"envelope": "0" * 31},
        {"particulars": {"name": "x" * 65}},
        {"particulars": {"nick": "x"}},
        {"consents": [json.loads('{"id":"a","version":"1","language":"en","sha256":"00"}')]},
    ],
)
def test_a_manifest_out_of_bounds_is_malformed(change: dict[str, Any]) -> None:
    plaintext = rewritten(change)
    assert refusal(plaintext) == "malformed"


def test_counts_and_sizes_of_photos_must_be_right() -> None:
    one = {"sha256": hashlib.sha256(b"jpeg").hexdigest(), "size": 4, "pose": "front"}
    assert parse(rewritten({"photos": [one]}, b"jpeg")).photos == (PHOTO,)
    assert refusal(rewritten({"photos": [one]}, b"jpegs")) == "malformed"
    assert refusal(rewritten({"photos": [one]}, b"")) == "malformed"
    assert refusal(rewritten({"photos": [one, one]}, b"jpegjpeg")) == "malformed"
    assert refusal(rewritten({"photos": [one | {"size": 0}]}, b"")) == "malformed"
    assert refusal(rewritten({"photos": [one | {"size": MAX_PHOTO + 1}]}, b"")) == "malformed"


def test_what_is_too_large_is_refused() -> None:
    with pytest.raises(EnvelopeRefused):
        BROWSER.enrollment(photos=[Photo("front", b"x" * (MAX_PHOTO + 1))])
    photos = [Photo(pose, b"x" * MAX_PHOTO) for pose in ("front", "left", "right")]
    with pytest.raises(EnvelopeRefused) as refused:
        BROWSER.enrollment(photos=photos)
    assert (refused.value.code, refused.value.reason) == ("too-large", "malformed")


def test_one_consent_is_not_given_twice() -> None:
    with pytest.raises(EnvelopeRefused, match="twice"):
        BROWSER.enrollment(consents=[consent("encode"), consent("encode")])


def test_a_client_that_cannot_seal_may_do_without_replies() -> None:
    plaintext = BROWSER.enrollment(sealed_by="cloud", reply_key=b"")
    assert parse(plaintext, sealed_by="cloud").reply_key == b""


def test_names_and_photos_stay_out_of_logs() -> None:
    secret = Particulars(name="王小明", phone="13800000000")
    text = repr(parse(BROWSER.enrollment(particulars=secret, photos=[PHOTO])))
    assert "王小明" not in text
    assert "138" not in text
    assert "jpeg" not in text
