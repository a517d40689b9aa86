"""Serving: one process, one TLS port for console, API, links and pairing."""

import contextlib
import gc
import logging
import socket
import ssl
import sys
from dataclasses import dataclass
from typing import Final

import uvicorn

from community_server.app import make_app
from community_server.errors import StartRefused
from community_server.estate import Estate
from community_server.keys.authority import own_names, server_tls

_log = logging.getLogger(__name__)

ADDRESS_FILE: Final = "server.url"
GRACE_SECONDS: Final = 3
"""How long open requests may take to end when the server is told to stop."""
BACKLOG: Final = 512
MAX_FRAME: Final = 64 * 1024
"""Longest WebSocket message: the links' longest frame."""
EVERYWHERE: Final = frozenset({"0.0.0.0", "::", ""})  # noqa: S104 -- compared, not bound


@dataclass(frozen=True)
class Listener:
    """A bound socket and the address by which people reach it."""

    socket: socket.socket
    url: str


def listen(host: str, port: int) -> Listener:
    """Bind the server's port.

    Raises:
        StartRefused: `port-taken`.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        bound = socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        raise StartRefused(
            f"cannot listen on {host} port {port}: {error.strerror}", code="port-taken"
        ) from error
    shown = "localhost" if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return Listener(bound, f"https://{shown}:{bound.getsockname()[1]}")


def serve(estate: Estate, listener: Listener) -> None:
    """Serve until a signal says to stop."""
    settings = estate.settings
    names = own_names(settings.host, settings.names)

    def make_context(_config: object, _default: object) -> ssl.SSLContext:
        return server_tls(estate.secrets.authority, names)

    config = uvicorn.Config(
        make_app(estate),
        ssl_context_factory=make_context,
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="websockets-sansio",
        ws_max_size=MAX_FRAME,
        ws_ping_interval=10.0,
        ws_ping_timeout=10.0,
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )
    gc.freeze()  # The estate is there to stay: no later collection need walk all its people.
    with contextlib.suppress(KeyboardInterrupt):
        _Announcing(config, estate, listener.url).run(sockets=[listener.socket])


class _Announcing(uvicorn.Server):
    """Says where it serves once it does, and ends the live streams when it stops."""

    def __init__(self, config: uvicorn.Config, estate: Estate, url: str) -> None:
        super().__init__(config)
        self._estate = estate
        self._url = url

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            data = self._estate.settings.data
            (data / ADDRESS_FILE).write_text(self._url + "\n", "ascii")
            sys.stdout.write(f"ready {self._url}\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._estate.live.close()
        await super().shutdown(sockets)
