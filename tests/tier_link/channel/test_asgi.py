"""An ASGI server's WebSocket behaves as the links expect of any socket."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from tier_link.channel.asgi import AsgiSocket, Event, Scope, SocketEndpoint
from tier_link.errors import SocketClosed

BYTES = {"type": "websocket.receive", "bytes": b"one"}
TEXT = {"type": "websocket.receive", "text": "two"}
GONE = {"type": "websocket.disconnect", "code": 4404, "reason": "not-set-up"}


class Server:
    """What an ASGI server gives an application; the dialer's part is written down before."""

    def __init__(self, *events: Event, fails: type[Exception] | None = None) -> None:
        self.sent: list[Event] = []
        self.fails = fails
        self._events = iter(({"type": "websocket.connect"}, *events))

    async def receive(self) -> Event:
        return next(self._events)

    async def send(self, event: Event) -> None:
        if self.fails and event["type"] != "websocket.accept":
            raise self.fails
        self.sent.append(event)

    def serve(self, work: Callable[[AsgiSocket], Awaitable[None]]) -> list[Event]:
        async def accept_and_work(_: Scope, socket: AsgiSocket) -> None:
            await socket.accept()
            await work(socket)

        endpoint = SocketEndpoint(accept_and_work)
        asyncio.run(endpoint({"type": "websocket"}, self.receive, self.send))
        return self.sent


def test_messages_come_as_bytes_text_as_none_and_the_end_with_its_code() -> None:
    async def work(socket: AsgiSocket) -> None:
        assert await socket.recv() == b"one"
        assert await socket.recv() == b""
        with pytest.raises(SocketClosed) as closed:
            await socket.recv()
        assert (closed.value.close_code, closed.value.reason) == (4404, "not-set-up")
        with pytest.raises(SocketClosed):
            await socket.recv()
        with pytest.raises(SocketClosed):
            await socket.send(b"too late")

    assert Server(BYTES, TEXT, GONE).serve(work) == [{"type": "websocket.accept"}]


def test_sending_and_closing_say_what_they_are_given_and_closing_twice_is_fine() -> None:
    async def work(socket: AsgiSocket) -> None:
        await socket.send(b"out")
        await socket.close(4403, "revoked")
        await socket.close(4403, "revoked")

    assert Server().serve(work)[1:] == [
        {"type": "websocket.send", "bytes": b"out"},
        {"type": "websocket.close", "code": 4403, "reason": "revoked"},
    ]


@pytest.mark.parametrize("fails", [OSError, RuntimeError])
def test_a_line_that_breaks_is_a_closed_socket(fails: type[Exception]) -> None:
    async def send(socket: AsgiSocket) -> None:
        with pytest.raises(SocketClosed):
            await socket.send(b"out")
        with pytest.raises(SocketClosed):
            await socket.recv()

    async def close(socket: AsgiSocket) -> None:
        await socket.close(1000, "")

    for work in (send, close):
        assert Server(fails=fails).serve(work) == [{"type": "websocket.accept"}]


def test_a_dialer_that_leaves_while_it_is_served_is_no_failure() -> None:
    async def work(socket: AsgiSocket) -> None:
        await socket.recv()

    assert Server(GONE).serve(work) == [{"type": "websocket.accept"}]


def test_refusing_closes_before_accepting() -> None:
    server = Server()
    asyncio.run(AsgiSocket(server.receive, server.send).refuse())
    assert server.sent == [{"type": "websocket.close"}]
