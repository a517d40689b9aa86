"""Whole enrollments on the estate's own network: nothing goes to the cloud, nothing lies about."""

import logging
from collections.abc import Sequence

import pytest
from sqlalchemy import select

from community_server.database import now
from community_server.intake.tables import ConsentGiven, Enrollment
from community_server.invitations.tables import Invitation
from community_server.people.tables import Person
from community_server.setup.community import get_community
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench
from tests.community_server.own_forms.phone import (
    ADDRESS,
    DESK,
    HERE,
    Asked,
    Phone,
    at_home,
    code,
    outbox,
)
from tests.community_server.traces import traces
from tier_link.invitations import parse_link


def test_a_resident_enrolls_and_is_answered_and_the_cloud_hears_of_a_row_in_the_ledger_alone(
    own: Bench, people: Sequence[SamplePerson], caplog: pytest.LogCaptureFixture
) -> None:
    """Nor is the photo anywhere on the disk, or in the log, in the clear."""
    caplog.set_level(logging.DEBUG)
    before = outbox(own.estate)
    link, person = own.invite_by_link(name="Mei Lin", here=HERE)
    assert link.startswith(f"{ADDRESS}/c/")
    with Phone(own.estate) as phone:
        profile = phone.get(phone.base).json()
        assert {text["id"] for text in profile["consents"]} == {"encode", "keep"}
        invitation = parse_link(link).invitation
        assert phone.state(invitation).json()["kind"] == "resident"
        draft = at_home(own.draft(invitation, [people[0].portrait]))

        taken = phone.put(Asked.of(draft))
        assert (taken.status_code, taken.json()["state"]) == (202, "collected")
        assert [reply.outcome for reply in phone.replies(draft)] == ["received"]
        assert code(phone.state(invitation)) == (410, "invitation-used")

        portrait = people[0].portrait
        needles = [portrait[100:164], portrait[-64:], b"Mei Lin"]
        assert traces(own.estate, own.estate.settings.data, needles) == []

        own.decide(draft.envelope, "approve")
        assert [reply.outcome for reply in phone.replies(draft)] == ["received", "enrolled"]
    assert outbox(own.estate) == before
    assert person in {row.roster.person for row in own.estate.book.everybody()}
    with own.estate.reading() as session:
        given = session.scalars(select(ConsentGiven.origin)).all()
    assert set(given) == {"estate"}
    assert needles[0].hex() not in caplog.text
    assert "Mei Lin" not in caplog.text


def test_what_was_given_at_the_desk_says_so_and_staff_compare_whatever_the_policy(
    own: Bench, people: Sequence[SamplePerson], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = outbox(own.estate)
    lenient = own.estate.settings.model_copy(update={"first_opening": "pin"})
    monkeypatch.setitem(own.estate.intake.__dict__, "settings", lenient)
    with own.estate.changer.change() as change:  # nor is there a cloud
        community = get_community(change.session)
        community.cloud_url, community.cloud_key = "", None
    invitation, person = own.invite(here=DESK)
    draft = at_home(own.draft(invitation, [people[0].portrait]))
    with Phone(own.estate) as phone:
        assert phone.put(Asked.of(draft)).status_code == 202
        with own.estate.reading() as session:
            row = session.get_one(Enrollment, draft.envelope)
            assert (row.origin, row.held_for, row.state) == ("desk", "desk", "waiting")
            assert set(session.scalars(select(ConsentGiven.origin))) == {"desk"}
            ends = session.get_one(Invitation, invitation.id).expires_at
        assert ends <= now() + 3600
        own.decide(draft.envelope, "approve")
        assert phone.replies(draft)[-1].outcome == "enrolled"
    with own.estate.reading() as session:
        assert not session.get_one(Person, person).second_credential
    assert outbox(own.estate) == before
