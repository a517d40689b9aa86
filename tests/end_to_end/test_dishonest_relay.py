"""A relay with the cloud's keys, database and traffic can delay or drop, and nothing else."""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from community_server.settings import Settings
from face_engine.models import load_pack
from gatehouse.enrollment_client import EnrollmentClient, EnrollmentFailed, Submission
from gatehouse.local_estate import wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.community_server.bench import Draft, honest_consents
from tests.community_server.doubles import COMMUNITY
from tests.community_server.server_process import Desk, Server, run_server
from tests.end_to_end.dishonest_relay import DishonestRelay, Holdings, invite
from tests.end_to_end.searching import files_with, needles
from tests.enrollment_cloud.traces import database_files
from tests.support.databases import databases
from tier_link.base64url import encode_base64url
from tier_link.certificates import (
    Purpose,
    SignedCertificate,
    build_certificate,
    carry_certificate,
    load_root,
    root_public_bytes,
    verify_certificate,
)
from tier_link.envelopes import Particulars, Photo
from tier_link.errors import LinkError, ReplyRefused, RequestFailed, SealBroken
from tier_link.estate_messages import ESTATE, MatchRequest
from tier_link.invitations import InvitationSecret, new_invitation, parse_link
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.replies import Reply, build_reply
from tier_link.sealing import new_sealing_key, sealing_public_bytes
from tier_link.store import open_database

CANARY = "Canary-71c0e2d9-Kanarienvogel"
REPLY_SECONDS = 60.0
WITHHELD_SECONDS = 1.5
"""How long a client waits for a reply that never comes; nothing depends on its length."""


@dataclass
class Case:
    """A real server with one estate, the relay it paired with, and its desk."""

    server: Server
    engine: sa.Engine
    relay: DishonestRelay
    desk: Desk
    people: Sequence[SamplePerson]
    links: dict[str, str] = field(default_factory=dict)

    @property
    def holdings(self) -> Holdings:
        """What the server holds now."""
        return Holdings.of(self.engine)

    def submit(self, link: str, person: SamplePerson, **particulars: str) -> Submission:
        """Send one photo as an honest client does."""
        with self.relay.client() as http:
            return EnrollmentClient(http).submit(
                link, [Photo("front", person.portrait)], particulars=Particulars(**particulars)
            )

    def reply(self, submission: Submission, *, seconds: float = REPLY_SECONDS) -> Reply:
        """Return the first reply that the client accepts."""
        with self.relay.client() as http:
            return next(EnrollmentClient(http).replies(submission, seconds=seconds))

    def replies(self, submission: Submission, count: int) -> list[Reply]:
        """Return so many replies, each accepted by the client."""
        with self.relay.client() as http:
            stream = EnrollmentClient(http).replies(submission, seconds=REPLY_SECONDS)
            return [next(stream) for _ in range(count)]

    def enroll(self, name: str, person: SamplePerson) -> Submission:
        """Send one photo honestly and wait for the community's first reply."""
        submission = self.submit(invite(self.desk, self.relay, name), person)
        assert self.reply(submission).outcome == "received"
        return submission

    def forged(self, invitation: InvitationSecret, *, auth: bytes) -> Draft:
        """Write an envelope to the community's true key, as anybody can."""
        profile = self.relay.profile
        assert profile is not None
        carried = profile.certificates[0]
        # Its own copy of the root is what the relay checks against: it wants to be understood.
        root = load_root(profile.root_public, new_fingerprint(profile.root_public))
        certificate = verify_certificate(
            carried.certificate,
            carried.signature,
            root,
            community=COMMUNITY,
            purpose="envelope",
            now=int(time.time()),
        )
        return Draft(
            invitation=invitation,
            kind="resident",
            community=COMMUNITY,
            envelope=new_id(),
            key=certificate.key,
            key_public=certificate.public_bytes,
            photos=(self.people[1].portrait,),
            consents=honest_consents(),
            reply_key=new_sealing_key(),
            auth=auth,
        )


def new_id() -> str:
    """Return an envelope id as a client draws it."""
    return new_invitation(bytes(32)).id


def new_fingerprint(root_public: bytes) -> bytes:
    """Return the fingerprint that belongs to a root key."""
    return hashlib.sha256(root_public).digest()


@pytest.fixture(scope="module")
def people(models: Path) -> Sequence[SamplePerson]:
    """The sample photo's people whom the enrollment gate accepts."""
    return [one for one in sample_people(load_pack(folder=models)) if one.name != "Emil"]


