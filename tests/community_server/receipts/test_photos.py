"""Whoever sent photos gets a signed statement that they are gone, sealed, once they are."""

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from community_server.estate import open_estate
from community_server.intake.approvals import Decision
from community_server.intake.consents import load_consents
from community_server.settings import Settings
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench, prepare
from tests.community_server.receipts.reading import fingerprint
from tier_link.receipts import PhotosDestroyed, open_receipt
from tier_link.replies import Reply


def stated(bench: Bench, reply: Reply) -> PhotosDestroyed:
    """Open a reply's receipt as its reader does, with the fingerprint of their own link."""
    found = open_receipt(reply.receipt.encode(), fingerprint(bench)).receipt.stated
    assert isinstance(found, PhotosDestroyed)
    return found


@pytest.mark.parametrize("decision", ["approve", "decline"])
def test_the_answer_of_the_desk_brings_a_receipt_for_the_photos(
    own: Bench, people: Sequence[SamplePerson], decision: Decision
) -> None:
    invitation, _ = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    (received,) = own.send(draft)
    assert received.receipt == ""  # they wait for the desk, and exist

    own.decide(draft.envelope, decision)

    receipt = stated(own, own.replies(draft)[-1])
    assert (receipt.envelope, receipt.photos) == (draft.envelope, 1)
    kept = own.estate.pack.template_space if decision == "approve" else ""
    assert receipt.template_space == kept


def test_the_receipt_is_a_signed_copy_of_what_was_agreed_to(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, _ = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    own.send(draft)
    own.decide(draft.envelope, "approve")

    agreed = stated(own, own.replies(draft)[-1]).agreed
    texts = {
        text.id: text.text
        for text in load_consents(unsealed_uploads=False).texts
        if text.language == "en"
    }
    assert {one.id: one.text for one in agreed} == texts
    for one in agreed:
        assert one.sha256 == hashlib.sha256(one.text.encode()).hexdigest()
        assert one.given_at > 0


def test_whoever_is_enrolled_at_once_gets_it_at_once(
    people: Sequence[SamplePerson], models: Path, tmp_path: Path
) -> None:
    estate = open_estate(Settings(data=tmp_path, models=models, first_opening="pin"))
    prepare(estate)
    own = Bench(estate)
    invitation, _ = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    (enrolled,) = own.send(draft)
    assert enrolled.outcome == "enrolled"
    assert stated(own, enrolled).template_space == estate.pack.template_space
    estate.close()


def test_without_a_face_or_with_a_photo_to_take_again_nothing_is_stated(own: Bench) -> None:
    invitation, _ = own.invite()
    blank = own.draft(invitation, [b"no photo"])
    assert [reply.receipt for reply in own.send(blank)] == [""]
    without = replace(own.draft(invitation, ()), alternative="pin", consents=())
    own.send(without)
    own.decide(without.envelope, "approve")
    assert [reply.receipt for reply in own.replies(without)] == ["", ""]


def test_the_relay_does_not_learn_by_a_replys_size_how_it_ended(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    """A receipt makes a reply longer; all are filled up to one size."""
    sizes = set()
    decisions: tuple[Decision, ...] = ("approve", "decline")
    for person, decision in zip(people, decisions, strict=False):
        invitation, _ = own.invite(name=person.name)
        draft = own.draft(invitation, [person.portrait, person.portrait, person.portrait])
        own.send(draft)
        own.decide(draft.envelope, decision)
        sizes |= {len(one.sealed) for one in own.sealed_replies(draft.envelope)}
    without = replace(own.draft(own.invite()[0], ()), alternative="pin", consents=())
    own.send(without)
    own.decide(without.envelope, "approve")
    sizes |= {len(one.sealed) for one in own.sealed_replies(without.envelope)}
    assert len(sizes) == 1
