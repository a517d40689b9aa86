"""A dialer that knows several addresses of its peer moves between them by itself."""

import asyncio
from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec

import pytest
from sqlalchemy import text

from gatehouse.local_estate import free_port
from tests.tier_link.channel.nodes import Node, Server, running, until
from tier_link.channel import Dialer

pytestmark = pytest.mark.parametrize("server", ["sqlite"], indirect=True)
P = ParamSpec("P")


def bounded(scenario: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Run a scenario on a loop of its own, within a minute."""

    @wraps(scenario)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        asyncio.run(asyncio.wait_for(scenario(*args, **kwargs), 60))

    return run


def nobody() -> str:
    return f"ws://127.0.0.1:{free_port()}/link"


def link_is_up(server: Server, door: Node) -> bool:
    return door.identity.node in server.handler.links


@bounded
async def test_the_next_address_is_tried_at_once_when_one_does_not_answer(
    server: Server, door: Node
) -> None:
    async with server.listening() as url:
        dialer = server.dialer(door, nobody(), others=lambda: [nobody(), url])
        async with running(dialer):
            await until(lambda: link_is_up(server, door))


@bounded
async def test_what_answered_last_is_dialed_first(
    server: Server, door: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, dialed = nobody(), []
    once = Dialer._once

    async def noted(dialer: Dialer, url: str) -> None:
        dialed.append(url)
        await once(dialer, url)

    monkeypatch.setattr(Dialer, "_once", noted)
    async with (
        server.listening() as url,
        running(server.dialer(door, first, others=lambda: [url])),
    ):
        await until(lambda: link_is_up(server, door))
        link = server.handler.links[door.identity.node]
        link.close(1012, "restart")
        await until(lambda: server.handler.links.get(door.identity.node) not in {None, link})
    assert dialed == [first, url, url]


@bounded
async def test_an_address_learned_later_is_tried_in_the_next_round(
    server: Server, door: Node
) -> None:
    known: list[str] = []
    async with running(server.dialer(door, nobody(), others=lambda: known)) as dialer:
        await until(lambda: dialer.state.why == "unreachable")
        async with server.listening() as url:
            known.append(url)
            await until(lambda: link_is_up(server, door))


@bounded
async def test_an_old_server_that_refuses_does_not_slow_the_way_to_the_new_one(
    server: Server, door: Node
) -> None:
    """Of a round's failures the one that is mended soonest counts."""
    door.store.meet(server.identity.node, server.store.epoch + 1)
    fresh = nobody()
    async with (
        server.listening() as old,
        running(server.dialer(door, old, others=lambda: [fresh])) as dialer,
    ):
        await until(lambda: dialer.state.why == "unreachable")
        assert dialer.state.phase == "connecting"
        with server.engine.begin() as connection:  # what a promotion does
            connection.execute(text("UPDATE link_state SET epoch = epoch + 1"))
        await until(lambda: link_is_up(server, door))


@bounded
async def test_another_peer_at_an_address_is_passed_over(
    server: Server, door: Node, tmp_path: object
) -> None:
    impostor = Server(f"sqlite:///{tmp_path}/impostor.sqlite")
    impostor.paired[door.identity.node] = door.public_key
    async with (
        impostor.listening() as false,
        server.listening() as url,
        running(server.dialer(door, false, others=lambda: [url])),
    ):
        await until(lambda: link_is_up(server, door))
    assert impostor.handler.links == {}
    await asyncio.to_thread(impostor.engine.dispose)


@bounded
async def test_an_old_server_hears_from_the_door_that_it_is_one(server: Server, door: Node) -> None:
    door.store.meet(server.identity.node, server.store.epoch + 1)
    async with server.listening() as old, running(server.dialer(door, old)) as dialer:
        await until(lambda: dialer.state.phase == "refused")
        await until(lambda: server.handler.outdated_by == [door.identity.node])
    assert dialer.state.why == "lower-epoch"
    assert (door.handler.outdated_by, server.handler.links) == ([], {})


@bounded
async def test_a_server_hears_it_from_the_cloud_that_it_dials(server: Server, door: Node) -> None:
    """The other way round: whoever dials is the one that another took over from."""
    server.store.meet(door.identity.node, door.store.epoch + 1)
    async with server.listening() as url, running(server.dialer(door, url)) as dialer:
        await until(lambda: dialer.state.why == "stale-epoch")
    assert door.handler.outdated_by == [server.identity.node]
    assert server.handler.outdated_by == []
