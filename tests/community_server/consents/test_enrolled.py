"""Withdrawing consents that were given with an enrollment, which go on saying how."""

from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import select

from community_server.consents.queries import ShownConsent, list_consents
from community_server.intake.tables import PendingPhoto
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench
from tests.community_server.in_process import InProcess
from tests.community_server.traces import traces_in_the_end
from tests.community_server.visits.bench import VisitBench
from tier_link.visits import WithdrawFace


def consents(bench: Bench, person: str) -> list[ShownConsent]:
    with bench.estate.reading() as session:
        return list_consents(session, bench.estate.safe, person)


def test_how_each_consent_was_given_stays_to_be_seen_and_when_it_was_withdrawn(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    own.send(draft)
    own.decide(draft.envelope, "approve")
    given = {one.consent: one for one in consents(own, person)}
    assert given.keys() == {"encode", "internet", "keep"}
    assert {one.sha256 for one in draft.consents} == {one.sha256 for one in given.values()}
    with InProcess(own.estate) as desk:
        page = desk.get(f"/people/{person}").text
        assert given["keep"].sha256 in page
        assert "over the internet" in page
        desk.submit(f"/people/{person}/face/withdrawal")
        (one, *_) = desk.call(f"people/{person}/consents")
        assert one["withdrawn_how"] == "desk"
    after = consents(own, person)
    assert all(one.withdrawn_at for one in after)
    assert {replace(one, withdrawn_at=0, withdrawn_how="") for one in after} == set(given.values())


def test_a_face_that_waits_for_the_desk_is_withdrawn_as_well_and_leaves_no_trace(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    invitation, person = own.invite()
    draft = own.draft(invitation, [people[0].portrait])
    own.send(draft)
    with own.estate.reading() as session:
        sealed = bytes(session.scalars(select(PendingPhoto.sealed)).one())
    page = VisitBench(own).page(person)
    assert VisitBench(own).say(page, WithdrawFace()).outcome == "done"
    last = own.replies(draft)[-1]
    assert (last.outcome, last.reason) == ("refused", "consent-withdrawn")
    assert last.receipt
    assert traces_in_the_end(own.estate, own.estate.settings.data, [sealed[500:560]]) == []
    with own.estate.reading() as session:
        assert session.scalars(select(PendingPhoto)).all() == []
