import hmac
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.samples import COMMUNITY, ENVELOPE, KEY, NOW, Browser, Community
from tests.tier_link.strategies import FUZZ, damaged, messages
from tier_link.base64url import encode_base64url
from tier_link.envelopes import Particulars
from tier_link.errors import EnvelopeRefused, ReplyRefused, SealBroken
from tier_link.invitations import new_invitation
from tier_link.replies import open_reply
from tier_link.sealing import sealing_public_bytes
from tier_link.visit_answers import VisitAnswer, open_answer, seal_answer
from tier_link.visits import (
    MAX_REQUEST,
    STALE_S,
    Approve,
    Ask,
    Decline,
    End,
    Extend,
    Invite,
    Look,
    Share,
    VisitRequest,
    build_request,
    parse_request,
)

BROWSER = Browser()
SUNNY = Community()
REPLY_KEY = sealing_public_bytes(BROWSER.reply_private)
ASK = Ask(Particulars(name="李娜", visiting="3-1204"), 2, "pass")
ASKED: tuple[type[Any], ...] = (Look, Invite, Extend, End, Share, Approve, Decline, Ask)
EXPECTED: dict[str, Any] = {"community": COMMUNITY, "envelope": ENVELOPE, "key": KEY}


def build(asked: Any = ASK, **changes: Any) -> bytes:
    fields: dict[str, Any] = EXPECTED | {
        "auth": BROWSER.invitation.auth,
        "language": "zh-CN",
        "sent_at": NOW,
        "reply_key": REPLY_KEY,
    }
    return build_request(asked, **(fields | changes))


def parse(plaintext: bytes, **changes: Any) -> VisitRequest:
    return parse_request(plaintext, **(EXPECTED | changes))


def refusal(plaintext: bytes, **changes: Any) -> str:
    with pytest.raises(EnvelopeRefused) as refused:
        parse(plaintext, **changes)
    return refused.value.code


def rewritten(**changes: Any) -> bytes:
    """Write the sample request with other fields, as the link's holder could."""
    data = json.dumps(json.loads(build()[32:]) | changes).encode()
    return hmac.digest(BROWSER.invitation.auth, b"gatehouse/visit/1\0" + data, "sha256") + data


@FUZZ
@given(
    st.one_of([messages(one) for one in ASKED]),
    st.integers(0, 2**40),
)
def test_a_request_goes_out_and_back(asked: Any, sent_at: int) -> None:
    request = parse(build(asked, sent_at=sent_at))
    request.verify_mac(BROWSER.invitation.auth)
    assert (request.asked, request.sent_at) == (asked, sent_at)
    assert request.reply_key == REPLY_KEY


@FUZZ
@given(st.data())
def test_an_altered_request_is_refused_with_our_error(data: st.DataObject) -> None:
    plaintext = build()
    altered = data.draw(damaged(plaintext).filter(lambda one: one != plaintext))
    with pytest.raises(EnvelopeRefused):
        parse(altered).verify_mac(BROWSER.invitation.auth)


@FUZZ
@given(st.binary(max_size=200))
def test_foreign_bytes_are_refused_with_our_error(data: bytes) -> None:
    assert refusal(data) == "malformed"


def test_a_request_fits_only_its_own_envelope() -> None:
    plaintext = build()
    assert refusal(plaintext, community="other-court-0000") == "other-community"
    assert refusal(plaintext, envelope="f" * 32) == "other-envelope"
    assert refusal(plaintext, key="2026-w49") == "other-key"
    assert refusal(plaintext, suite="hpke-other") == "other-suite"


def test_only_the_holder_of_the_link_can_have_written_it() -> None:
    request = parse(build())
    request.verify_mac(BROWSER.invitation.auth)
    with pytest.raises(EnvelopeRefused) as refused:
        request.verify_mac(new_invitation(bytes(32)).auth)
    assert (refused.value.code, refused.value.reason) == ("forged", "forged")


@pytest.mark.parametrize(
    "changes",
    [
        {"version": 2},
        {"asked": {"ask": "open-the-gate"}},
        {"asked": {"ask": "end", "visit": "1"}},
        {"asked": {"ask": "look", "unit": "1"}},
        {"reply_key": ""},
        {"reply_key": encode_base64url(bytes(65))},
        {"sent_at": -1},
        {"language": "fr"},
        {"more": 1},
        {"asked": {"ask": "ask", "visitor": {}, "hours": 13, "credential": "pass"}},
        {"asked": {"ask": "ask", "visitor": {}, "hours": 1, "credential": "card"}},
        {"asked": {"ask": "ask", "visitor": {"name": "x" * 65}, "hours": 1, "credential": "pass"}},
    ],
)
def test_what_the_rules_do_not_allow_is_malformed_whoever_wrote_it(changes: dict[str, Any]) -> None:
    assert refusal(rewritten(**changes)) == "malformed"


def test_more_than_a_request_can_be_is_not_looked_at() -> None:
    assert refusal(build() + b" " * MAX_REQUEST) == "too-large"


def test_a_request_is_stale_a_day_from_when_it_was_sent() -> None:
    request = parse(build())
    assert not request.is_stale(NOW + STALE_S)
    assert request.is_stale(NOW + STALE_S + 1)
    assert request.is_stale(NOW - STALE_S - 1)


def test_what_was_written_is_not_printed() -> None:
    assert "3-1204" not in repr(parse(build()))


# Answers


def sealed(answer: VisitAnswer, *, community: str = COMMUNITY) -> bytes:
    return seal_answer(
        answer,
        reply_key=REPLY_KEY,
        signing_key=SUNNY.reply_signer,
        certificate=SUNNY.certify("reply", community=community),
    )


def open_it(box: bytes, **changes: Any) -> VisitAnswer:
    fields: dict[str, Any] = {
        "root_public": SUNNY.root.public_key(),
        "community": COMMUNITY,
        "envelope": ENVELOPE,
        "number": 1,
        "now": NOW,
    }
    return open_answer(BROWSER.reply_private, box, **(fields | changes))


ANSWER = VisitAnswer(1, COMMUNITY, ENVELOPE, 1, NOW, "waiting")


@FUZZ
@given(messages(VisitAnswer))
def test_an_answer_goes_out_and_back(answer: VisitAnswer) -> None:
    place = {name: getattr(answer, name) for name in ("community", "envelope", "number")}
    assert open_it(sealed(answer, community=answer.community), **place) == answer


def test_an_answer_opens_only_where_it_belongs() -> None:
    box = sealed(ANSWER)
    for changes in ({"number": 2}, {"envelope": "f" * 32}, {"community": "other-court-0000"}):
        with pytest.raises(SealBroken):
            open_it(box, **changes)


def test_an_answer_of_one_kind_never_stands_for_another() -> None:
    with pytest.raises(SealBroken):
        open_reply(
            BROWSER.reply_private,
            sealed(ANSWER),
            root_public=SUNNY.root.public_key(),
            community=COMMUNITY,
            envelope=ENVELOPE,
            number=1,
            now=NOW,
        )


def test_an_answer_that_another_key_signed_is_forged() -> None:
    other = Community()
    box = seal_answer(
        ANSWER,
        reply_key=REPLY_KEY,
        signing_key=other.reply_signer,
        certificate=SUNNY.certify("reply"),
    )
    with pytest.raises(ReplyRefused) as refused:
        open_it(box)
    assert refused.value.code == "reply-forged"
