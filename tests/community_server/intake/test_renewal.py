"""Inviting somebody anew: a lost link, a face to renew; what is known serves until then."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import sqlalchemy as sa

from community_server.database import now
from community_server.errors import Conflict
from community_server.estate import open_estate
from community_server.intake.approvals import list_waiting
from community_server.invitations.queries import ends_of_invitations
from community_server.invitations.service import invite_again, withdraw_invitation
from community_server.people.queries import faces_of_people
from community_server.people.service import issue_pin
from community_server.people.tables import Person, Template
from community_server.settings import Settings
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench, prepare
from tests.community_server.photos import brighter
from tests.community_server.traces import traces_in_the_end
from tier_link.envelopes import Particulars
from tier_link.invitations import InvitationSecret, parse_link


@pytest.fixture(scope="module")
def database() -> str:
    """SQLite alone: `test_decisions` walks the same statements on PostgreSQL."""
    return ""


def again(bench: Bench, person: str) -> InvitationSecret:
    """Invite somebody anew."""
    with bench.estate.changer.change() as change:
        invited = invite_again(change, bench.estate.links, person, days=1)
    assert invited.person == person
    return parse_link(invited.link).invitation


def enrolled(bench: Bench, portrait: bytes, name: str = "Ada") -> str:
    """Enroll and approve somebody with one photo; return who."""
    invitation, person = bench.invite(name=name)
    draft = bench.draft(invitation, [portrait])
    bench.send(draft)
    bench.decide(draft.envelope, "approve")
    return person


def template_at_the_door(bench: Bench, person: str) -> bytes:
    """Return what the rosters hold of a person's face."""
    row = bench.estate.book.find(person)
    assert row is not None
    return row.roster.template


def test_a_new_link_ends_the_one_that_was_lost(own: Bench, people: Sequence[SamplePerson]) -> None:
    lost, person = own.invite()
    fresh = again(own, person)

    (refused,) = own.send(own.draft(lost, [people[0].portrait]))
    (taken,) = own.send(own.draft(fresh, [people[0].portrait]))

    assert (refused.outcome, refused.reason) == ("refused", "invitation-withdrawn")
    assert taken.outcome == "received"


