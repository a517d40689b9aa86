import threading
import time

import msgspec
import pytest
from sqlalchemy import text

from enrollment_cloud.database import Database
from enrollment_cloud.enrollment.deposits import Deposits, store_reply
from enrollment_cloud.invitations.service import close_invitations, publish_invitations
from enrollment_cloud.limits import ENVELOPE_LIFETIME
from enrollment_cloud.relay.database import DatabaseRelay
from enrollment_cloud.sweeper import sweep
from tests.enrollment_cloud.samples import (
    COMMUNITY,
    CommunityKeys,
    populate,
    published,
    sealed_envelope,
)
from tier_kit.forms.errors import FormRefused
from tier_kit.forms.limits import REPLY_LIFETIME
from tier_link.invitations import InvitationSecret, LinkKind
from tier_link.relay_messages import Closing, InvitationsWithdrawn, ReplySealed
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD
from tier_link.store import LinkStore

NOW = int(time.time())
DAY = int(ENVELOPE_LIFETIME.total_seconds())
WEEK = int(REPLY_LIFETIME.total_seconds())


@pytest.fixture
def deposits(database: Database) -> Deposits:
    relay = DatabaseRelay(database.engine)
    relay.store._clock = lambda: NOW
    return Deposits(database, relay)


@pytest.fixture
def store(deposits: Deposits) -> LinkStore:
    return deposits.relay.store


@pytest.fixture
def invitation(database: Database) -> InvitationSecret:
    keys = CommunityKeys()
    invitation = keys.invitation()
    with database.write.begin() as session:
        populate(session, keys, invitation)
    return invitation


def acknowledge_all(store: LinkStore, deposits: Deposits) -> None:
    """What the link does when the community says that it has everything."""
    store.acknowledge(
        COMMUNITY,
        store.epoch,
        1 << 40,
        lambda session, peer, sequences: deposits.collect(session, peer, sequences, NOW),
    )


def reply(envelope: str, number: int = 1) -> ReplySealed:
    return ReplySealed(envelope, number, final=True, sealed=bytes(100 + number))


def refusal(deposits: Deposits, *arguments: object) -> str:
    with pytest.raises(FormRefused) as refused:
        deposits.deposit(*arguments)  # type: ignore[arg-type]  # passed on as they came
    return refused.value.code


