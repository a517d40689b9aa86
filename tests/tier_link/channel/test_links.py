"""A server and a door over a real WebSocket, with real databases."""

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from websockets.asyncio.client import connect

from tests.tier_link.channel.nodes import SERVER, Node, Server, running, until
from tier_link.channel.live_link import LiveLink
from tier_link.errors import DeadlinePassed, LinkDown, RequestFailed


def run(scenario: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        async with asyncio.timeout(60):
            await scenario()

    asyncio.run(bounded())


async def both_up(server: Server, door: Node) -> tuple[LiveLink, LiveLink]:
    """Return the door's link and the server's."""
    await until(lambda: SERVER in door.handler.links and "d00f" in server.handler.links)
    return door.handler.links[SERVER], server.handler.links["d00f"]


def test_records_go_both_ways_and_are_acknowledged(server: Server, door: Node) -> None:
    async def scenario() -> None:
        door.put(SERVER, b"before the link was up")
        async with server.listening() as url, running(server.dialer(door, url)) as dialer:
            at_door, at_server = await both_up(server, door)
            assert dialer.state.phase == "connected"
            assert server.hub.peers() == ["d00f"]
            large = b"x" * 3_000_000
            await asyncio.to_thread(door.put, SERVER, b"one", large, b"three")
            await asyncio.to_thread(server.put, "d00f", b"roster")
            at_door.wake()
            at_server.wake()
            await until(lambda: len(server.effects()) == 4 and door.effects() == [b"roster"])
            assert server.effects() == [b"before the link was up", b"one", large, b"three"]
            await until(lambda: door.store.waiting(SERVER) + server.store.waiting("d00f") == 0)
            assert door.handler.acknowledgements == [1, 2, 3, 4]

    run(scenario)


def test_a_handshake_counts_until_it_is_done_or_broken_off(server: Server, door: Node) -> None:
    async def scenario() -> None:
        async with server.listening() as url:
            async with connect(url):
                await until(lambda: server.hub.handshakes == 1)
            await until(lambda: server.hub.handshakes == 0)
            async with running(server.dialer(door, url)):
                await both_up(server, door)
                assert server.hub.handshakes == 0

    run(scenario)


def test_news_in_the_outbox_is_seen_without_a_wake(server: Server, door: Node) -> None:
    async def scenario() -> None:
        async with server.listening() as url, running(server.dialer(door, url)):
            await both_up(server, door)
            await asyncio.to_thread(door.put, SERVER, b"written by another process")
            await until(lambda: server.effects() == [b"written by another process"])

    run(scenario)


def test_a_record_whose_acknowledgement_was_lost_does_not_wait_for_another(
    server: Server, door: Node
) -> None:
    async def scenario() -> None:
        door.put(SERVER, b"taken before the crash")
        records = door.store.pending(SERVER, 0, limit=1)
        server.store.take("d00f", door.store.epoch, records, server.handler.apply)
        async with server.listening() as url, running(server.dialer(door, url)):
            await until(lambda: door.store.waiting(SERVER) == 0)
            assert door.handler.acknowledgements == [1]
            assert server.effects() == [b"taken before the crash"]

    run(scenario)


def test_a_refused_record_does_not_hold_up_the_next(server: Server, door: Node) -> None:
    async def scenario() -> None:
        door.put(SERVER, b"?", kind="nonsense")
        door.put(SERVER, b"fine")
        async with server.listening() as url, running(server.dialer(door, url)):
            await until(lambda: door.store.waiting(SERVER) == 0)
            assert server.effects() == [b"fine"]

    run(scenario)


def test_a_failing_effect_is_tried_again_until_it_holds(server: Server, door: Node) -> None:
    failures = iter([RuntimeError("disk full")])

    def fail_once(_body: bytes) -> None:
        for failure in failures:
            raise failure

    async def scenario() -> None:
        server.handler.before_apply = fail_once
        door.put(SERVER, b"entry")
        async with server.listening() as url, running(server.dialer(door, url)):
            await until(lambda: server.effects() == [b"entry"])
            assert server.handler.downs == 1

    run(scenario)


def test_requests_are_answered_from_either_side(server: Server, door: Node) -> None:
    async def scenario() -> None:
        async with server.listening() as url, running(server.dialer(door, url)):
            at_door, at_server = await both_up(server, door)
            assert await asyncio.to_thread(at_door.request, "match", b"abc", 10.0) == b"cba"
            assert await at_server.request_async("open", b"xyz", 10.0) == b"zyx"
            with pytest.raises(RequestFailed) as refused:
                await at_door.request_async("refuse", b"", 10.0)
            assert refused.value.code == "not-today"
            with pytest.raises(RuntimeError, match="request_async"):
                at_door.request("match", b"", 10.0)

    run(scenario)


@pytest.mark.parametrize("broken", [ZeroDivisionError, "too long"])
def test_a_handler_that_fails_answers_with_a_code(server: Server, door: Node, broken: Any) -> None:
    def fail(_kind: str, _body: bytes) -> bytes:
        if broken == "too long":
            return b"x" * 100_000
        raise broken

    async def scenario() -> None:
        server.handler.answers = fail
        async with server.listening() as url, running(server.dialer(door, url)):
            at_door, _ = await both_up(server, door)
            with pytest.raises(RequestFailed) as failed:
                await at_door.request_async("match", b"", 10.0)
            assert failed.value.code == "internal-error"

    run(scenario)


def test_requests_pass_while_the_durable_log_is_stuck(server: Server, door: Node) -> None:
    stuck = threading.Event()

    def wait(_body: bytes) -> None:
        stuck.wait(30)

    async def scenario() -> None:
        server.handler.before_apply = wait
        door.put(SERVER, *[b"x" * 200_000] * 20)
        async with server.listening() as url, running(server.dialer(door, url)):
            at_door, _ = await both_up(server, door)
            for _ in range(10):
                assert await at_door.request_async("match", b"abc", 20.0) == b"cba"
            assert server.effects() == []
            stuck.set()
            await until(lambda: len(server.effects()) == 20)

    run(scenario)


def test_a_request_without_an_answer_ends_at_its_deadline(server: Server, door: Node) -> None:
    let_go = threading.Event()

    def hang(_kind: str, _body: bytes) -> bytes:
        let_go.wait(30)
        return b"far too late"

    async def scenario() -> None:
        server.handler.answers = hang
        async with server.listening() as url, running(server.dialer(door, url)):
            at_door, _ = await both_up(server, door)
            with pytest.raises(DeadlinePassed):
                await at_door.request_async("match", b"", 0.05)
            let_go.set()
            server.handler.answers = lambda _kind, body: body
            assert await at_door.request_async("match", b"next", 20.0) == b"next"

    run(scenario)


def test_a_request_ends_with_its_link_and_is_never_sent_again(server: Server, door: Node) -> None:
    asked: list[bytes] = []
    let_go = threading.Event()

    def hang(_kind: str, body: bytes) -> bytes:
        asked.append(body)
        let_go.wait(30)
        return b""

    async def scenario() -> None:
        server.handler.answers = hang
        async with server.listening() as url, running(server.dialer(door, url)):
            at_door, at_server = await both_up(server, door)
            waiting = asyncio.create_task(at_door.request_async("open", b"first", 20.0))
            await until(lambda: asked == [b"first"])
            at_server.close(1012, "restart")
            with pytest.raises(LinkDown):
                await waiting
            await until(lambda: door.handler.downs and SERVER in door.handler.links)
            let_go.set()
            with pytest.raises(LinkDown):
                await at_door.request_async("open", b"on a link that is gone", 1.0)
            again = door.handler.links[SERVER]
            assert await again.request_async("open", b"second", 20.0) == b""
            assert asked == [b"first", b"second"]

    run(scenario)


def test_a_link_of_a_loop_that_has_ended_is_down(server: Server, door: Node) -> None:
    kept: list[LiveLink] = []

    async def scenario() -> None:
        async with server.listening() as url, running(server.dialer(door, url)):
            kept.append((await both_up(server, door))[0])

    run(scenario)
    with pytest.raises(LinkDown):
        kept[0].request("open", b"", 1.0)
    kept[0].publish("presence", b"")  # left out, without a fuss
    kept[0].wake()


def test_latest_values_arrive_and_a_bad_one_harms_nothing(server: Server, door: Node) -> None:
    async def scenario() -> None:
        async with server.listening() as url, running(server.dialer(door, url)):
            at_door, at_server = await both_up(server, door)
            at_door.publish("door-presence", b"fine")
            at_server.publish("server-news", b"now")
            await until(lambda: server.handler.latest == [("d00f", "door-presence", b"fine")])
            await until(lambda: door.handler.latest == [(SERVER, "server-news", b"now")])
            with pytest.raises(ValueError, match="at most"):
                at_door.publish("door-presence", b"x" * 100_000)
            server.handler.latest = None  # type: ignore[assignment] # makes the handler fail
            at_door.publish("door-presence", b"worse")
            assert await at_door.request_async("match", b"abc", 20.0) == b"cba"

    run(scenario)


def test_revoking_a_door_closes_its_live_link(server: Server, door: Node) -> None:
    async def scenario() -> None:
        async with server.listening() as url, running(server.dialer(door, url)) as dialer:
            await both_up(server, door)
            del server.paired["d00f"]
            server.hub.drop("d00f")
            await until(lambda: dialer.state.phase == "refused")
            assert dialer.state.why == "unknown-peer"
            assert server.hub.link("d00f") is None
            server.hub.drop("d00f")  # once more does nothing

    run(scenario)


def test_a_door_revoked_during_its_handshake_does_not_get_in(server: Server, door: Node) -> None:
    looks = iter([door.public_key, None])
    server.hub._peer_keys = lambda _peer: next(looks, None)

    async def scenario() -> None:
        async with server.listening() as url, running(server.dialer(door, url)) as dialer:
            await until(lambda: dialer.state.phase == "refused")
            assert dialer.state.why == "unknown-peer"
            assert server.handler.links == {}

    run(scenario)


def test_a_new_connection_of_a_door_replaces_its_old_one(server: Server, door: Node) -> None:
    async def scenario() -> None:
        async with server.listening() as url, running(server.dialer(door, url)) as first:
            await both_up(server, door)
            second = server.dialer(door, url)
            async with running(second):
                await until(lambda: first.state.phase == "refused")
                assert first.state.why == "replaced"
                await until(lambda: second.state.phase == "connected" and server.hub.peers())

    run(scenario)


def test_a_stranger_gets_nothing_but_a_close_code(server: Server, door: Node) -> None:
    async def scenario() -> None:
        async with server.listening() as url:
            for message in (b"", b"\xff" * 100, "text"):
                async with connect(url, proxy=None) as socket:
                    await socket.send(message)
                    await socket.wait_closed()
                    assert socket.close_code == 4400
            del server.paired["d00f"]
            async with running(server.dialer(door, url)) as dialer:
                await until(lambda: dialer.state.phase == "refused")
                assert dialer.state.why == "unknown-peer"

    run(scenario)


def test_a_store_put_back_without_a_new_epoch_is_refused_or_renewed(
    server: Server, door: Node
) -> None:
    async def scenario() -> None:
        server.store.meet("d00f", door.store.epoch)
        with server.engine.begin() as connection:  # the server has seen what the door has lost
            connection.exec_driver_sql("UPDATE link_peers SET seen_sequence = 9")
        door.put(SERVER, b"written after the loss")
        async with server.listening() as url:
            async with running(server.dialer(door, url)) as strict:
                await until(lambda: strict.state.phase == "refused")
                assert strict.state.why == "lost-history"
            async with running(server.dialer(door, url, renew_lost_history=True)):
                await until(lambda: server.effects() == [b"written after the loss"])

    run(scenario)


def test_a_restored_server_gets_kept_records_again_and_a_stale_one_is_refused(
    server: Server, door: Node
) -> None:
    async def scenario() -> None:
        async with server.listening() as url:
            async with running(server.dialer(door, url)):
                await asyncio.to_thread(door.put, SERVER, b"one", b"two", b"three")
                await until(lambda: door.store.waiting(SERVER) == 0)
            with server.engine.begin() as connection:  # back to yesterday's backup
                connection.exec_driver_sql("DELETE FROM effects")
                connection.exec_driver_sql("UPDATE link_peers SET seen_sequence = 1")
            server.store.renew_epoch()
            async with running(server.dialer(door, url)):
                await until(lambda: server.effects() == [b"two", b"three"])
            with server.engine.begin() as connection:  # the machine it was promoted over
                connection.exec_driver_sql("UPDATE link_state SET epoch = epoch - 1")
            async with running(server.dialer(door, url)) as dialer:
                await until(lambda: dialer.state.phase == "refused")
                assert dialer.state.why == "lower-epoch"

    run(scenario)
