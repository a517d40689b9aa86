"""Serves the page inside the controller, on the loopback interface alone."""

import asyncio
import contextlib
import logging
import socket
from collections.abc import Iterator
from typing import Final

import uvicorn

from door_terminal.errors import StartRefused
from door_terminal.screen.app import build_app
from door_terminal.terminal import Terminal
from tier_kit.private_files import write_private

_log = logging.getLogger(__name__)

_POLL_S: Final = 0.02


class _Server(uvicorn.Server):
    """Leaves signals to the controller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class ScreenServer:
    """One page server for one terminal."""

    def __init__(self, terminal: Terminal) -> None:
        """Take the port.

        Raises:
            StartRefused: it is taken already (`already-running`).
        """
        settings = terminal.settings
        family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
        self._socket = socket.socket(family, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((settings.host, settings.port))
        except OSError as error:
            self._socket.close()
            raise StartRefused(
                f"port {settings.port} is taken: {error.strerror}", code="already-running"
            ) from error
        port = self._socket.getsockname()[1]
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self.url = f"http://{host}:{port}"
        self._server = _Server(
            uvicorn.Config(
                build_app(terminal, port), log_config=None, lifespan="off", access_log=False
            )
        )
        try:
            write_private(settings.data / "door.url", self.url.encode())
        except OSError as error:  # a full disk; the page works, `gatehouse door status` may not
            _log.warning("the page's address could not be written: %s", error.strerror)

    async def run(self) -> None:
        """Serve until cancelled."""
        serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        try:
            await asyncio.shield(serving)
        except asyncio.CancelledError:
            # A page that is still being fetched is not worth a late stop.
            self._server.should_exit = self._server.force_exit = True
            await serving
            raise

    async def started(self) -> None:
        """Wait until the page can be fetched."""
        while not self._server.started:  # noqa: ASYNC110 - uvicorn has a flag and no event
            await asyncio.sleep(_POLL_S)
