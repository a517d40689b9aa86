import ssl

import pytest
from websockets.datastructures import Headers
from websockets.exceptions import InvalidHandshake, InvalidStatus
from websockets.http11 import Response

from tier_link.channel.dialer import (
    FIRST_DELAY_S,
    LONGEST_DELAY_S,
    REFUSED_DELAY_S,
    Failure,
    classify,
    delay,
)
from tier_link.errors import PeerRefused, SocketClosed, UnsafeAddress

AWAY = Failure("unreachable", refused=False)
REFUSED = Failure("unknown-peer", refused=True)


@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ConnectionRefusedError(), AWAY),
        (TimeoutError(), AWAY),
        (ssl.SSLEOFError(), AWAY),
        (ssl.SSLCertVerificationError(), Failure("tls-refused", refused=True)),
        (
            InvalidStatus(Response(502, "Bad Gateway", Headers())),
            Failure("http-502", refused=False),
        ),
        (InvalidHandshake(), Failure("not-a-link", refused=False)),
        (SocketClosed(), Failure("closed", refused=False)),
        (SocketClosed(1012, "restart"), Failure("closed", refused=False)),
        (SocketClosed(4403, "unknown-peer"), REFUSED),
        (SocketClosed(4409, ""), Failure("closed-4409", refused=True)),
        (SocketClosed(4408, "slow"), Failure("slow", refused=False)),
        (
            PeerRefused("no", code="stale-epoch", close_code=4409),
            Failure("stale-epoch", refused=True),
        ),
        (UnsafeAddress("no"), Failure("unsafe-address", refused=True)),
        (ZeroDivisionError(), Failure("internal-error", refused=True)),
    ],
)
def test_what_waiting_may_mend_is_told_from_what_takes_a_person(
    error: Exception, failure: Failure
) -> None:
    assert classify(error) == failure


def test_delays_grow_to_a_cap_and_a_refusal_waits_longest() -> None:
    delays = [delay(attempt, AWAY, chance=0) for attempt in range(12)]
    assert delays[0] == FIRST_DELAY_S
    assert delays == sorted(delays)
    assert delays[-1] == delay(10_000, AWAY, chance=0) == LONGEST_DELAY_S
    assert delay(0, REFUSED, chance=0) == REFUSED_DELAY_S > LONGEST_DELAY_S


def test_chance_spreads_a_thousand_doors() -> None:
    assert delay(3, AWAY, chance=1) == delay(3, AWAY, chance=0) / 2