def begin(server: Server, relay: DishonestRelay) -> Desk:
    desk = Desk(server)
    desk.set_up()
    desk.sign_in()
    desk.call("POST", "/api/v1/cloud", {"url": relay.url, "code": relay.issue_code()})
    wait_for("the profile at the relay", lambda: relay.profile)
    desk.switch_faces_on()
    return desk


@pytest.fixture(
    scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.soak)]
)
def kind(request: pytest.FixtureRequest) -> str:
    """The kind of database under server and relay."""
    found: str = request.param
    return found


@contextmanager
def opened(database: str, data: Path) -> Iterator[sa.Engine]:
    """Look into a server's database."""
    engine = open_database(Settings(data=data, database=database).database_url)
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def running(
    kind: str,
    models: Path,
    people: Sequence[SamplePerson],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("relay")
    data = folder / "server"
    with (
        databases(kind, 2) as (own, servers),
        run_server(data, database=servers, models=models) as server,
        opened(servers, data) as engine,
        DishonestRelay(folder, own) as relay,
    ):
        desk = begin(server, relay)
        yield Case(server, engine, relay, desk, people)
        desk.close()


@pytest.fixture
def case(running: Case) -> Iterator[Case]:
    running.relay.be_honest()
    yield running
    # Whatever the relay tried, an honest enrollment still goes its way.
    running.relay.be_honest()
    assert running.enroll("Honest", running.people[3]).envelope
    assert "Traceback" not in "".join(running.server.log)
    for person in running.desk.call("GET", "/api/v1/people"):
        running.desk.call("DELETE", f"/api/v1/people/{person['person']}")


def test_it_reads_neither_photo_nor_name_nor_the_links_secret(case: Case, tmp_path: Path) -> None:
    relay, person = case.relay, case.people[0]
    link = invite(case.desk, relay, CANARY)
    secret = parse_link(link).invitation
    submission = case.submit(link, person, name=CANARY, phone="+8613800138000")
    assert case.reply(submission).outcome == "received"
    (waiting,) = case.desk.call("GET", "/api/v1/approvals")
    case.desk.call("POST", f"/api/v1/approvals/{waiting['id']}", {"decision": "approve"})
    assert case.replies(submission, 2)[-1].outcome == "enrolled"

    wanted = [*needles(person.portrait), *needles(secret.auth), secret.fragment.encode()]
    wanted += [CANARY.encode(), b"13800138000"]
    everything = tmp_path / "everything the relay saw"
    everything.write_bytes(b"\0".join(relay.seen))
    assert relay.deposits[submission.envelope].sealed in everything.read_bytes()
    stored = database_files(relay.engine)
    assert files_with(wanted, [everything, *stored]) == []
    # PostgreSQL's log is the whole cluster's, and the server's own database, which knows the
    # outcome by this word, lies in the same one here.
    own = [file for file in stored if file.parent.name != "pg_wal"]
    assert files_with([b"enrolled"], [everything, *own]) == []


def test_it_enrolls_nobody_with_a_published_invitation_and_its_own_keys(case: Case) -> None:
    link = invite(case.desk, case.relay, "Ada")
    honest = parse_link(link).invitation
    before, replies = case.holdings, len(case.relay.replies)
    own = new_invitation(bytes(32))
    for auth in (own.auth, bytes(32), bytes.fromhex(honest.id) * 2):
        case.relay.pass_on(case.forged(honest, auth=auth).deposit())
    case.relay.pass_on(case.forged(own, auth=own.auth).deposit())
    assert case.holdings == before
    assert len(case.relay.replies) == replies
    assert case.reply(case.submit(link, case.people[0])).outcome == "received"


def other_root(view: dict[str, Any]) -> dict[str, Any]:
    root = Ed25519PrivateKey.generate()
    return view | {
        "root_public": encode_base64url(root_public_bytes(root)),
        "certificates": [_shown(root)],
    }


def other_key(view: dict[str, Any]) -> dict[str, Any]:
    return view | {"certificates": [_shown(Ed25519PrivateKey.generate())]}


def spliced_key(view: dict[str, Any]) -> dict[str, Any]:
    (own, true) = (_shown(Ed25519PrivateKey.generate()), view["certificates"][0])
    return view | {"certificates": [own | {"signature": true["signature"]}]}


def no_key(view: dict[str, Any]) -> dict[str, Any]:
    return view | {"certificates": []}


def own_certificate(root: Ed25519PrivateKey, purpose: Purpose, public: bytes) -> SignedCertificate:
    """Return a certificate by a root of the relay's own."""
    now = int(time.time())
    signed = build_certificate(
        root,
        community=COMMUNITY,
        purpose=purpose,
        key="relays-own",
        public=public,
        not_before=now - 60,
        not_after=now + 3600,
    )
    return carry_certificate(*signed)


def _shown(root: Ed25519PrivateKey) -> dict[str, str]:
    carried = own_certificate(root, "envelope", sealing_public_bytes(new_sealing_key()))
    return {"certificate": carried.certificate, "signature": carried.signature}


@pytest.mark.parametrize(
    ("lie", "code"),
    [
        (other_root, "root-mismatch"),
        (other_key, "certificate-forged"),
        (spliced_key, "certificate-forged"),
        (no_key, "key-expired"),
    ],
)
def test_it_cannot_make_a_client_seal_to_another_key(
    case: Case, lie: Callable[[dict[str, Any]], dict[str, Any]], code: str
) -> None:
    link = invite(case.desk, case.relay, "Ada")
    before, uploads = case.holdings, len(case.relay.deposits)
    case.relay.on_profile = lie
    with pytest.raises((LinkError, EnrollmentFailed)) as refused:
        case.submit(link, case.people[0])
    assert getattr(refused.value, "code", "") == code
    assert len(case.relay.deposits) == uploads, "nothing may leave the client"
    assert case.holdings == before


def flipped(place: float) -> Callable[[EnvelopeDeposited], EnvelopeDeposited]:
    def alter(deposit: EnvelopeDeposited) -> EnvelopeDeposited:
        data = bytearray(deposit.sealed)
        data[int(place * (len(data) - 1))] ^= 1
        return msgspec.structs.replace(deposit, sealed=bytes(data))

    return alter


def _relabelled(**fields: str) -> Callable[[EnvelopeDeposited], EnvelopeDeposited]:
    return lambda deposit: msgspec.structs.replace(deposit, **fields)


def test_what_it_alters_is_dropped_and_the_original_still_counts(case: Case) -> None:
    link = invite(case.desk, case.relay, "Ada")
    before, replies = case.holdings, len(case.relay.replies)
    case.relay.on_deposit = lambda _: []
    submission = case.submit(link, case.people[0])
    true = case.relay.deposits[submission.envelope]
    for alter in (
        *(flipped(place) for place in (0.0, 0.001, 0.5, 1.0)),
        lambda deposit: msgspec.structs.replace(deposit, sealed=deposit.sealed[:-4096]),
        _relabelled(envelope="0" * 32),
        _relabelled(key="another-key"),
        _relabelled(suite="another-suite"),
        _relabelled(sealed_by="cloud"),
        _relabelled(invitation="0" * 32),
    ):
        case.relay.pass_on(alter(true))
        assert case.holdings == before
    assert len(case.relay.replies) == replies
    case.relay.pass_on(true)
    assert case.reply(submission).outcome == "received"


def test_it_cannot_swap_two_peoples_envelopes_or_invitations(case: Case) -> None:
    ada, bao = (invite(case.desk, case.relay, name) for name in ("Ada", "Bao"))
    before, replies = case.holdings, len(case.relay.replies)
    case.relay.on_deposit = lambda _: []
    first, second = case.submit(ada, case.people[0]), case.submit(bao, case.people[1])
    one, two = (case.relay.deposits[s.envelope] for s in (first, second))
    swap = msgspec.structs.replace
    for swapped in (
        swap(one, sealed=two.sealed),
        swap(two, sealed=one.sealed),
        swap(one, invitation=two.invitation),
        swap(two, invitation=one.invitation),
        swap(one, envelope=two.envelope),
    ):
        case.relay.pass_on(swapped)
    assert case.holdings == before
    assert len(case.relay.replies) == replies
    for true in (one, two):
        case.relay.pass_on(true)
    assert [case.reply(s).outcome for s in (first, second)] == ["received", "received"]
    rows = case.desk.call("GET", "/api/v1/approvals")
    shown = {
        row["name"]: case.desk.http.get(f"/api/v1/approvals/{row['id']}/photos/0").content
        for row in rows
    }
    assert shown == {"Ada": case.people[0].portrait, "Bao": case.people[1].portrait}


def test_a_replayed_envelope_enrolls_nobody_twice_and_brings_nobody_back(case: Case) -> None:
    submission = case.enroll("Ada", case.people[0])
    deposit = case.relay.deposits[submission.envelope]
    waiting = case.holdings
    case.relay.pass_on(deposit)
    assert case.holdings == waiting
    (row,) = case.desk.call("GET", "/api/v1/approvals")
    case.desk.call("POST", f"/api/v1/approvals/{row['id']}", {"decision": "approve"})
    approved = case.holdings
    assert approved.rows["templates"] == waiting.rows["templates"] + 1
    case.relay.pass_on(deposit)
    case.relay.pass_on(msgspec.structs.replace(deposit, envelope=new_id()))
    assert case.holdings == approved
    case.desk.call("DELETE", f"/api/v1/people/{row['person']}")
    removed = case.holdings
    assert removed.rows["templates"] == 0
    case.relay.pass_on(deposit)
    assert case.holdings == removed
    assert case.desk.call("GET", "/api/v1/approvals") == []


@pytest.mark.long
def test_a_replay_after_a_restart_changes_nothing(
    kind: str, models: Path, people: Sequence[SamplePerson], tmp_path: Path
) -> None:
    data = tmp_path / "server"
    with (
        databases(kind, 2) as (own, servers),
        opened(servers, data) as engine,
        DishonestRelay(tmp_path, own) as relay,
    ):
        with run_server(data, database=servers, models=models) as server:
            desk = begin(server, relay)
            case = Case(server, engine, relay, desk, people)
            submission = case.enroll("Ada", people[0])
            deposit = relay.deposits[submission.envelope]
            before = case.holdings
            desk.close()
        with run_server(data, database=servers, models=models):
            relay.pass_on(deposit)
            relay.pass_on(msgspec.structs.replace(deposit, envelope=new_id()))
            assert case.holdings == before
            assert case.reply(submission).outcome == "received"


def test_it_cannot_swap_two_peoples_replies(case: Case) -> None:
    first, second = case.enroll("Ada", case.people[0]), case.enroll("Bao", case.people[1])
    true = {one.envelope: case.relay.true_replies(one.envelope) for one in (first, second)}
    other = {first.envelope: second.envelope, second.envelope: first.envelope}
    case.relay.on_replies = lambda envelope: true[other[envelope]]
    for submission in (first, second):
        with pytest.raises(SealBroken):
            case.reply(submission)


def test_an_old_reply_is_not_taken_for_a_new_one(case: Case) -> None:
    submission = case.enroll("Ada", case.people[0])
    ((_, old),) = case.relay.true_replies(submission.envelope)
    case.relay.on_replies = lambda _: [(1, old), (2, old)]
    with pytest.raises(SealBroken):
        case.replies(submission, 2)


def test_it_cannot_forge_a_reply_or_a_pin_even_knowing_the_reply_key(case: Case) -> None:
    case.relay.on_deposit = lambda _: []
    submission = case.submit(invite(case.desk, case.relay, "Ada"), case.people[0])
    own_root, own = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    now = int(time.time())
    certificate = own_certificate(own_root, "reply", root_public_bytes(own))
    profile = case.relay.profile
    assert profile is not None
    published = profile.certificates[0]
    true_certificate = carry_certificate(published.certificate, published.signature)

    def forge(carried: SignedCertificate) -> bytes:
        return build_reply(
            reply_key=sealing_public_bytes(submission.reply_key),
            signing_key=own,
            certificate=carried,
            community=COMMUNITY,
            envelope=submission.envelope,
            number=1,
            outcome="enrolled",
            sent_at=now,
            pin="123456",
        )

    for carried in (certificate, true_certificate):
        sealed = forge(carried)
        case.relay.on_replies = lambda _, sealed=sealed: [(1, sealed)]  # type: ignore[misc] # the default binds this round's reply
        with pytest.raises(LinkError) as refused:
            case.reply(submission)
        assert isinstance(refused.value, ReplyRefused) or refused.value.code.startswith(
            "certificate-"
        )


def test_on_the_link_it_may_not_do_what_a_door_may(case: Case) -> None:
    link = case.relay.hub.link(COMMUNITY)
    assert link is not None
    before = case.holdings
    question = MatchRequest("any space", (case.people[0].portrait[:1000],))
    with pytest.raises(RequestFailed):
        link.request(ESTATE.kind(question), ESTATE.encode(question), 10.0)
    assert case.holdings == before


def test_what_it_drops_is_noticed_and_what_it_delays_still_counts(case: Case) -> None:
    case.relay.on_deposit = lambda _: []
    link = invite(case.desk, case.relay, "Ada")
    before = case.holdings
    submission = case.submit(link, case.people[0])
    with pytest.raises(TimeoutError):
        case.reply(submission, seconds=WITHHELD_SECONDS)
    assert case.holdings == before
    deposit = case.relay.deposits.pop(submission.envelope)
    with pytest.raises(EnrollmentFailed) as lost:
        case.reply(submission)
    assert lost.value.code == "envelope-unknown", "the client is told to send again"
    case.relay.deposits[submission.envelope] = deposit
    case.relay.pass_on(deposit)
    assert case.reply(submission).outcome == "received"
    case.relay.on_replies = lambda _: []
    with pytest.raises(TimeoutError):
        case.reply(submission, seconds=WITHHELD_SECONDS)
