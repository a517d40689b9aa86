from dataclasses import dataclass

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.strategies import FUZZ, damaged
from tier_link.errors import PairingRefused
from tier_link.events import NodeIdentity
from tier_link.pairing import (
    MAX_PAIRING_MESSAGE,
    Paired,
    PairingAcceptor,
    PairingConfiguration,
    PairingDialer,
    derive_locator,
    derive_pairing_key,
    new_code,
)

CONFIGURATION = PairingConfiguration("sunny-court-4f2a", "d00f", "sunny-court-4f2a", "PEM")
SERVER_KEY = Ed25519PrivateKey.generate()
DOOR_KEY = Ed25519PrivateKey.generate()


def raw(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes_raw()


@dataclass
class Exchange:
    """One pairing whose messages a test can put its hands on."""

    dialed: str
    issued: str

    def __post_init__(self) -> None:
        self.dialer = PairingDialer(
            self.dialed, role="door", public_key=DOOR_KEY.public_key(), name="North gate"
        )
        self.acceptor = PairingAcceptor(NodeIdentity("sunny-court-4f2a", SERVER_KEY))

    def answer(self, start: bytes) -> bytes:
        self.acceptor.read_start(start)
        return self.acceptor.answer(derive_pairing_key(self.issued), CONFIGURATION)


def refusal_code(error: pytest.ExceptionInfo[PairingRefused]) -> str:
    return error.value.code


def test_both_sides_learn_each_others_keys() -> None:
    code = new_code()
    exchange = Exchange(code, code)
    start = exchange.acceptor.read_start(exchange.dialer.start())
    assert (start.public_key, start.role, start.name) == (raw(DOOR_KEY), "door", "North gate")
    assert start.locator == derive_locator(code)
    confirm = exchange.dialer.confirm(exchange.answer(exchange.dialer.start()))
    exchange.acceptor.read_confirm(confirm)
    paired = exchange.dialer.finish(exchange.acceptor.done())
    assert paired == Paired(CONFIGURATION, raw(SERVER_KEY))


def test_a_code_is_80_bits_in_sixteen_unmistakable_characters() -> None:
    codes = {new_code() for _ in range(50)}
    assert len(codes) == 50
    for code in codes:
        assert [len(group) for group in code.split("-")] == [4, 4, 4, 4]
        assert not set(code) & set("OILU")


@FUZZ
@given(st.data())
def test_a_code_is_taken_as_people_type_it(data: st.DataObject) -> None:
    code = new_code()
    typed = code.replace("0", data.draw(st.sampled_from(["0", "O", "o"])))
    typed = typed.replace("1", data.draw(st.sampled_from(["1", "I", "l"])))
    typed = typed.replace("-", data.draw(st.sampled_from(["-", "", " ", " - "])))
    typed = data.draw(st.sampled_from([typed, typed.lower(), f" {typed} "]))
    assert derive_locator(typed) == derive_locator(code)
    assert derive_pairing_key(typed) == derive_pairing_key(code)


@pytest.mark.parametrize("code", ["", "ABCD", "X" * 17, "U" * 16, "*" * 16, "ÄBCD-EFGH-JKMN-PQRS"])
def test_what_is_no_code_is_refused_at_once(code: str) -> None:
    with pytest.raises(PairingRefused) as refused:
        Exchange(code, code)
    assert refusal_code(refused) == "pairing-code-malformed"


def test_a_server_that_does_not_know_the_code_is_refused() -> None:
    exchange = Exchange(new_code(), new_code())
    answer = exchange.answer(exchange.dialer.start())
    with pytest.raises(PairingRefused) as refused:
        exchange.dialer.confirm(answer)
    assert refusal_code(refused) == "pairing-proof-wrong"


def test_a_door_that_does_not_know_the_code_is_refused() -> None:
    code, guess = new_code(), new_code()
    exchange = Exchange(code, code)
    guesser = Exchange(guess, guess)
    exchange.answer(guesser.dialer.start())  # as if the guess had hit the locator
    confirm = guesser.dialer.confirm(guesser.answer(guesser.dialer.start()))
    with pytest.raises(PairingRefused) as refused:
        exchange.acceptor.read_confirm(confirm)
    assert refusal_code(refused) == "pairing-proof-wrong"


def test_a_key_swapped_on_the_way_is_detected_in_both_directions() -> None:
    code = new_code()
    attacker = Ed25519PrivateKey.generate()

    exchange = Exchange(code, code)
    swapped = exchange.dialer.start().replace(raw(DOOR_KEY), raw(attacker))
    with pytest.raises(PairingRefused) as refused:
        exchange.dialer.confirm(exchange.answer(swapped))
    assert refusal_code(refused) == "pairing-proof-wrong"

    exchange = Exchange(code, code)
    answer = exchange.answer(exchange.dialer.start())
    with pytest.raises(PairingRefused) as refused:
        exchange.dialer.confirm(answer.replace(raw(SERVER_KEY), raw(attacker)))
    assert refusal_code(refused) == "pairing-proof-wrong"


@FUZZ
@given(st.data())
def test_nothing_altered_on_the_way_goes_unnoticed(data: st.DataObject) -> None:
    code = new_code()
    exchange = Exchange(code, code)
    where = data.draw(st.integers(0, 2))

    def carry(turn: int, message: bytes) -> bytes:
        if turn != where:
            return message
        return data.draw(damaged(message).filter(lambda one: one != message))

    def whole_exchange() -> None:
        answer = exchange.answer(carry(0, exchange.dialer.start()))
        confirm = exchange.dialer.confirm(carry(1, answer))
        exchange.acceptor.read_confirm(carry(2, confirm))

    with pytest.raises(PairingRefused):
        whole_exchange()


def test_an_exchange_recorded_earlier_proves_nothing_later() -> None:
    code = new_code()
    earlier = Exchange(code, code)
    answer = earlier.answer(earlier.dialer.start())
    confirm = earlier.dialer.confirm(answer)
    later = Exchange(code, code)
    with pytest.raises(PairingRefused):
        later.dialer.confirm(answer)
    later.answer(earlier.dialer.start())
    with pytest.raises(PairingRefused):
        later.acceptor.read_confirm(confirm)


def test_messages_out_of_order_are_refused() -> None:
    code = new_code()
    exchange = Exchange(code, code)
    with pytest.raises(PairingRefused) as refused:
        exchange.dialer.finish(exchange.acceptor.done())
    assert refusal_code(refused) == "pairing-out-of-order"
    confirm = exchange.dialer.confirm(exchange.answer(exchange.dialer.start()))
    fresh = PairingAcceptor(NodeIdentity("sunny-court-4f2a", SERVER_KEY))
    with pytest.raises(PairingRefused) as refused:
        fresh.read_confirm(confirm)
    assert refusal_code(refused) == "pairing-out-of-order"


@FUZZ
@given(st.binary(max_size=100))
def test_foreign_bytes_are_refused_with_our_error(data: bytes) -> None:
    code = new_code()
    exchange = Exchange(code, code)
    for take in (
        exchange.acceptor.read_start,
        exchange.dialer.confirm,
        exchange.acceptor.read_confirm,
        exchange.dialer.finish,
    ):
        with pytest.raises(PairingRefused):
            take(data)


def test_a_message_of_endless_length_is_refused() -> None:
    exchange = Exchange(new_code(), new_code())
    with pytest.raises(PairingRefused, match="long"):
        exchange.acceptor.read_start(b"\0" * (MAX_PAIRING_MESSAGE + 1))
