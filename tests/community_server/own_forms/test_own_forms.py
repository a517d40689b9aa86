"""The forms on the estate's own network: an enrollment without a cloud, and what is refused."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.intake.tables import Enrollment, KeptReply
from community_server.invitations.tables import Invitation
from community_server.own_forms.service import KEPT_SECONDS, forget_replies
from gatehouse.sample_people import SamplePerson
from tests.community_server import photos
from tests.community_server.bench import Bench, Draft
from tests.community_server.own_forms.phone import HERE, Asked, Phone, at_home, code


def test_a_link_to_the_cloud_opens_here_as_well_and_works_once(
    bench: Bench, phone: Phone, people: Sequence[SamplePerson]
) -> None:
    invitation, _ = bench.invite()
    here = at_home(bench.draft(invitation, [people[0].portrait]))
    there = bench.draft(invitation, [people[0].portrait])
    assert phone.put(Asked.of(here)).status_code == 202
    (late,) = bench.send(there)
    assert (late.outcome, late.reason) == ("refused", "invitation-used")
    assert [reply.outcome for reply in phone.replies(here)] == ["received"]


def test_a_link_that_the_cloud_never_heard_of_does_not_count_there(
    bench: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = bench.invite(here=HERE)
    draft = bench.draft(invitation, [people[0].portrait])
    assert bench.send(draft) == []
    with bench.estate.reading() as session:
        assert not session.scalar(select(Enrollment).where(Enrollment.person_id == person))


def test_the_same_envelope_again_changes_nothing_and_brings_the_same_answer(
    bench: Bench, phone: Phone, people: Sequence[SamplePerson]
) -> None:
    invitation, person = bench.invite(here=HERE)
    draft = at_home(bench.draft(invitation, [people[0].portrait]))
    asked = Asked.of(draft)
    answers = phone.put_at_once(asked, asked, asked)
    assert {answer.status_code for answer in answers} == {202}
    assert phone.put(asked).status_code == 202
    assert [reply.number for reply in phone.replies(draft)] == [1]
    with bench.estate.reading() as session:
        enrollments = select(func.count()).where(Enrollment.person_id == person)
        assert session.scalar(enrollments) == 1


def test_of_two_enrollments_by_one_link_at_once_one_counts(
    bench: Bench, phone: Phone, people: Sequence[SamplePerson]
) -> None:
    invitation, _ = bench.invite(here=HERE)
    drafts = [at_home(bench.draft(invitation, [people[0].portrait])) for _ in range(2)]
    answers = phone.put_at_once(*(Asked.of(draft) for draft in drafts))
    # Whoever is late by more than an envelope's time is told before the body is read.
    told = [answer.status_code for answer in answers]
    assert set(told) <= {202, 410}
    outcomes = [
        phone.replies(draft)[0].outcome
        for draft, status in zip(drafts, told, strict=True)
        if status == 202
    ]
    assert outcomes.count("received") == 1
    assert set(outcomes) <= {"received", "refused"}


def test_a_photo_that_cannot_be_used_is_asked_for_again_ten_times_a_day(
    bench: Bench, phone: Phone
) -> None:
    invitation, _ = bench.invite(here=HERE)
    for _ in range(10):
        draft = at_home(bench.draft(invitation, [b"not a photo"]))
        assert phone.put(Asked.of(draft)).status_code == 202
        assert phone.replies(draft)[0].reason == "not-an-image"
    draft = at_home(bench.draft(invitation, [photos.no_face()]))
    assert code(phone.put(Asked.of(draft))) == (429, "invitation-exhausted")


def another_secret(draft: Draft) -> Draft:
    return replace(draft, auth=secrets.token_bytes(32))


def another_community(draft: Draft) -> Draft:
    return replace(draft, community="moon-court-0000")


@pytest.mark.parametrize("spoil", [another_secret, another_community])
def test_whoever_has_not_the_links_secret_is_told_nothing_and_leaves_nothing(
    bench: Bench, phone: Phone, people: Sequence[SamplePerson], spoil: Callable[[Draft], Draft]
) -> None:
    invitation, person = bench.invite(here=HERE)
    asked = Asked.of(spoil(at_home(bench.draft(invitation, [people[0].portrait]))))
    assert code(phone.put(asked)) == (400, "envelope-unreadable")
    garbage = replace(asked, body=secrets.token_bytes(len(asked.body)))
    assert code(phone.put(garbage)) == (400, "envelope-unreadable")
    with bench.estate.reading() as session:
        assert not session.scalar(select(Enrollment).where(Enrollment.person_id == person))
    assert phone.state(invitation).is_success


def test_the_consents_that_are_shown_here_are_needed(
    bench: Bench, phone: Phone, people: Sequence[SamplePerson]
) -> None:
    invitation, _ = bench.invite(here=HERE)
    draft = at_home(bench.draft(invitation, [people[0].portrait]))
    assert phone.put(Asked.of(replace(draft, consents=draft.consents[:1]))).status_code == 202
    assert phone.replies(draft)[0].reason == "consent-missing"


def test_links_that_are_over_are_told_apart(bench: Bench, phone: Phone) -> None:
    invitation, person = bench.invite(here=HERE)
    with bench.estate.changer.change() as change:
        change.session.get_one(Invitation, invitation.id).expires_at = now()
    assert code(phone.state(invitation)) == (410, "invitation-expired")
    with bench.estate.changer.change() as change:
        change.session.get_one(Invitation, invitation.id).state = "withdrawn"
    assert code(phone.state(invitation)) == (410, "invitation-withdrawn")
    asked = Asked.of(at_home(bench.draft(invitation, [b"photo"])))
    assert code(phone.put(asked)) == (410, "invitation-withdrawn")
    assert code(phone.get(f"{phone.base}/envelopes/{asked.envelope}")) == (404, "envelope-unknown")
    assert person


def test_replies_are_kept_a_week(
    bench: Bench, phone: Phone, people: Sequence[SamplePerson]
) -> None:
    invitation, _ = bench.invite(here=HERE)
    draft = at_home(bench.draft(invitation, [people[0].portrait]))
    phone.put(Asked.of(draft))
    with Session(bench.estate.engine) as session, session.begin():
        session.get_one(KeptReply, (draft.envelope, 1)).stored_at = now() - KEPT_SECONDS
    address = f"{phone.base}/envelopes/{draft.envelope}"
    assert code(phone.get(address)) == (404, "envelope-unknown")
    with Session(bench.estate.engine) as session, session.begin():
        assert forget_replies(session, now()) == 1
