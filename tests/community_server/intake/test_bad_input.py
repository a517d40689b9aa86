"""Whatever is wrong with an envelope, it is refused with a code and leaves nothing half-done."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.doors.tables import RosterMember
from community_server.intake.tables import ConsentGiven, Enrollment, PendingPhoto
from community_server.invitations.tables import Invitation
from community_server.keys.tables import CertifiedKey
from community_server.people.tables import Person, Template
from gatehouse.sample_people import SamplePerson
from tests.community_server import photos
from tests.community_server.bench import Bench, Draft
from tier_link.envelopes import GivenConsent
from tier_link.relay_messages import EnvelopeDeposited

Spoil = Callable[[Draft, list[bytes]], Draft]


def _photos(*names: str) -> Spoil:
    def spoil(draft: Draft, portraits: list[bytes]) -> Draft:
        made = {
            "good": lambda: portraits[0],
            "other": lambda: portraits[1],
            "no-face": photos.no_face,
            "several": photos.several_faces,
            "tiny": lambda: photos.tiny(portraits[0]),
            "dark": lambda: photos.dark(portraits[0]),
            "blurred": lambda: photos.blurred(portraits[0]),
            "truncated": lambda: photos.truncated(portraits[0]),
            "bomb": photos.bomb,
            "pdf": photos.pdf,
        }
        return replace(draft, photos=tuple(made[name]() for name in names))

    return spoil


RETAKES: Final[dict[str, tuple[Spoil, str, int]]] = {
    "no face": (_photos("no-face"), "no-face", 0),
    "several faces": (_photos("several"), "several-faces", 0),
    "a tiny face": (_photos("tiny"), "face-too-small", 0),
    "a dark photo": (_photos("dark"), "too-dark", 0),
    "a blurred photo": (_photos("blurred"), "blurred", 0),
    "two people": (_photos("good", "other"), "different-people", 1),
    "a truncated JPEG": (_photos("good", "truncated"), "image-truncated", 1),
    "a 50-megapixel bomb": (_photos("bomb"), "image-too-large", 0),
    "a PDF called .jpg": (_photos("pdf"), "not-an-image", 0),
}


@pytest.mark.parametrize("case", RETAKES)
def test_a_photo_that_cannot_be_used_is_asked_for_again_and_keeps_the_invitation(
    case: str, bench: Bench, people: Sequence[SamplePerson]
) -> None:
    spoil, reason, photo = RETAKES[case]
    invitation, person = bench.invite()
    draft = spoil(bench.draft(invitation, ()), photos.portraits(people))

    (reply,) = bench.send(draft)

    assert (reply.outcome, reply.reason) == ("retake", reason)
    assert reply.photo == photo
    _check_nothing_done(bench, person, draft.envelope)
    again = bench.draft(invitation, [people[0].portrait])
    assert bench.send(again)[0].outcome == "received"


def test_a_sideways_photo_simply_works(bench: Bench, people: Sequence[SamplePerson]) -> None:
    invitation, _ = bench.invite()
    draft = bench.draft(invitation, [photos.sideways(people[0].portrait)])

    assert bench.send(draft)[0].outcome == "received"


def _without_consent(draft: Draft) -> Draft:
    return replace(draft, consents=draft.consents[1:])


def _changed_consent(draft: Draft) -> Draft:
    first = draft.consents[0]
    other = GivenConsent(first.id, first.version, first.language, "0" * 64)
    return replace(draft, consents=(other, *draft.consents[1:]))


def _wrong_kind(draft: Draft) -> Draft:
    return replace(draft, kind="visitor")


REFUSALS: Final = {
    "a missing consent": (_without_consent, "consent-missing"),
    "a consent to another text": (_changed_consent, "consent-changed"),
    "an invitation of another kind": (_wrong_kind, "malformed"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_whoever_holds_the_invitation_is_told_why_it_was_refused(
    case: str, bench: Bench, people: Sequence[SamplePerson]
) -> None:
    spoil, reason = REFUSALS[case]
    invitation, person = bench.invite()
    draft = spoil(bench.draft(invitation, [people[0].portrait]))

    (reply,) = bench.send(draft)

    assert (reply.outcome, reply.reason) == ("refused", reason)
    _check_nothing_done(bench, person, draft.envelope)


def test_an_expired_invitation_is_refused(bench: Bench, people: Sequence[SamplePerson]) -> None:
    invitation, person = bench.invite()
    with bench.estate.changer.change() as change:
        row = change.session.get(Invitation, invitation.id)
        assert row is not None
        row.expires_at = now() - 1
    draft = bench.draft(invitation, [people[0].portrait])

    (reply,) = bench.send(draft)

    assert (reply.outcome, reply.reason) == ("refused", "invitation-expired")
    _check_nothing_done(bench, person, draft.envelope)


def test_a_used_invitation_is_refused_and_the_first_enrollment_stays(
    bench: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, _ = bench.invite()
    first = bench.draft(invitation, [people[0].portrait])
    assert bench.send(first)[0].outcome == "received"
    second = bench.draft(invitation, [people[1].portrait])

    (reply,) = bench.send(second)

    assert (reply.outcome, reply.reason) == ("refused", "invitation-used")
    with bench.estate.reading() as session:
        kept = session.get(Enrollment, first.envelope)
        assert kept is not None
        assert kept.state == "waiting"
        assert _count(session, PendingPhoto, first.envelope) == 1
        assert _count(session, PendingPhoto, second.envelope) == 0


def _altered(deposit: EnvelopeDeposited) -> EnvelopeDeposited:
    sealed = bytearray(deposit.sealed)
    sealed[len(sealed) // 2] ^= 1
    return _with(deposit, sealed=bytes(sealed))


def _with(deposit: EnvelopeDeposited, **changes: object) -> EnvelopeDeposited:
    fields = {name: getattr(deposit, name) for name in deposit.__struct_fields__}
    return EnvelopeDeposited(**(fields | changes))


SILENT: Final[dict[str, tuple[Callable[[EnvelopeDeposited], EnvelopeDeposited], str]]] = {
    "altered": (_altered, "forged"),
    "under another id": (lambda d: _with(d, envelope="ab" * 16), "forged"),
    "naming an unknown key": (lambda d: _with(d, key="ab" * 16), "key-expired"),
    "naming an unknown invitation": (
        lambda d: _with(d, invitation="ab" * 16),
        "invitation-unknown",
    ),
    "said to be sealed by the cloud": (lambda d: _with(d, sealed_by="cloud"), "forged"),
    "of another suite": (lambda d: _with(d, suite="other-suite"), "malformed"),
}


@pytest.mark.parametrize("case", SILENT)
def test_an_envelope_that_proves_nothing_is_dropped_without_an_answer(
    case: str,
    bench: Bench,
    people: Sequence[SamplePerson],
    caplog: pytest.LogCaptureFixture,
) -> None:
    spoil, code = SILENT[case]
    invitation, person = bench.invite()
    deposit = spoil(bench.draft(invitation, [people[0].portrait]).deposit())

    with caplog.at_level(logging.WARNING, "community_server"):
        bench.deliver(deposit)

    assert f"envelope={deposit.envelope} refused={code} answered=no" in caplog.messages
    assert bench.sealed_replies(deposit.envelope) == []
    _check_nothing_done(bench, person, deposit.envelope)


def test_an_envelope_for_another_community_is_dropped(
    bench: Bench, people: Sequence[SamplePerson], caplog: pytest.LogCaptureFixture
) -> None:
    invitation, person = bench.invite()
    draft = replace(bench.draft(invitation, [people[0].portrait]), community="other-court-1234")

    bench.deliver(draft.deposit())

    assert any("refused=forged" in message for message in caplog.messages)
    _check_nothing_done(bench, person, draft.envelope)


def test_a_guessed_invitation_is_dropped(
    bench: Bench, people: Sequence[SamplePerson], caplog: pytest.LogCaptureFixture
) -> None:
    """The relay knows the id but not the secret, and so cannot write the MAC."""
    invitation, person = bench.invite()
    draft = replace(bench.draft(invitation, [people[0].portrait]), auth=b"\0" * 32)

    bench.deliver(draft.deposit())

    assert any("refused=forged" in message for message in caplog.messages)
    assert bench.sealed_replies(draft.envelope) == []
    _check_nothing_done(bench, person, draft.envelope)


def test_an_envelope_to_an_expired_key_is_dropped(
    bench: Bench, people: Sequence[SamplePerson], caplog: pytest.LogCaptureFixture
) -> None:
    invitation, person = bench.invite()
    draft = bench.draft(invitation, [people[0].portrait])
    with bench.estate.changer.change() as change:
        key = change.session.get(CertifiedKey, draft.key)
        assert key is not None
        kept, key.destroy_after = key.destroy_after, now() - 1

    bench.deliver(draft.deposit())

    with bench.estate.changer.change() as change:
        key = change.session.get(CertifiedKey, draft.key)
        assert key is not None
        key.destroy_after = kept
    assert any("refused=key-expired" in message for message in caplog.messages)
    _check_nothing_done(bench, person, draft.envelope)


def test_a_replayed_envelope_changes_nothing_and_brings_the_same_answer_again(
    bench: Bench, people: Sequence[SamplePerson], caplog: pytest.LogCaptureFixture
) -> None:
    invitation, _ = bench.invite()
    draft = bench.draft(invitation, [people[0].portrait])
    deposit = draft.deposit()
    bench.deliver(deposit)
    before = _everything(bench)

    bench.deliver(deposit)

    assert _everything(bench) == before
    first, second = bench.sealed_replies(draft.envelope)
    assert first == second
    assert any("refused=already-answered" in message for message in caplog.messages)


def test_a_plain_upload_is_refused_where_it_is_switched_off(
    bench: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = bench.invite()
    draft = replace(bench.draft(invitation, [people[0].portrait]), sealed_by="cloud")

    (reply,) = bench.send(draft)

    assert (reply.outcome, reply.reason) == ("refused", "malformed")
    _check_nothing_done(bench, person, draft.envelope)


def _check_nothing_done(bench: Bench, person: str, envelope: str) -> None:
    with bench.estate.reading() as session:
        row = session.get(Person, person)
        assert row is not None
        assert row.state == "invited"
        assert session.get(Template, person) is None
        assert _count(session, PendingPhoto, envelope) == 0
        assert _count(session, ConsentGiven, envelope) == 0
        enrollment = session.get(Enrollment, envelope)
        assert enrollment is None or enrollment.state in {"retake", "refused"}
        (invitation,) = session.scalars(
            select(Invitation).where(Invitation.person_id == person)
        ).all()
        assert (invitation.state, invitation.used_by) == ("open", None)
        assert not session.scalars(
            select(RosterMember).where(RosterMember.person_id == person)
        ).all()


def _count(session: Session, table: type[PendingPhoto | ConsentGiven], envelope: str) -> int:
    count = select(func.count()).select_from(table).where(table.enrollment_id == envelope)
    return session.scalars(count).one()


def _everything(bench: Bench) -> list[int]:
    with bench.estate.reading() as session:
        return [
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Enrollment, PendingPhoto, ConsentGiven, Person, Template, Invitation)
        ]
