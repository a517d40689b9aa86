from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from msgspec.structs import replace as changed

from tests.tier_link.pairs import DOOR, FRESH, SERVER, Pair
from tier_link.errors import PeerRefused
from tier_link.events import Connected, Greeted, Marks, NodeIdentity
from tier_link.messages import Hello, Latest, decode_frame, encode_frame
from tier_link.protocol import LinkCore


def hello_of(frame: bytes | None) -> Hello:
    assert frame is not None
    hello = decode_frame(frame)
    assert isinstance(hello, Hello)
    return hello


def refused(pair: Pair) -> PeerRefused:
    with pytest.raises(PeerRefused) as refusal:
        pair.shake_hands()
    return refusal.value


def test_both_sides_prove_their_keys_in_three_frames() -> None:
    pair = Pair()
    at_door, at_server = pair.shake_hands()
    assert at_door == Connected(SERVER.node, 100, 0)
    assert at_server == Connected(DOOR.node, 100, 0)
    assert pair.door.connected
    assert pair.server.connected
    assert pair.door.next_frame(0) is None
    assert pair.server.next_frame(0) is None


def test_each_resumes_behind_what_the_other_has_seen_of_its_epoch() -> None:
    pair = Pair(
        door_marks=Marks(100, 40, seen_epoch=200, seen_sequence=7),
        server_marks=Marks(200, 9, seen_epoch=100, seen_sequence=31),
    )
    at_door, at_server = pair.shake_hands()
    assert at_door.resume_after == 31
    assert at_server.resume_after == 7


def test_a_restored_receiver_gets_kept_records_again() -> None:
    restored = Marks(epoch=300, next_sequence=9, seen_epoch=100, seen_sequence=12)
    door = Marks(100, 40, seen_epoch=200, seen_sequence=7)
    at_door, at_server = Pair(door_marks=door, server_marks=restored).shake_hands()
    assert at_door.resume_after == 12  # the server says how far back it fell
    assert at_server.resume_after == 0  # the door knows nothing of the new epoch


def test_a_new_epoch_of_the_sender_begins_at_its_first_kept_record() -> None:
    renewed = Marks(epoch=101, next_sequence=40, seen_epoch=200, seen_sequence=7)
    server = Marks(200, 9, seen_epoch=100, seen_sequence=31)
    at_door, _ = Pair(door_marks=renewed, server_marks=server).shake_hands()
    assert at_door.resume_after == 0


@pytest.mark.parametrize(
    ("door", "server", "code"),
    [
        # the server is an old primary that comes back after another was promoted
        (Marks(100, 1, 200, 5), Marks(199, 9, 0, 0), "lower-epoch"),
        # the door's disk was put back without a new epoch
        (Marks(99, 1, 0, 0), Marks(200, 9, 100, 5), "stale-epoch"),
        # the door's records were lost, but its epoch was not renewed
        (Marks(100, 5, 0, 0), Marks(200, 9, 100, 5), "lost-history"),
    ],
)
def test_an_epoch_or_log_that_went_back_is_refused(door: Marks, server: Marks, code: str) -> None:
    assert refused(Pair(door_marks=door, server_marks=server)).code == code


def test_an_old_primary_is_shown_by_proof_that_another_took_over() -> None:
    pair = Pair(door_marks=Marks(100, 1, 200, 5), server_marks=Marks(199, 9, 0, 0))
    assert refused(pair).code == "lower-epoch"
    with pytest.raises(PeerRefused) as shown:
        pair.step(pair.door, pair.server)
    assert (shown.value.code, shown.value.close_code) == ("stale-epoch", 4409)
    assert pair.door.next_frame(0) is None


def test_whoever_cannot_prove_a_key_shows_an_old_primary_nothing() -> None:
    stranger = NodeIdentity(DOOR.node, Ed25519PrivateKey.generate())
    old, met = Marks(199, 9, 0, 0), Marks(100, 1, 200, 5)
    pair = Pair(door_marks=met, server_marks=old, door_identity=stranger)
    assert refused(pair).code == "lower-epoch"
    with pytest.raises(PeerRefused) as shown:
        pair.step(pair.door, pair.server)
    assert shown.value.code == "bad-proof"


@pytest.mark.parametrize("code", ["stale-epoch", "lost-history"])
def test_after_any_other_refusal_nothing_more_is_said(code: str) -> None:
    marks = {"stale-epoch": Marks(99, 1, 0, 0), "lost-history": Marks(100, 5, 0, 0)}[code]
    pair = Pair(door_marks=marks, server_marks=Marks(200, 9, 100, 5))
    assert refused(pair).code == code
    assert pair.door.next_frame(0) is None


