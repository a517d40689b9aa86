import asyncio
from collections.abc import AsyncIterator

import pytest

from tier_kit.forms import limits
from tier_kit.forms.errors import Busy, TooLarge, TooMany, TooSlow
from tier_kit.forms.limits import BodyBudget, RateLimit, paced


def test_an_address_may_ask_its_share_and_no_more() -> None:
    rate = RateLimit(per_minute=3)
    for _ in range(3):
        rate.spend("192.0.2.1", 100.0)
    with pytest.raises(TooMany) as refused:
        rate.spend("192.0.2.1", 100.0)
    assert (refused.value.code, refused.value.retry_after) == ("rate-limited", 20)


def test_tokens_come_back_with_time() -> None:
    rate = RateLimit(per_minute=60)
    for _ in range(60):
        rate.spend("192.0.2.1", 100.0)
    rate.spend("192.0.2.1", 101.0)
    with pytest.raises(TooMany):
        rate.spend("192.0.2.1", 101.0)


def test_one_address_does_not_spend_anothers_share() -> None:
    rate = RateLimit(per_minute=1)
    rate.spend("192.0.2.1", 0.0)
    rate.spend("192.0.2.2", 0.0)


def test_a_customers_ipv6_addresses_count_as_one() -> None:
    rate = RateLimit(per_minute=1)
    rate.spend("2001:db8:1:2::1", 0.0)
    with pytest.raises(TooMany):
        rate.spend("2001:db8:1:2:ffff::9", 0.0)
    rate.spend("2001:db8:1:3::1", 0.0)


def test_a_mapped_ipv4_address_is_that_ipv4_address() -> None:
    rate = RateLimit(per_minute=1)
    rate.spend("::ffff:192.0.2.1", 0.0)
    rate.spend("::ffff:192.0.2.2", 0.0)
    with pytest.raises(TooMany):
        rate.spend("192.0.2.1", 0.0)


def test_addresses_are_forgotten_after_a_minute() -> None:
    rate = RateLimit(per_minute=5)
    for last in range(100):
        rate.spend(f"192.0.2.{last}", 0.0)
    rate.spend("198.51.100.1", 60.0)
    assert len(rate) == 1


def test_no_address_is_kept_as_such() -> None:
    rate = RateLimit(per_minute=5)
    rate.spend("192.0.2.77", 0.0)
    assert "192.0.2.77" not in repr(rate)


def test_a_flood_of_addresses_does_not_grow_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_TRACKED_ADDRESSES", 10)
    rate = RateLimit(per_minute=5)
    for last in range(200):
        rate.spend(f"192.0.2.{last}", 0.0)
    assert len(rate) == 10


def test_bodies_share_a_budget() -> None:
    budget = BodyBudget(limit=100)
    with budget.hold(60):
        with pytest.raises(Busy), budget.hold(50):
            pytest.fail("no room")
        with budget.hold(40):
            assert budget.in_flight == 100
    assert budget.in_flight == 0


def test_a_body_that_breaks_off_gives_its_budget_back() -> None:
    budget = BodyBudget(limit=100)
    with pytest.raises(ZeroDivisionError), budget.hold(60):
        raise ZeroDivisionError
    assert budget.in_flight == 0


async def _chunks(*sizes: int) -> AsyncIterator[bytes]:
    for size in sizes:
        yield b"x" * size


async def _silent() -> AsyncIterator[bytes]:
    yield b"x"
    await asyncio.Event().wait()


async def _taken(chunks: AsyncIterator[bytes]) -> int:
    return sum([len(chunk) async for chunk in chunks])


def test_a_body_up_to_its_limit_passes() -> None:
    assert asyncio.run(_taken(paced(_chunks(4, 6), 10))) == 10


def test_a_byte_more_is_refused_without_reading_on() -> None:
    read: list[int] = []

    async def endless() -> AsyncIterator[bytes]:
        while True:
            read.append(4)
            yield b"xxxx"

    with pytest.raises(TooLarge):
        asyncio.run(_taken(paced(endless(), 10)))
    assert len(read) == 3


def test_a_body_that_falls_silent_is_given_up() -> None:
    with pytest.raises(TooSlow):
        asyncio.run(_taken(paced(_silent(), 10, silence=0.01)))


def test_a_body_that_trickles_is_given_up_in_the_end() -> None:
    async def trickle() -> AsyncIterator[bytes]:
        while True:
            await asyncio.sleep(0)
            yield b""

    with pytest.raises(TooSlow):
        asyncio.run(_taken(paced(trickle(), 10, seconds=0.02)))