def test_a_withdrawn_link_is_refused_and_only_an_open_one_can_be_withdrawn(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = own.invite()
    with own.estate.changer.change() as change:
        withdraw_invitation(change, own.estate.links, person)
    with own.estate.reading() as session:
        assert ends_of_invitations(session) == {}

    (reply,) = own.send(own.draft(invitation, [people[0].portrait]))

    assert (reply.outcome, reply.reason) == ("refused", "invitation-withdrawn")
    with own.estate.changer.change() as change, pytest.raises(Conflict, match="no open invitation"):
        withdraw_invitation(change, own.estate.links, person)


def test_the_face_known_so_far_serves_until_the_new_one_is_approved(
    own: Bench, people: Sequence[SamplePerson], tmp_path: Path
) -> None:
    portrait = people[0].portrait
    person = enrolled(own, portrait)
    before = template_at_the_door(own, person)
    with own.estate.reading() as session:
        old = bytes(session.scalars(sa.select(Template.sealed)).one())
    draft = own.draft(again(own, person), [portrait, brighter(portrait), brighter(portrait, 1.3)])
    assert own.send(draft)[0].outcome == "received"
    with own.estate.reading() as session:
        (waiting,) = list_waiting(session, own.estate.safe)
    assert (waiting.renews, waiting.held_for, waiting.photos) == (True, "desk", 3)
    assert template_at_the_door(own, person) == before

    own.decide(draft.envelope, "approve")

    assert own.replies(draft)[-1].outcome == "enrolled"
    after = template_at_the_door(own, person)
    assert after != before
    assert float(np.frombuffer(after, "<f4") @ np.frombuffer(before, "<f4")) > 0.8
    assert len(own.estate.gallery) == 1
    with own.estate.reading() as session:
        space = own.estate.pack.template_space
        assert faces_of_people(session, space)[person].photos == 3
        assert not faces_of_people(session, "another model")[person].usable
    # One person, one template: of the one before, nothing stays in the files.
    assert traces_in_the_end(own.estate, tmp_path, [old[20:80]]) == []


def test_a_declined_renewal_changes_nothing(own: Bench, people: Sequence[SamplePerson]) -> None:
    person = enrolled(own, people[0].portrait)
    before = template_at_the_door(own, person)
    draft = own.draft(again(own, person), [brighter(people[0].portrait)])
    own.send(draft)

    own.decide(draft.envelope, "decline")

    assert own.replies(draft)[-1].reason == "declined-by-desk"
    assert template_at_the_door(own, person) == before


def test_somebody_else_who_uses_the_link_is_held_as_different(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    person = enrolled(own, people[0].portrait)
    own.send(own.draft(again(own, person), [people[1].portrait]))
    with own.estate.reading() as session:
        (waiting,) = list_waiting(session, own.estate.safe)
    assert waiting.held_for == "differs"


def test_a_renewed_face_that_resembles_an_older_one_leaves_both_as_they_are(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    elder = enrolled(own, people[0].portrait, "Ada")
    person = enrolled(own, people[1].portrait, "Bao")
    before = template_at_the_door(own, person)
    draft = own.draft(again(own, person), [people[0].portrait])
    own.send(draft)
    with own.estate.reading() as session:
        (waiting,) = list_waiting(session, own.estate.safe)
    assert (waiting.held_for, waiting.resembles) == ("differs", elder)

    own.decide(draft.envelope, "approve")

    assert own.replies(draft)[-1].pin
    assert template_at_the_door(own, person) == before


def test_no_pin_goes_to_a_different_face_before_the_desk_has_read_that_one_would(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    person = enrolled(own, people[1].portrait, "Bao")
    draft = own.draft(again(own, person), [people[0].portrait])
    own.send(draft)
    enrolled(own, people[0].portrait, "Ada")
    with pytest.raises(Conflict) as refused:
        own.decide(draft.envelope, "approve")
    assert refused.value.code == "photos-unusable"
    assert own.replies(draft)[-1].outcome == "received"


def test_whoever_wants_no_face_any_more_has_it_erased_with_the_approval(
    own: Bench, people: Sequence[SamplePerson], tmp_path: Path
) -> None:
    person = enrolled(own, people[0].portrait)
    with own.estate.reading() as session:
        old = bytes(session.scalars(sa.select(Template.sealed)).one())
    draft = replace(own.draft(again(own, person), ()), alternative="pin", consents=())
    own.send(draft)
    assert template_at_the_door(own, person)

    own.decide(draft.envelope, "approve")

    assert len(own.replies(draft)[-1].pin) == 6
    assert template_at_the_door(own, person) == b""
    assert len(own.estate.gallery) == 0
    assert traces_in_the_end(own.estate, tmp_path, [old[20:80]]) == []


def test_a_forwarded_link_renames_no_visitor_before_staff_agree(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = own.invite("visitor", name="王小明")
    first = own.draft(invitation, [people[0].portrait], kind="visitor")
    own.send(replace(first, particulars=Particulars(phone="138 0013 8000", plate="沪A12345")))
    own.decide(first.envelope, "approve")
    renewal = own.draft(again(own, person), [people[0].portrait], kind="visitor")
    renewal = replace(renewal, particulars=Particulars(name="Somebody else"))
    own.send(renewal)
    with own.estate.reading() as session:
        (waiting,) = list_waiting(session, own.estate.safe)
    assert (waiting.known.name, waiting.known.plate) == ("Somebody else", "沪A12345")
    assert own.estate.name_of(person) == "王小明"

    own.decide(renewal.envelope, "approve")

    assert own.estate.name_of(person) == "Somebody else"


def test_whose_time_is_over_is_not_invited_again(own: Bench) -> None:
    _, person = own.invite("visitor")
    with own.estate.changer.change() as change:
        change.session.get_one(Person, person).valid_until = now() - 1
    with own.estate.changer.change() as change, pytest.raises(Conflict) as refused:
        invite_again(change, own.estate.links, person, days=1)
    assert refused.value.code == "time-over"


@pytest.mark.parametrize(
    ("prepare_person", "photo_of", "expected"),
    [
        (issue_pin, 0, ("enrolled", "")),
        (lambda *_: None, 0, ("received", "desk")),
        (issue_pin, 1, ("received", "differs")),
    ],
    ids=["with a PIN at once", "without one at the desk", "somebody else at the desk"],
)
def test_in_pin_mode_only_the_same_face_with_a_pin_behind_it_is_renewed_at_once(
    database: str,
    models: Path,
    tmp_path: Path,
    people: Sequence[SamplePerson],
    prepare_person: Callable[..., object],
    photo_of: int,
    expected: tuple[str, str],
) -> None:
    settings = Settings(data=tmp_path, database=database, models=models, first_opening="pin")
    estate = open_estate(settings)
    prepare(estate)
    bench = Bench(estate)
    invitation, person = bench.invite()
    bench.send(bench.draft(invitation, [people[0].portrait]))
    with estate.changer.change() as change:
        prepare_person(change, person)
        # The PIN was shown at the door: from now on the face opens alone.
        change.session.get_one(Person, person).second_credential = False

    (reply,) = bench.send(bench.draft(again(bench, person), [people[photo_of].portrait]))

    with estate.reading() as session:
        held = [one.held_for for one in list_waiting(session, estate.safe)]
        second = session.get_one(Person, person).second_credential
    assert (reply.outcome, "".join(held)) == expected
    assert second is (reply.outcome == "enrolled")
    estate.close()
