"""What two servers write to each other is believed only with the community's own signature."""

import secrets
import time

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from community_server.errors import LetterRefused
from community_server.standby.letters import (
    EpochStated,
    KeyRing,
    KeysWanted,
    Signed,
    answer_keys,
    ask_epoch,
    read,
    read_keys,
    read_question,
    sign,
)
from tests.tier_link.strategies import FUZZ, damaged
from tier_link.sealing import new_sealing_key, sealing_public_bytes

ROOT, STRANGER = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
PUBLIC = ROOT.public_key()
FIRST, SECOND = "https://gate-a.example:8443", "https://gate-b.example:8443"
PRIVATE = new_sealing_key()
RING = KeyRing("e" * 32, {3: b"k" * 32, 4: b"l" * 32}, (5, b"m" * 32))


def wanted(*, at: int | None = None, admit: bool = False, node: str = "a" * 32) -> KeysWanted:
    return KeysWanted(
        node=node,
        admit=admit,
        at=int(time.time() * 1000) if at is None else at,
        serving_address=FIRST,
        address=SECOND,
        public=sealing_public_bytes(PRIVATE),
        holds=(3, 4),
        behind_s=2,
    )


LETTER = wanted(at=1_800_000_000_000)
ASKED = sign(LETTER, ROOT)
ANSWER = answer_keys(ASKED, LETTER, RING, ROOT)


def test_a_standby_gets_the_keys_that_it_asked_for() -> None:
    assert read(KeysWanted, ASKED, PUBLIC) == LETTER
    assert read_keys(ANSWER, ASKED, LETTER, PRIVATE, PUBLIC) == RING


def test_keys_are_sealed_to_the_one_who_asked() -> None:
    assert all(key not in ANSWER for key in (b"k" * 32, b"l" * 32, b"m" * 32))
    assert "kkkk" not in repr(RING)
    with pytest.raises(LetterRefused):
        read_keys(ANSWER, ASKED, LETTER, new_sealing_key(), PUBLIC)


def test_whoever_has_not_the_root_gets_none_and_gives_none() -> None:
    with pytest.raises(LetterRefused, match="not of this community"):
        read(KeysWanted, sign(LETTER, STRANGER), PUBLIC)
    false = answer_keys(ASKED, LETTER, RING, STRANGER)
    with pytest.raises(LetterRefused, match="not of this community"):
        read_keys(false, ASKED, LETTER, PRIVATE, PUBLIC)


def test_an_answer_to_an_earlier_letter_is_refused() -> None:
    later = msgspec.structs.replace(LETTER, at=LETTER.at + 1)
    with pytest.raises(LetterRefused):
        read_keys(ANSWER, sign(later, ROOT), later, PRIVATE, PUBLIC)


def test_a_signature_for_one_kind_of_letter_says_nothing_as_another() -> None:
    stated = sign(EpochStated(secrets.token_bytes(32), 7, serving=True), ROOT)
    with pytest.raises(LetterRefused):
        read(KeysWanted, stated, PUBLIC)
    with pytest.raises(LetterRefused):
        read(EpochStated, ASKED, PUBLIC)


def test_anybody_may_ask_for_the_epoch() -> None:
    assert read_question(ask_epoch(b"n" * 32)).nonce == b"n" * 32
    stated = EpochStated(b"n" * 32, 1_795_000_000_000, serving=False)
    assert read(EpochStated, sign(stated, ROOT), PUBLIC) == stated


@given(st.binary(max_size=300))
@FUZZ
def test_noise_is_refused(noise: bytes) -> None:
    for refuse in (
        lambda: read(KeysWanted, noise, PUBLIC),
        lambda: read_question(noise),
        lambda: read_keys(noise, ASKED, LETTER, PRIVATE, PUBLIC),
    ):
        with pytest.raises(LetterRefused):
            refuse()


@given(st.data())
@FUZZ
def test_a_damaged_letter_is_refused(data: st.DataObject) -> None:
    letter = data.draw(damaged(ANSWER))
    if letter != ANSWER:
        with pytest.raises(LetterRefused):
            read_keys(letter, ASKED, LETTER, PRIVATE, PUBLIC)


@pytest.mark.parametrize(
    "body",
    [
        msgspec.msgpack.encode([]),
        msgspec.msgpack.encode(["A" * 32, False, 1, FIRST, SECOND, b"p" * 65, [], 0]),
        msgspec.msgpack.encode(["a" * 32, False, 1, "http://x", SECOND, b"p" * 65, [], 0]),
        msgspec.msgpack.encode(["a" * 32, False, -1, FIRST, SECOND, b"p" * 65, [], 0]),
        msgspec.msgpack.encode(["a" * 32, False, 1, FIRST, SECOND, b"p" * 65, [0] * 65, 0]),
    ],
)
def test_what_is_signed_and_makes_no_sense_is_refused(body: bytes) -> None:
    label = b"gatehouse/standby-wants-keys/1\0"
    letter = msgspec.msgpack.encode(Signed(body, ROOT.sign(label + body)))
    with pytest.raises(LetterRefused, match="not a letter"):
        read(KeysWanted, letter, PUBLIC)
