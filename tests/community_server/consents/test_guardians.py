"""For somebody under 14 a guardian consents, whose name is sealed as the child's own is."""

from collections.abc import Sequence

from community_server.consents.queries import list_consents
from community_server.erasure import remove_person
from community_server.intake.tables import Enrollment
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import Bench
from tests.community_server.in_process import InProcess
from tests.community_server.traces import traces, traces_in_the_end
from tier_link.envelopes import Photo, build_enrollment, parse_enrollment
from tier_link.receipts import PhotosDestroyed, open_receipt
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.sealing import SUITE_NAME, SealContext, seal, sealing_public_bytes

GUARDIAN = "Canary Guardian-Heron-3391"


def send(bench: Bench, photo: bytes, guardian: str) -> tuple[str, str]:
    """Enroll a child as the form does; return the person and the envelope."""
    invitation, person = bench.invite()
    draft = bench.draft(invitation, [photo])
    plaintext = build_enrollment(
        auth=invitation.auth,
        community=draft.community,
        envelope=draft.envelope,
        key=draft.key,
        kind="resident",
        language="en",
        consents=draft.consents,
        photos=[Photo("front", photo)],
        reply_key=sealing_public_bytes(draft.reply_key),
        guardian=guardian,
    )
    context = SealContext(draft.community, "enrollment", draft.envelope, draft.key)
    bench.deliver(
        EnvelopeDeposited(
            envelope=draft.envelope,
            invitation=invitation.id,
            key=draft.key,
            suite=SUITE_NAME,
            sealed_by="browser",
            received_at=1,
            sealed=seal(draft.key_public, plaintext, context),
        )
    )
    with InProcess(bench.estate) as desk:
        (waiting,) = desk.call("approvals")
        assert waiting["guardian"] == guardian
        assert guardian in desk.get("/approvals").text
    bench.decide(draft.envelope, "approve")
    stated = open_receipt(bench.replies(draft)[-1].receipt.encode()).receipt.stated
    assert isinstance(stated, PhotosDestroyed)
    assert {one.by for one in stated.agreed} == {"guardian" if guardian else "person"}
    return person, draft.envelope


def test_the_consent_counts_as_the_guardians_and_their_name_is_seen_at_the_desk_alone(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    person, envelope = send(own, people[0].portrait, GUARDIAN)
    with own.estate.reading() as session:
        given = list_consents(session, own.estate.safe, person)
        row = session.get_one(Enrollment, envelope)
        sealed = bytes(row.guardian or b"")
    assert {(one.given_by, one.guardian) for one in given} == {("guardian", GUARDIAN)}
    with InProcess(own.estate) as desk:
        assert GUARDIAN in desk.get(f"/people/{person}").text
    data = own.estate.settings.data
    assert traces(own.estate, data, [GUARDIAN.encode()]) == []
    assert traces(own.estate, data, [sealed]) != []
    with own.estate.changer.change() as change:
        remove_person(change, own.estate.links, person)
    assert traces_in_the_end(own.estate, data, [sealed]) == []


def test_a_grown_ups_consent_is_their_own_and_reads_as_it_did_before(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    person, envelope = send(own, people[0].portrait, "")
    with own.estate.reading() as session:
        given = list_consents(session, own.estate.safe, person)
        assert session.get_one(Enrollment, envelope).guardian is None
    assert {(one.given_by, one.guardian) for one in given} == {("person", "")}


def test_without_a_guardian_the_enrollment_says_nothing_of_one() -> None:
    """An estate of before takes it."""
    plaintext = build_enrollment(
        auth=bytes(32),
        community="c",
        envelope="a" * 32,
        key="k",
        kind="resident",
        language="en",
        consents=(),
        photos=[Photo("front", b"x")],
        sealed_by="cloud",
    )
    assert b"guardian" not in plaintext
    opened = parse_enrollment(
        plaintext, community="c", envelope="a" * 32, key="k", sealed_by="cloud"
    )
    assert opened.guardian == ""
    assert GUARDIAN not in repr(opened)
