import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.samples import COMMUNITY, ENVELOPE, NOW, WEEK, Browser, Community
from tests.tier_link.strategies import FUZZ, messages
from tier_link.base64url import encode_base64url
from tier_link.errors import CertificateRefused, ReplyRefused, SealBroken
from tier_link.replies import Reply, ReplyReason, build_reply, open_reply
from tier_link.sealing import SealContext, new_sealing_key, seal, sealing_public_bytes

SUNNY = Community()
BROWSER = Browser()
REPLY_KEY = sealing_public_bytes(BROWSER.reply_private)


def build(**changes: Any) -> bytes:
    fields: dict[str, Any] = {
        "reply_key": REPLY_KEY,
        "signing_key": SUNNY.reply_signer,
        "certificate": SUNNY.certify("reply"),
        "community": COMMUNITY,
        "envelope": ENVELOPE,
        "number": 1,
        "outcome": "enrolled",
        "sent_at": NOW,
    }
    return build_reply(**(fields | changes))


def open_it(sealed: bytes, **changes: Any) -> Reply:
    fields: dict[str, Any] = {
        "root_public": SUNNY.root.public_key(),
        "community": COMMUNITY,
        "envelope": ENVELOPE,
        "number": 1,
        "now": NOW,
    }
    private = changes.pop("private", BROWSER.reply_private)
    return open_reply(private, sealed, **(fields | changes))


def seal_json(reply: dict[str, Any], *, number: int = 1) -> bytes:
    """Seal a reply whose signed words need not be those of its envelope."""
    data = json.dumps(reply).encode()
    carried = SUNNY.certify("reply")
    signed = {
        "reply": encode_base64url(data),
        "signature": encode_base64url(SUNNY.reply_signer.sign(b"gatehouse/reply/1\0" + data)),
        "certificate": carried.certificate,
        "certificate_signature": carried.signature,
    }
    context = SealContext(COMMUNITY, "reply", ENVELOPE, f"reply-{number}")
    return seal(REPLY_KEY, json.dumps(signed).encode(), context)


GOOD = {
    "version": 1,
    "community": COMMUNITY,
    "envelope": ENVELOPE,
    "number": 1,
    "outcome": "enrolled",
    "reason": "",
    "photo": -1,
    "pin": "",
    "expires_at": 0,
    "sent_at": NOW,
}


@FUZZ
@given(messages(Reply))
def test_a_reply_goes_out_and_back(reply: Reply) -> None:
    fields = {name: getattr(reply, name) for name in reply.__struct_fields__ if name != "version"}
    place = {name: fields[name] for name in ("community", "envelope", "number")}
    certificate = SUNNY.certify("reply", community=reply.community)
    assert open_it(build(certificate=certificate, **fields), **place) == reply


def test_a_reply_opens_only_with_the_key_and_for_the_envelope_it_is_for() -> None:
    sealed = build()
    for changes in (
        {"private": new_sealing_key()},
        {"community": "other-court-0000"},
        {"envelope": "f" * 32},
        {"number": 2},
    ):
        with pytest.raises(SealBroken):
            open_it(sealed, **changes)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"community": "other-court-0000"}, "reply-other-community"),
        ({"envelope": "f" * 32}, "reply-other-envelope"),
        ({"number": 2}, "reply-other-number"),
        ({"outcome": "maybe"}, "reply-malformed"),
        ({"pin": "12345"}, "reply-malformed"),
        ({"photo": 3}, "reply-malformed"),
        ({"more": 1}, "reply-malformed"),
    ],
)
def test_a_signed_reply_cannot_be_sealed_anew_for_another_place(
    change: dict[str, Any], code: str
) -> None:
    assert open_it(seal_json(GOOD)).outcome == "enrolled"
    with pytest.raises(ReplyRefused) as refused:
        open_it(seal_json(GOOD | change))
    assert refused.value.code == code


def test_a_reply_signed_by_an_uncertified_key_is_refused() -> None:
    stranger = Community()
    with pytest.raises(CertificateRefused) as refused:
        open_it(build(signing_key=stranger.reply_signer, certificate=stranger.certify("reply")))
    assert refused.value.code == "certificate-forged"
    with pytest.raises(ReplyRefused) as forged:
        open_it(build(signing_key=stranger.reply_signer))
    assert forged.value.code == "reply-forged"


@pytest.mark.parametrize(
    ("certificate", "now", "code"),
    [
        (SUNNY.certify("pass"), NOW, "certificate-other-purpose"),
        (SUNNY.certify("reply", community="other-court-0000"), NOW, "certificate-other-community"),
        (SUNNY.certify("reply"), NOW + WEEK, "certificate-expired"),
    ],
)
def test_a_reply_needs_a_certificate_for_replies_here_and_now(
    certificate: Any, now: int, code: str
) -> None:
    with pytest.raises(CertificateRefused) as refused:
        open_it(build(certificate=certificate), now=now)
    assert refused.value.code == code


@FUZZ
@given(st.binary(max_size=200))
def test_foreign_bytes_in_the_seal_are_refused_with_our_error(data: bytes) -> None:
    context = SealContext(COMMUNITY, "reply", ENVELOPE, "reply-1")
    with pytest.raises(ReplyRefused):
        open_it(seal(REPLY_KEY, data, context))


def test_a_reply_out_of_bounds_is_not_made() -> None:
    with pytest.raises(ReplyRefused):
        build(reason="Not A Code")
    with pytest.raises(ReplyRefused):
        build(number=0)
    assert open_it(build(outcome="refused", reason=ReplyReason.FORGED)).reason == "forged"


def test_a_pin_stays_out_of_logs() -> None:
    assert "654321" not in repr(open_it(build(pin="654321")))
