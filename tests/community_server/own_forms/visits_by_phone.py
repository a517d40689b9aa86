"""Residents' pages and posters as a phone on the estate's network uses them."""

from tests.community_server.own_forms.phone import Asked, Phone
from tests.community_server.visits.bench import Sent
from tier_link.base64url import decode_base64url
from tier_link.visit_answers import VisitAnswer, open_answer


def asked(sent: Sent) -> Asked:
    """Return a sealed request as it is uploaded."""
    deposit = sent.deposit
    return Asked(deposit.envelope, deposit.invitation, deposit.key, deposit.sealed)


def answer_to(phone: Phone, sent: Sent) -> VisitAnswer:
    """Return the newest answer, the only one that the server keeps."""
    found = phone.get(f"{phone.base}/envelopes/{sent.deposit.envelope}")
    assert found.is_success, found.text
    (reply,) = found.json()["replies"]
    return open_answer(
        sent.private,
        decode_base64url(reply["sealed"]),
        root_public=phone.root,
        community=phone.community,
        envelope=sent.deposit.envelope,
        number=reply["number"],
        now=sent.deposit.received_at,
    )