def test_the_acceptor_refuses_a_lower_epoch_too() -> None:
    # A door that does not look at epochs would pass its own check; the server's holds.
    pair = Pair(door_marks=Marks(99, 1, 0, 0), server_marks=Marks(200, 9, 0, 0))
    pair.server_marks = replace(pair.server_marks, seen_epoch=100)
    pair.step(pair.door, pair.server)
    pair.server.welcome(DOOR.private_key.public_key(), replace(pair.server_marks, seen_epoch=0))
    pair.step(pair.server, pair.door)
    pair.server._handshake._marks = pair.server_marks
    with pytest.raises(PeerRefused) as refusal:
        pair.step(pair.door, pair.server)
    assert (refusal.value.code, refusal.value.close_code) == ("lower-epoch", 4409)


def test_an_unknown_or_revoked_door_is_refused() -> None:
    refusal = refused(Pair(knows_door=False))
    assert (refusal.code, refusal.close_code) == ("unknown-peer", 4403)


def test_another_key_under_a_known_name_is_refused() -> None:
    stranger = Ed25519PrivateKey.generate()
    for pair in (
        Pair(door_identity=NodeIdentity(DOOR.node, stranger)),
        Pair(server_identity=NodeIdentity(SERVER.node, stranger)),
    ):
        refusal = refused(pair)
        assert (refusal.code, refusal.close_code) == ("bad-proof", 4401)


def test_a_known_key_under_another_name_is_refused() -> None:
    pair = Pair(server_identity=NodeIdentity("other-court-0000", SERVER.private_key))
    assert refused(pair).code == "bad-proof"


def test_a_replayed_hello_is_refused() -> None:
    recorded = Pair()
    first, _ = recorded.step(recorded.door, recorded.server)
    recorded.welcome()
    server_hello, _ = recorded.step(recorded.server, recorded.door)
    proof, _ = recorded.step(recorded.door, recorded.server)
    assert first is not None
    assert proof is not None
    assert server_hello is not None

    again = LinkCore("acceptor", SERVER, b"t" * 32)  # a new connection draws a new nonce
    assert again.receive(first, 0) == Greeted(DOOR.node)
    again.welcome(DOOR.private_key.public_key(), FRESH)
    with pytest.raises(PeerRefused, match="proof"):
        again.receive(proof, 0)

    door = LinkCore("dialer", DOOR, b"e" * 32)
    door.dial(SERVER.node, SERVER.private_key.public_key(), FRESH)
    with pytest.raises(PeerRefused, match="proof"):
        door.receive(server_hello, 0)


def test_a_hello_reflected_to_its_sender_is_refused() -> None:
    pair = Pair()
    first = pair.door.next_frame(0)
    assert first is not None
    with pytest.raises(PeerRefused):
        pair.door.receive(first, 0)


@pytest.mark.parametrize(
    "change", [{"epoch": 7}, {"seen_sequence": 7}, {"seen_epoch": 7}, {"nonce": b"x" * 32}]
)
def test_whoever_sits_between_can_change_nothing_in_a_hello(change: dict[str, object]) -> None:
    for altered in range(3):
        pair = Pair()
        refusals = 0
        for turn in range(3):
            sender, receiver = (pair.server, pair.door) if turn == 1 else (pair.door, pair.server)
            hello = hello_of(sender.next_frame(0))
            if turn == altered:
                hello = changed(hello, **change)
            try:
                receiver.receive(encode_frame(hello), 0)
            except PeerRefused:
                refusals += 1
                break
            if turn == 0:
                pair.welcome()
        assert refusals == 1


def test_another_version_is_refused_by_name() -> None:
    pair = Pair()
    hello = hello_of(pair.door.next_frame(0))
    with pytest.raises(PeerRefused) as refusal:
        pair.server.receive(encode_frame(changed(hello, version=2)), 0)
    assert (refusal.value.code, refusal.value.close_code) == ("other-version", 4406)


def test_nothing_but_hellos_is_taken_before_both_are_proven() -> None:
    pair = Pair()
    with pytest.raises(PeerRefused):
        pair.server.receive(encode_frame(Latest("presence", b"")), 0)
    pair = Pair()
    pair.step(pair.door, pair.server)
    pair.welcome()
    with pytest.raises(PeerRefused):
        pair.server.receive(encode_frame(Latest("presence", b"")), 0)


def test_a_first_hello_with_a_proof_and_a_late_hello_are_refused() -> None:
    pair = Pair()
    hello = hello_of(pair.door.next_frame(0))
    with pytest.raises(PeerRefused):
        pair.server.receive(encode_frame(changed(hello, proof=b"p" * 64)), 0)
    pair = Pair()
    pair.shake_hands()
    for core in (pair.door, pair.server):
        with pytest.raises(PeerRefused):
            core.receive(encode_frame(hello), 0)


def test_nobody_is_welcomed_who_did_not_greet() -> None:
    with pytest.raises(RuntimeError):
        LinkCore("acceptor", SERVER, b"s" * 32).welcome(None, FRESH)


def test_a_private_key_stays_out_of_logs() -> None:
    assert "Ed25519" not in repr(DOOR)