def test_an_envelope_whose_body_is_gone_is_to_be_sent_again(
    deposits: Deposits, invitation: InvitationSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    monkeypatch.setattr(deposits.relay, "has_lost", lambda *_: True)
    with pytest.raises(FormRefused, match="envelope-unknown"):
        deposits.find(COMMUNITY, one.envelope, NOW)


def test_a_body_that_is_gone_because_it_was_collected_meanwhile_is_not_lost(
    deposits: Deposits,
    store: LinkStore,
    invitation: InvitationSecret,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)

    def collected_while_it_is_asked(*_: object) -> bool:
        acknowledge_all(store, deposits)
        return True

    monkeypatch.setattr(deposits.relay, "has_lost", collected_while_it_is_asked)
    assert deposits.find(COMMUNITY, one.envelope, NOW).state == "collected"


def test_an_envelope_waits_until_its_community_acknowledges_it(
    deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    assert deposits.deposit(COMMUNITY, one).state == "waiting"
    assert deposits.find(COMMUNITY, one.envelope, NOW).state == "waiting"
    assert store.waiting(COMMUNITY) == 1
    acknowledge_all(store, deposits)
    assert deposits.find(COMMUNITY, one.envelope, NOW).state == "collected"
    assert store.waiting(COMMUNITY) == 0


def test_the_same_envelope_twice_is_one(
    deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    assert deposits.deposit(COMMUNITY, one) == deposits.deposit(COMMUNITY, one)
    assert store.waiting(COMMUNITY) == 1
    acknowledge_all(store, deposits)
    assert deposits.deposit(COMMUNITY, one).state == "collected"
    assert store.waiting(COMMUNITY) == 0


def test_the_same_envelope_from_many_at_once_is_one(
    deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    states: list[str] = []

    def send() -> None:
        states.append(deposits.deposit(COMMUNITY, one).state)

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert states == ["waiting"] * 6
    assert store.waiting(COMMUNITY) == 1


def test_other_bytes_under_the_same_id_are_a_conflict(
    deposits: Deposits, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    other = msgspec.structs.replace(one, sealed=one.sealed[::-1])
    assert refusal(deposits, COMMUNITY, other) == "envelope-conflict"


def test_an_envelope_does_not_change_its_invitation(
    deposits: Deposits, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    other = msgspec.structs.replace(one, invitation="0" * 32)
    assert refusal(deposits, COMMUNITY, other) == "invitation-wrong"


def test_only_an_open_invitation_of_this_community_lets_one_in(
    database: Database, deposits: Deposits, invitation: InvitationSecret
) -> None:
    stranger = sealed_envelope(CommunityKeys().invitation(), NOW)
    assert refusal(deposits, COMMUNITY, stranger) == "invitation-unknown"
    assert refusal(deposits, "other-court-0000", stranger) == "community-unknown"
    one = sealed_envelope(invitation, NOW)
    with database.write.begin() as session:
        session.execute(text("UPDATE invitations SET expires_at = 5"))
    assert refusal(deposits, COMMUNITY, one) == "invitation-expired"
    with database.write.begin() as session:
        close_invitations(session, COMMUNITY, InvitationsWithdrawn((invitation.id,)), NOW)
    assert refusal(deposits, COMMUNITY, one) == "invitation-used"
    with pytest.raises(FormRefused, match="invitation-used"):
        deposits.admit(COMMUNITY, invitation.id, one.envelope, NOW)


def test_an_envelope_that_used_up_its_invitation_may_still_be_repeated(
    database: Database, deposits: Deposits, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    with database.write.begin() as session:
        close_invitations(session, COMMUNITY, InvitationsWithdrawn((invitation.id,)), NOW)
    deposits.admit(COMMUNITY, invitation.id, one.envelope, NOW)
    assert deposits.deposit(COMMUNITY, one).state == "waiting"


@pytest.mark.parametrize("why", ["used", "withdrawn"])
def test_a_closed_invitation_says_why_and_does_not_come_back(
    database: Database, deposits: Deposits, invitation: InvitationSecret, why: Closing
) -> None:
    other: Closing = "used" if why == "withdrawn" else "withdrawn"
    with database.write.begin() as session:
        for word in (why, other):
            closed = InvitationsWithdrawn((invitation.id,), word)
            close_invitations(session, COMMUNITY, closed, NOW)
        publish_invitations(session, COMMUNITY, [published(invitation)] * 2)
    assert refusal(deposits, COMMUNITY, sealed_envelope(invitation, NOW)) == f"invitation-{why}"


@pytest.mark.parametrize(("kind", "most"), [("home", 300), ("poster", 40)])
def test_a_page_and_a_poster_have_shares_of_their_own_and_are_not_used_up(
    database: Database, deposits: Deposits, invitation: InvitationSecret, kind: LinkKind, most: int
) -> None:
    with database.write.begin() as session:
        publish_invitations(session, COMMUNITY, [published(invitation, kind)])
    for _ in range(most):
        deposits.deposit(COMMUNITY, sealed_envelope(invitation, NOW))
    one_more = sealed_envelope(invitation, NOW)
    assert refusal(deposits, COMMUNITY, one_more) == "invitation-exhausted"
    later = NOW + (24 * 3600 if kind == "home" else 3600)
    assert deposits.deposit(COMMUNITY, sealed_envelope(invitation, later)).state == "waiting"


@pytest.mark.parametrize("kind", ["home", "poster"])
def test_what_comes_by_a_page_or_a_poster_is_text_alone(
    database: Database, deposits: Deposits, invitation: InvitationSecret, kind: LinkKind
) -> None:
    with database.write.begin() as session:
        publish_invitations(session, COMMUNITY, [published(invitation, kind)])
    photos = bytes(PADDED_SIZES[2] + SEAL_OVERHEAD)
    large = msgspec.structs.replace(sealed_envelope(invitation, NOW), sealed=photos)
    assert refusal(deposits, COMMUNITY, large) == "body-too-large"


def test_an_invitation_lets_ten_envelopes_in_a_day(
    deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    for _ in range(10):
        deposits.deposit(COMMUNITY, sealed_envelope(invitation, NOW))
    acknowledge_all(store, deposits)  # fetched or not, they count
    eleventh = sealed_envelope(invitation, NOW)
    assert refusal(deposits, COMMUNITY, eleventh) == "invitation-exhausted"
    tomorrow = msgspec.structs.replace(eleventh, received_at=NOW + DAY + 60)
    assert deposits.deposit(COMMUNITY, tomorrow).state == "waiting"


def test_a_community_that_fetches_nothing_fills_up(
    deposits: Deposits, invitation: InvitationSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = sealed_envelope(invitation, NOW)
    monkeypatch.setattr(deposits.relay, "room", 2 * len(one.sealed))
    deposits.deposit(COMMUNITY, one)
    deposits.deposit(COMMUNITY, sealed_envelope(invitation, NOW))
    assert refusal(deposits, COMMUNITY, sealed_envelope(invitation, NOW)) == "community-full"


def test_a_body_lost_with_the_relay_is_asked_for_again(
    database: Database, deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    with database.write.begin() as session:
        session.execute(text("DELETE FROM link_outbox"))
    with pytest.raises(FormRefused, match="envelope-unknown"):
        deposits.find(COMMUNITY, one.envelope, NOW)
    assert deposits.deposit(COMMUNITY, one).state == "waiting"
    assert deposits.find(COMMUNITY, one.envelope, NOW).state == "waiting"
    assert store.waiting(COMMUNITY) == 1


def test_replies_are_handed_out_in_order_and_replaced_when_repeated(
    database: Database, deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    acknowledge_all(store, deposits)
    for number in (2, 1, 2):
        with database.write.begin() as session:
            assert store_reply(session, COMMUNITY, reply(one.envelope, number), NOW)
    found = deposits.find(COMMUNITY, one.envelope, NOW)
    assert [number for number, _ in found.replies] == [1, 2]
    assert found.replies[1][1] == reply(one.envelope, 2).sealed


def test_a_reply_to_nothing_is_not_kept(database: Database, invitation: InvitationSecret) -> None:
    del invitation
    with database.write.begin() as session:
        assert not store_reply(session, COMMUNITY, reply("0" * 32), NOW)


def test_after_a_day_an_envelope_that_nobody_fetched_is_gone(
    database: Database, deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    sweep(database, deposits.relay, NOW + DAY - 60)
    assert deposits.find(COMMUNITY, one.envelope, NOW).state == "waiting"
    with pytest.raises(FormRefused, match="envelope-unknown"):
        deposits.find(COMMUNITY, one.envelope, NOW + DAY + 60)
    sweep(database, deposits.relay, NOW + DAY + 60)
    with pytest.raises(FormRefused, match="envelope-unknown"):
        deposits.find(COMMUNITY, one.envelope, NOW)
    assert store.waiting(COMMUNITY) == 0


def test_replies_live_for_a_week(
    database: Database, deposits: Deposits, store: LinkStore, invitation: InvitationSecret
) -> None:
    one = sealed_envelope(invitation, NOW)
    deposits.deposit(COMMUNITY, one)
    acknowledge_all(store, deposits)
    with database.write.begin() as session:
        store_reply(session, COMMUNITY, reply(one.envelope), NOW)
    sweep(database, deposits.relay, NOW + WEEK - 60)
    assert len(deposits.find(COMMUNITY, one.envelope, NOW).replies) == 1
    sweep(database, deposits.relay, NOW + WEEK)
    with database.read() as session:
        assert session.execute(text("SELECT count(*) FROM sealed_replies")).scalar() == 0
        assert session.execute(text("SELECT count(*) FROM envelopes")).scalar() == 0
