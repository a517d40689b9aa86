"""Messages of pairing, on both sides: `tier_link.pairing`. The first byte says which is awaited."""

from collections.abc import Sequence

from tests.fuzz.gate import Gate
from tests.tier_link.pairs import DOOR_KEY, SERVER
from tier_link.errors import PairingRefused
from tier_link.pairing import (
    PairingAcceptor,
    PairingConfiguration,
    PairingDialer,
    derive_pairing_key,
)

CODE = "7K3M-9QRT-0WXY-2BCD"


def dialer() -> PairingDialer:
    return PairingDialer(CODE, role="door", public_key=DOOR_KEY.public_key(), name="Gate")


def answered() -> tuple[PairingDialer, PairingAcceptor, bytes]:
    lower, upper = dialer(), PairingAcceptor(SERVER)
    upper.read_start(lower.start())
    configuration = PairingConfiguration(community="court", node="d00f", peer="5e")
    return lower, upper, upper.answer(derive_pairing_key(CODE), configuration)


def one(data: bytes) -> None:
    body = data[1:]
    match data[:1]:
        case b"c":
            answered()[1].read_confirm(body)
        case b"a":
            dialer().confirm(body)
        case b"f":
            lower, _, answer = answered()
            lower.confirm(answer)
            lower.finish(body)
        case b"t":
            PairingDialer(
                body.decode("utf-8", "replace"),
                role="door",
                public_key=DOOR_KEY.public_key(),
                name="Gate",
            )
        case _:
            PairingAcceptor(SERVER).read_start(body)


def seeds() -> Sequence[bytes]:
    _, upper, _ = answered()
    return [b"s" + dialer().start(), b"f" + upper.done(), b"t" + CODE.encode()]


GATE = Gate(one, seeds, (PairingRefused,))
