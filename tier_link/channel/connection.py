"""One link on one connection: socket, protocol core, store and handler brought together."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections import deque
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from tier_link.channel.handler import Journal, LinkHandler, MessageSocket
from tier_link.channel.live_link import LiveLink
from tier_link.channel.workers import Workers
from tier_link.errors import (
    DeadlinePassed,
    LinkDown,
    MalformedMessage,
    PeerRefused,
    RecordRefused,
    RequestFailed,
    RequestRefused,
)
from tier_link.events import (
    Connected,
    DurableRecord,
    Event,
    Greeted,
    LatestArrived,
    NodeIdentity,
    RecordArrived,
    RecordsAcknowledged,
    RequestAnswered,
    RequestArrived,
)
from tier_link.handshake import CLOSE_HANDSHAKE_SLOW, Side, malformed, refuse
from tier_link.messages import NONCE_SIZE
from tier_link.protocol import WINDOW_BYTES, LinkCore, check_body

log = logging.getLogger(__name__)

HANDSHAKE_TIMEOUT_S: Final = 10.0
"""Seconds for the whole handshake: whoever takes longer only holds a connection."""
OUTBOX_POLL_S: Final = 1.0
"""Seconds between looks into the outbox when nobody calls `wake`."""
READ_BATCH: Final = 16
"""Records read from the outbox at once."""
APPLY_BATCH: Final = 32
"""Records that take effect in one transaction: one disk flush for many entries."""

PeerKeys = Callable[[str], Ed25519PublicKey | None]


class Connection:
    """Carries one link from its handshake to its end. Lives on one event loop."""

    def __init__(
        self,
        side: Side,
        identity: NodeIdentity,
        socket: MessageSocket,
        store: Journal,
        handler: LinkHandler,
        workers: Workers,
        outbox_poll_s: float = OUTBOX_POLL_S,
    ) -> None:
        self._outbox_poll_s = outbox_poll_s
        self._core = LinkCore(side, identity, secrets.token_bytes(NONCE_SIZE))
        self._socket = socket
        self._store = store
        self._handler = handler
        self._workers = workers
        self._peer = ""
        self._peer_epoch = 0
        self._epoch = 0
        self._stop = asyncio.Event()
        self._stop_reason: PeerRefused | None = None
        self.finished = asyncio.Event()

        self._to_send = asyncio.Event()
        self._to_feed = asyncio.Event()
        self._to_apply = asyncio.Event()
        self._to_note = asyncio.Event()
        self._to_take = asyncio.Event()
        self._arrived: deque[DurableRecord] = deque()
        self._acknowledged = 0
        self._latest: dict[str, bytes] = {}
        self._answers: dict[int, asyncio.Future[bytes]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    # -- handshake ---------------------------------------------------------------------------

    async def dial(self, peer: str, peer_key: Ed25519PublicKey) -> LiveLink:
        """Shake hands as the dialer. Raises `PeerRefused`, `SocketClosed`."""
        marks = await self._workers.durable(self._store.marks, peer)
        self._epoch = marks.epoch
        self._core.dial(peer, peer_key, marks)
        return await self._timely(self._until_connected(peer))

    async def accept(self, peer_keys: PeerKeys) -> LiveLink:
        """Shake hands as the acceptor. Raises `PeerRefused`, `SocketClosed`."""
        return await self._timely(self._greet(peer_keys))

    async def _greet(self, peer_keys: PeerKeys) -> LiveLink:
        greeted = await self._next_event()
        if not isinstance(greeted, Greeted):
            raise malformed("no hello first")
        peer_key = await self._workers.prompt(peer_keys, greeted.peer)
        marks = await self._workers.durable(self._store.marks, greeted.peer)
        self._epoch = marks.epoch
        self._core.welcome(peer_key, marks)
        return await self._until_connected(greeted.peer)

    async def _until_connected(self, peer: str) -> LiveLink:
        await self._flush()
        try:
            connected = await self._next_event()
        except PeerRefused as refusal:
            if refusal.code == "stale-epoch":
                await self._workers.prompt(self._handler.outdated, peer)
            await self._flush()  # what shows an outdated peer that it is
            raise
        if not isinstance(connected, Connected):
            raise malformed("no hello back")
        await self._flush()
        self._peer, self._peer_epoch = connected.peer, connected.peer_epoch
        # What the peer says it has seen is acknowledged, though the frame that said so was lost.
        self._acknowledged = connected.resume_after
        self._to_note.set()
        await self._workers.durable(self._store.meet, self._peer, self._peer_epoch)
        return LiveLink(self._peer, self, asyncio.get_running_loop())

    async def _timely(self, handshake: Coroutine[Any, Any, LiveLink]) -> LiveLink:
        try:
            async with asyncio.timeout(HANDSHAKE_TIMEOUT_S):
                return await handshake
        except TimeoutError as error:
            raise refuse("the handshake took too long", "slow", CLOSE_HANDSHAKE_SLOW) from error

    async def _next_event(self) -> Event | None:
        return self._core.receive(await self._socket.recv(), time.monotonic())

    async def _flush(self) -> None:
        while (frame := self._core.next_frame(time.monotonic())) is not None:
            await self._socket.send(frame)

    # -- the link at work --------------------------------------------------------------------

    async def run(self, link: LiveLink) -> None:
        """Carry the link until it ends, and raise what ended it.

        Raises:
            SocketClosed: the connection ended.
            PeerRefused: the peer broke the protocol, or somebody called `close`.
            Exception: whatever a handler or the store raised.
        """
        try:
            await self._workers.prompt(self._handler.link_up, self._peer, link)
            try:
                await self._work()
            finally:
                await asyncio.shield(self._workers.prompt(self._handler.link_down, self._peer))
        finally:
            self.finished.set()

    async def _work(self) -> None:
        steps = (
            self._until_stopped(),
            self._read(),
            self._send(),
            self._feed(),
            self._apply(),
            self._note_acknowledged(),
            self._take_latest(),
        )
        tasks = [asyncio.create_task(step) for step in steps]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (*tasks, *self._answering):
                task.cancel()
            await asyncio.gather(*tasks, *self._answering, return_exceptions=True)
            for answer in self._answers.values():
                if not answer.done():
                    answer.set_exception(LinkDown("the link went down before the answer"))
        # When several ended at once, what we or the peer refused says more than a closed socket.
        errors = [error for task in done if (error := task.exception()) is not None]
        errors.sort(key=lambda error: not isinstance(error, PeerRefused))
        raise errors[0]

    async def _until_stopped(self) -> None:
        await self._stop.wait()
        if self._stop_reason is not None:
            raise self._stop_reason

    async def _read(self) -> None:
        while True:
            event = await self._next_event()
            self._to_send.set()  # a core may answer by itself
            match event:
                case RecordArrived():
                    self._arrived.append(event.record)
                    self._to_apply.set()
                case RecordsAcknowledged():
                    self._acknowledged = event.sequence
                    self._to_note.set()
                    self._to_feed.set()
                case RequestArrived():
                    answering = asyncio.create_task(self._answer(event))
                    self._answering.add(answering)
                    answering.add_done_callback(self._answering.discard)
                case RequestAnswered():
                    self._settle(event)
                case LatestArrived():
                    self._latest[event.kind] = event.body
                    self._to_take.set()
                case Greeted() | Connected() | None:
                    pass

    async def _send(self) -> None:
        while True:
            self._to_send.clear()
            await self._flush()
            await self._to_send.wait()

    async def _feed(self) -> None:
        while True:
            self._to_feed.clear()
            while self._core.wants_record:
                records = await self._workers.durable(
                    self._store.pending,
                    self._peer,
                    self._core.last_offered,
                    limit=READ_BATCH,
                    max_bytes=WINDOW_BYTES,
                )
                for record in records:
                    if self._core.wants_record:  # what finds no room now is read again
                        self._core.offer(record)
                self._to_send.set()
                if not records:
                    break
            try:
                async with asyncio.timeout(self._outbox_poll_s):
                    await self._to_feed.wait()
            except TimeoutError:
                continue

    async def _apply(self) -> None:
        while True:
            await self._to_apply.wait()
            self._to_apply.clear()
            while self._arrived:
                count = min(len(self._arrived), APPLY_BATCH)
                batch = [self._arrived.popleft() for _ in range(count)]
                await self._workers.durable(self._prepare, batch)
                await self._workers.durable(
                    self._store.take, self._peer, self._peer_epoch, batch, self._handler.apply
                )
                self._core.acknowledge(batch[-1].sequence)
                self._to_send.set()

    def _prepare(self, batch: Sequence[DurableRecord]) -> None:
        for record in batch:
            with contextlib.suppress(RecordRefused, MalformedMessage):  # `take` says so
                self._handler.prepare(self._peer, record.kind, record.body)

    async def _note_acknowledged(self) -> None:
        while True:
            await self._to_note.wait()
            self._to_note.clear()
            await self._workers.durable(
                self._store.acknowledge,
                self._peer,
                self._epoch,
                self._acknowledged,
                self._handler.acknowledged,
            )

    async def _take_latest(self) -> None:
        while True:
            await self._to_take.wait()
            self._to_take.clear()
            while self._latest:
                kind = next(iter(self._latest))
                body = self._latest.pop(kind)
                try:
                    await self._workers.prompt(self._handler.take_latest, self._peer, kind, body)
                except MalformedMessage as error:
                    log.warning("latest value refused peer=%s kind=%s: %s", self._peer, kind, error)
                except Exception:
                    # The next value comes by itself; the durable log must not suffer for this one.
                    log.exception("latest value failed peer=%s kind=%s", self._peer, kind)

    async def _answer(self, event: RequestArrived) -> None:
        code, body = "", b""
        try:
            body = await self._workers.prompt(self._ask_handler, event)
            check_body(body)
        except (RequestRefused, MalformedMessage, DeadlinePassed) as refusal:
            code = refusal.code
        except Exception:
            log.exception("request failed peer=%s kind=%s", self._peer, event.kind)
            code, body = "internal-error", b""
        self._core.respond(event.number, code, body, time.monotonic())
        self._to_send.set()

    def _ask_handler(self, event: RequestArrived) -> bytes:
        if time.monotonic() >= event.deadline:  # it waited too long for a thread: do not act
            raise DeadlinePassed("too late")
        return self._handler.answer(self._peer, event.kind, event.body, event.deadline)

    def _settle(self, event: RequestAnswered) -> None:
        answer = self._answers.get(event.number)
        if answer is None or answer.done():
            return
        if event.code:
            answer.set_exception(RequestFailed(f"the peer answered {event.code}", code=event.code))
        else:
            answer.set_result(event.body)

    # -- what LiveLink calls -----------------------------------------------------------------

    async def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        """Ask the peer; see `LiveLink.request`."""
        if self.finished.is_set() or self._stop.is_set():
            raise LinkDown("the link is down")
        now = time.monotonic()
        number = self._core.request(kind, body, now + deadline, now)
        answer: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        self._to_send.set()
        try:
            async with asyncio.timeout(deadline):
                return await answer
        except TimeoutError as error:
            raise DeadlinePassed(f"no answer within {deadline:g} s") from error
        finally:
            del self._answers[number]
            self._core.give_up(number)

    def publish(self, kind: str, body: bytes) -> None:
        """Send a latest value; see `LiveLink.publish`."""
        self._core.publish(kind, body)
        self._to_send.set()

    def wake(self) -> None:
        """Look into the outbox."""
        self._to_feed.set()

    def close(self, code: int, reason: str) -> None:
        """End the link from this side."""
        self._stop_reason = PeerRefused(reason, code=reason, close_code=code)
        self._stop.set()
