"""Serving: one process, one TLS port for console, API, links and pairing."""

import contextlib
import gc
import logging
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from community_server.app import make_app
from community_server.errors import StartRefused
from community_server.estate import Estate
from community_server.keys.authority import Authority, own_names, server_tls
from community_server.settings import Settings

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
    """Serve until a signal says to stop, or another server has taken over."""
    config = configure(make_app(estate), estate.settings, estate.secrets.authority)
    gc.freeze()  # The estate is there to stay: no later collection need walk all its people.
    server = Announcing(config, estate.settings.data, f"ready {listener.url}", estate.live.close)
    estate.rivals.on_found(server.stop)
    with contextlib.suppress(KeyboardInterrupt):
        server.run(sockets=[listener.socket])


def configure(app: ASGIApp, settings: Settings, authority: Authority) -> uvicorn.Config:
    """Return how anything is served here: TLS by the community's own authority, bounded."""
    names = own_names(settings.host, settings.names)

    def make_context(_config: object, _default: object) -> ssl.SSLContext:
        return server_tls(authority, names)

    return uvicorn.Config(
        app,
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


class Announcing(uvicorn.Server):
    """Says what it does and where once it does (`said`), and ends live streams when it stops."""

    def __init__(
        self, config: uvicorn.Config, data: Path, said: str, closing: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._data = data
        self._said = said
        self._closing = closing

    def stop(self) -> None:
        """End, as a signal would have it; from any thread."""
        self.should_exit = True

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin, as uvicorn does, and say so."""
        await super().startup(sockets)
        if self.started:
            (self._data / ADDRESS_FILE).write_text(self._said.split()[-1] + "\n", "ascii")
            sys.stdout.write(f"{self._said}\n")
            sys.stdout.flush()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """End as uvicorn does; streams that have no end would hold it up."""
        self._closing()
        await super().shutdown(sockets)
