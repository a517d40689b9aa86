"""Where a webhook may connect to: the internet, and internal networks that are allowed by name.

Names are looked up here, once, and the connection goes to the very address that was checked: a
name that answers differently a moment later changes nothing.
"""

import socket
import time
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)
from typing import Any, Final

import httpcore

from community_server.errors import ServerError

Network = IPv4Network | IPv6Network
Address = IPv4Address | IPv6Address

_NAT64: Final = IPv6Network("64:ff9b::/96")
_LOCAL_NAT64: Final = IPv6Network("64:ff9b:1::/48")
"""Each network translates it as it likes (RFC 8215)."""
_LOW_32: Final = 0xFFFFFFFF


class Undelivered(ServerError):
    """An event was not taken; see `sender` for the codes."""

    code = "unreachable"


def read_networks(texts: Iterable[str]) -> tuple[Network, ...]:
    """Return the networks that are written as `10.0.5.0/24`.

    Raises:
        ValueError: one is not a network.
    """
    return tuple(ip_network(text) for text in texts)


def is_allowed(address: Address, networks: Sequence[Network]) -> bool:
    """Say whether an address is inside one of the networks allowed by name."""
    plain = _embedded(address)[-1]
    return any(plain.version == network.version and plain in network for network in networks)


def is_public(address: Address) -> bool:
    """Say whether an address, and any that it stands for, is one of the internet."""
    translated = address.version == _LOCAL_NAT64.version and address in _LOCAL_NAT64
    public = all(one.is_global and not one.is_multicast for one in _embedded(address))
    return public and not translated


def _embedded(address: Address) -> list[Address]:
    """Return an address and, last, the IPv4 address that it leads to, where it does."""
    if isinstance(address, IPv4Address):
        return [address]
    teredo = address.teredo
    inner = address.ipv4_mapped or address.sixtofour or (teredo[1] if teredo else None)
    if address in _NAT64:
        inner = IPv4Address(int(address) & _LOW_32)
    if address.ipv4_mapped:  # the same address in other letters
        return [address.ipv4_mapped]
    return [address, inner] if inner else [address]


class GuardedBackend(httpcore.NetworkBackend):
    """Connects to what may be connected to, and to nothing else; all within one deadline.

    Args:
        networks: Internal networks that are allowed.
        plain: Whether the connection will be without TLS, which those networks alone may have.
        seconds: For everything together.
    """

    def __init__(self, networks: Sequence[Network], *, plain: bool, seconds: float) -> None:
        self._inner = httpcore.SyncBackend()
        self._networks = networks
        self._plain = plain
        self._deadline = time.monotonic() + seconds

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connect to the first address of a host that answers.

        Raises:
            Undelivered: `name-unknown`, `address-internal`, `unreachable`.
        """
        trouble: Exception | None = None
        for address in self._look_up(host, port):
            try:
                stream = self._inner.connect_tcp(
                    str(address), port, self._left(timeout), local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                trouble = error
            else:
                return _Hurried(stream, self._left)
        raise Undelivered("nothing answers there") from trouble

    def _look_up(self, host: str, port: int) -> Iterator[Address]:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Undelivered("the name is not known", code="name-unknown") from error
        addresses = [ip_address(place[0]) for *_, place in found]
        for address in addresses:
            allowed = is_allowed(address, self._networks)
            if not allowed and (self._plain or not is_public(address)):
                raise Undelivered("an internal address", code="address-internal")
        yield from addresses

    def _left(self, timeout: float | None) -> float:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise httpcore.ReadTimeout
        return min(left, timeout or left)


class _Hurried(httpcore.NetworkStream):
    """A stream on which nothing takes longer than what is left of the time."""

    def __init__(self, stream: httpcore.NetworkStream, left: Any) -> None:
        self._stream = stream
        self._left = left

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, self._left(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        try:
            secured = self._stream.start_tls(ssl_context, server_hostname, self._left(timeout))
        except httpcore.ConnectError as error:
            raise Undelivered("no TLS that can be trusted", code="tls-refused") from error
        return _Hurried(secured, self._left)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
