"""The newest picture is at hand for who asks, and gone when it is of now no more."""

import asyncio

import pytest

from door_terminal.live_view import FRESH_S, LEASE_S, MARK_S, LiveView, Mark
from door_terminal.vision.messages import Advice, FaceBox, Preview, Show
from tests.door_terminal.conftest import Time


@pytest.fixture
def orders() -> list[Show]:
    return []


@pytest.fixture
def live(time: Time, orders: list[Show]) -> LiveView:
    return LiveView(orders.append, lambda: time.now)


def picture(time: Time, jpeg: bytes = b"jpeg", *faces: FaceBox) -> Preview:
    return Preview(jpeg, int(time.now * 1e9), watching=True, faces=faces)


def face(track: int, advice: Advice) -> FaceBox:
    return FaceBox(0, 0, 0.5, 0.5, advice, track)


def test_vision_is_asked_once_a_second_at_most_and_only_while_somebody_wants(
    live: LiveView, orders: list[Show], time: Time
) -> None:
    for _ in range(30):
        live.want()
        time.now += 0.1
    assert orders == [Show(LEASE_S)] * 3
    live.want(resting=True)
    assert orders[-1] == Show(LEASE_S, resting=True)


def test_a_picture_is_let_go_of_once_it_is_of_now_no_more(live: LiveView, time: Time) -> None:
    assert live.newest() is None
    live.take(picture(time, b"one"))
    live.take(picture(time, b"two"))
    view = live.newest()
    assert view is not None
    assert view.preview.jpeg == b"two"
    time.now += FRESH_S + 0.1
    assert live.newest() is None
    live.tidy()
    assert live._view is None


def test_who_waits_gets_the_next_picture_and_whoever_waits_in_vain_nothing(
    live: LiveView, time: Time
) -> None:
    async def waits() -> None:
        assert await live.after(0, 0.01) is None
        live.take(picture(time, b"one"))
        first = await live.after(0, 1.0)
        assert first is not None
        two = [asyncio.create_task(live.after(first.number, 5.0)) for _ in range(2)]
        await asyncio.sleep(0)
        live.take(picture(time, b"two"))
        for seen in await asyncio.gather(*two):
            assert seen is not None
            assert seen.preview.jpeg == b"two"
        assert not live._waiting

    asyncio.run(waits())


def test_a_face_says_what_to_do_until_it_is_decided_and_then_what_was(
    live: LiveView, time: Time
) -> None:
    live.mark(1, Mark.GRANTED)
    live.mark(2, Mark.REFUSED)
    assert live.state(face(1, Advice.CLOSER)) == "closer"
    assert live.state(face(1, Advice.DONE)) == "granted"
    assert live.state(face(2, Advice.DONE)) == "refused"
    assert live.state(face(3, Advice.DONE)) == "done"
    time.now += MARK_S
    assert live.state(face(1, Advice.DONE)) == "done"


def test_a_crowd_leaves_no_endless_list_behind(live: LiveView) -> None:
    for track in range(1000):
        live.mark(track, Mark.REFUSED)
    assert live.state(face(999, Advice.DONE)) == "refused"
    assert live.state(face(0, Advice.DONE)) == "done"
