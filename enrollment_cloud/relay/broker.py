"""A connection to NATS JetStream for callers in worker threads: bodies in the brokers' memory.

One stream holds all bodies, in memory and on as many brokers as it has replicas; a publication
is answered once most of them have it (https://docs.nats.io/nats-concepts/jetstream/streams).
A subject holds one body: publishing it again replaces it, so a repetition needs no
de-duplication, and a body that was purged can come back at once.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Coroutine
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import Any, Final, TypeVar

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js import errors as js_errors

from enrollment_cloud.relay.pointers import BodyAway
from enrollment_cloud.relay.stream import STREAM, STREAM_FULL, BrokerAccess
from tier_link.messages import MAX_RECORD

ANSWER_S: Final = 2.0
"""Seconds for one answer; brokers take milliseconds, 4 MiB on a slow network a second."""
PATIENCE_S: Final = 8.0
"""Seconds in which a publication is tried again: as long as brokers take, when one dies, to
notice and to choose another that leads the stream."""
_SILENCE_S: Final = 1.0
"""Seconds for which brokers that did not answer are not asked again: links have few threads."""
_PAUSE_S: Final = 0.25
_RECONNECT_S: Final = 0.5
_PURGE_S: Final = 60.0
"""Seconds in which a purge is tried again; what is left after that expires."""
_PING_S: Final = 5
_LOST_PINGS: Final = 2
"""A broker whose line was cut is left after two pings."""

_log = logging.getLogger(__name__)
_T = TypeVar("_T")


class StreamFull(Exception):
    """The stream holds as many bytes as it may."""


class Broker:
    """Keeps connected to one of the brokers, on an event loop and a thread of its own.

    Safe to use from any thread. Brokers that are away are no error until something is asked.
    """

    def __init__(self, access: BrokerAccess) -> None:
        self._access = access
        self._client: Client | None = None
        self._stream: JetStreamContext | None = None
        self._prepared = False
        self._complaint = ""
        self._silent_until = 0.0
        self._purging: set[asyncio.Task[None]] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="broker", daemon=True)
        self._thread.start()
        self._keeping = asyncio.run_coroutine_threadsafe(self._keep_connected(), self._loop)

    @property
    def connected(self) -> bool:
        """Whether a broker is connected now."""
        return self._client is not None and self._client.is_connected

    @property
    def prepared(self) -> bool:
        """Whether a broker is connected and the stream is as it should be."""
        return self.connected and self._prepared

    def publish(self, subject: str, body: bytes) -> None:
        """Have most brokers hold `body` under `subject`.

        Raises:
            BodyAway: no answer in time; they may hold it or not.
            StreamFull: no room for it.
        """
        self._wait(self._publish(subject, body), PATIENCE_S + ANSWER_S)

    def fetch(self, subject: str) -> bytes | None:
        """Return the body under `subject`, or None if it is gone.

        Raises:
            BodyAway: nobody can say now.
        """
        return self._wait(self._fetch(subject), 2 * ANSWER_S)

    def has(self, subject: str) -> bool:
        """Say whether there is a body under `subject`.

        Raises:
            BodyAway: nobody can say now.
        """
        return self._wait(self._has(subject), ANSWER_S)

    def purge(self, subject: str) -> None:
        """Delete what is under `subject`, which may have a wildcard: soon, without waiting."""
        self._loop.call_soon_threadsafe(self._begin_purge, subject)

    def close(self) -> None:
        """Disconnect and end the thread."""
        with suppress(TimeoutError):
            asyncio.run_coroutine_threadsafe(self._end(), self._loop).result(2 * ANSWER_S)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(ANSWER_S)
        if not self._thread.is_alive():
            self._loop.close()

    def _wait(self, work: Coroutine[Any, Any, _T], seconds: float) -> _T:
        try:
            asked = asyncio.run_coroutine_threadsafe(work, self._loop)
        except RuntimeError as error:
            work.close()
            raise BodyAway("closed") from error
        try:
            return asked.result(seconds + ANSWER_S)
        except (TimeoutError, CancelledError) as error:
            asked.cancel()
            raise BodyAway(type(error).__name__) from error

    # -- on the loop -------------------------------------------------------------------------

    async def _keep_connected(self) -> None:
        while True:
            client, closed = Client(), asyncio.Event()

            async def note_closed(closed: asyncio.Event = closed) -> None:
                closed.set()

            try:
                await client.connect(
                    servers=list(self._access.servers),
                    name="gatehouse-cloud",
                    error_cb=self._complain,
                    closed_cb=note_closed,
                    reconnected_cb=self._prepare,
                    max_reconnect_attempts=-1,
                    reconnect_time_wait=_RECONNECT_S,  # type: ignore[arg-type]  # slept as it is
                    connect_timeout=int(ANSWER_S),
                    ping_interval=_PING_S,
                    max_outstanding_pings=_LOST_PINGS,
                    user=self._access.user,
                    password=self._access.password,
                    tls=self._access.tls,
                )
                self._client, self._stream = client, client.jetstream(timeout=ANSWER_S)
                await self._prepare()
                await closed.wait()
            except Exception as error:  # noqa: BLE001 - whatever it was, it is tried again
                await self._complain(error)
            finally:
                self._client = None
                if not client.is_closed:
                    await client.close()
            await asyncio.sleep(_RECONNECT_S)

    async def _complain(self, error: Exception) -> None:
        """Log what went wrong, once until something else does; never what was published."""
        complaint = type(error).__name__
        if complaint != self._complaint:
            _log.warning("event=relay-brokers-trouble type=%s", complaint)
        self._complaint = complaint

    async def _prepare(self) -> None:
        """Make the stream, or bring it to what the settings say."""
        client, stream = self._client, self._stream
        if client is None or stream is None:
            return
        if client.max_payload < MAX_RECORD:
            _log.error("event=relay-payload-too-small max_payload=%d", client.max_payload)
        wanted = self._access.stream
        try:
            try:
                await stream.add_stream(wanted)
            except js_errors.BadRequestError:  # there already, with other settings
                await stream.update_stream(wanted)
        except nats.errors.Error as error:
            await self._complain(error)
        else:
            self._prepared, self._complaint = True, ""
            _log.info("event=relay-brokers-ready replicas=%d", wanted.num_replicas)

    def _answering_stream(self) -> JetStreamContext:
        if time.monotonic() < self._silent_until:
            raise BodyAway("no answer a moment ago")
        return self._connected_stream()

    def _away(self, error: nats.errors.Error) -> BodyAway:
        if isinstance(error, nats.errors.TimeoutError):
            self._silent_until = time.monotonic() + _SILENCE_S
        return BodyAway(type(error).__name__)

    def _connected_stream(self) -> JetStreamContext:
        if not self.connected or self._stream is None:
            raise BodyAway("not connected")
        return self._stream

    async def _publish(self, subject: str, body: bytes) -> None:
        until = time.monotonic() + PATIENCE_S
        while True:
            try:
                await self._connected_stream().publish(
                    subject, body, timeout=ANSWER_S, stream=STREAM
                )
            except js_errors.APIError as error:
                if error.err_code == STREAM_FULL:
                    raise StreamFull from error
                failure: Exception = error
            except js_errors.NoStreamResponseError as error:
                await self._prepare()
                failure = error
            except (nats.errors.Error, BodyAway) as error:
                failure = error
            else:
                return
            if time.monotonic() >= until:
                raise BodyAway(type(failure).__name__) from failure
            await asyncio.sleep(_PAUSE_S)

    async def _fetch(self, subject: str) -> bytes | None:
        stream = self._answering_stream()
        try:
            try:
                message = await stream.get_msg(STREAM, subject=subject, direct=True)
            except (js_errors.NotFoundError, nats.errors.NoRespondersError):
                # Whoever answered may not have it yet; the stream's leader knows.
                message = await stream.get_msg(STREAM, subject=subject)
        except js_errors.NotFoundError:
            return None
        except nats.errors.Error as error:
            raise self._away(error) from error
        return message.data

    async def _has(self, subject: str) -> bool:
        try:
            info = await self._answering_stream().stream_info(STREAM, subjects_filter=subject)
        except js_errors.NotFoundError:
            return False
        except nats.errors.Error as error:
            raise self._away(error) from error
        if info.cluster is not None and not info.cluster.leader:
            raise BodyAway("no leader")  # who answers then knows of no message at all
        return bool(info.state.subjects)

    def _begin_purge(self, subject: str) -> None:
        task = self._loop.create_task(self._purge(subject))
        self._purging.add(task)
        task.add_done_callback(self._purging.discard)

    async def _purge(self, subject: str) -> None:
        until = time.monotonic() + _PURGE_S
        while time.monotonic() < until:
            try:
                await self._connected_stream().purge_stream(STREAM, subject=subject)
            except js_errors.NotFoundError:
                return
            except (nats.errors.Error, BodyAway):
                await asyncio.sleep(ANSWER_S)
            else:
                return
        _log.warning("event=relay-purge-left-to-expiry")

    async def _end(self) -> None:
        if self._purging:
            await asyncio.wait(self._purging, timeout=ANSWER_S / 2)
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
