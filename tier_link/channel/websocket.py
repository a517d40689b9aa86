"""Dialing WebSockets: which addresses, which TLS, and the `websockets` library's part."""

import ipaddress
import socket
import ssl
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from tier_link.errors import SocketClosed, UnsafeAddress
from tier_link.messages import MAX_FRAME

KEEPALIVE_S: Final = 10.0
"""Seconds between pings, and until one without an answer means that the line is dead."""
OPEN_TIMEOUT_S: Final = 10.0
"""Seconds for TCP, TLS and the upgrade."""
CLOSE_TIMEOUT_S: Final = 2.0
"""Seconds for a polite end: the other side may be gone."""
UNSENT_BYTES: Final = 16 * 1024
"""Bytes the kernel may hold back unsent: what waits there cannot be overtaken by a request."""

_NO_CHECK_TIME = 0x200000  # X509_V_FLAG_NO_CHECK_TIME, which the ssl module does not name


def check_address(url: str) -> None:
    """Refuse what a link must not be dialed over.

    Raises:
        UnsafeAddress: not `wss://`, and not `ws://` to this very machine.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError as error:
        raise UnsafeAddress("not an address") from error
    if not host or parts.scheme not in {"ws", "wss"}:
        raise UnsafeAddress("a link's address begins with wss://")
    if parts.scheme == "ws" and not _is_loopback(host):
        raise UnsafeAddress("ws:// is not encrypted and only for this machine; use wss://")


def pinned_tls(ca_pem: str) -> ssl.SSLContext:
    """Return TLS 1.3 that trusts the community's own authority and nothing else.

    Dates are not checked: a door may have no clock. Names are not checked either: the
    authority certifies nothing but the community's server, whose address may change, and
    the server proves its paired key inside TLS in any case.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.load_verify_locations(cadata=ca_pem)
    context.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    return context


def public_tls() -> ssl.SSLContext:
    """Return TLS 1.3 with the system's authorities, for a cloud at a public address."""
    context = ssl.create_default_context()
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    return context


def pairing_tls() -> ssl.SSLContext:
    """Return TLS 1.3 that trusts anyone, for pairing alone.

    A door that pairs knows no authority yet; the pairing code authenticates both sides and
    the authority to pin from then on, so whoever sits between can only break it off.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class DialedSocket:
    """A dialed WebSocket, as `MessageSocket`; an async context manager.

    Raises (on entering):
        OSError, TimeoutError, ssl.SSLError, websockets' `InvalidHandshake`: no connection.
    """

    def __init__(self, url: str, tls: ssl.SSLContext | None) -> None:
        check_address(url)
        secure = url.startswith("wss:")
        self._connect = connect(
            url,
            ssl=(tls or public_tls()) if secure else None,
            proxy=None,  # links go straight to their peer
            compression=None,  # what travels is sealed or small
            max_size=MAX_FRAME,
            open_timeout=OPEN_TIMEOUT_S,
            close_timeout=CLOSE_TIMEOUT_S,
            ping_interval=KEEPALIVE_S,
            ping_timeout=KEEPALIVE_S,
            write_limit=UNSENT_BYTES,
        )
        self._socket: ClientConnection | None = None

    async def __aenter__(self) -> Self:
        self._socket = await self._connect
        tcp = self._socket.transport.get_extra_info("socket")
        if hasattr(socket, "TCP_NOTSENT_LOWAT"):
            tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close(1000, "")

    async def send(self, data: bytes) -> None:
        """Send one binary message."""
        try:
            await self._open.send(data)
        except ConnectionClosed as closed:
            raise _closed(closed) from closed

    async def recv(self) -> bytes:
        """Return the next message, an empty one for text."""
        try:
            message = await self._open.recv()
        except ConnectionClosed as closed:
            raise _closed(closed) from closed
        return message if isinstance(message, bytes) else b""

    async def close(self, code: int, reason: str) -> None:
        """Close; does nothing when closed already."""
        await self._open.close(code, reason)

    @property
    def _open(self) -> ClientConnection:
        if self._socket is None:
            raise RuntimeError("the socket is not open")
        return self._socket


def _closed(closed: ConnectionClosed) -> SocketClosed:
    if closed.rcvd is None:
        return SocketClosed()
    return SocketClosed(closed.rcvd.code, closed.rcvd.reason)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
