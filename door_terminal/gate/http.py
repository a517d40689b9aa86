"""Relay boards that open on an HTTP request.

Anyone on that network who knows the address can open the gate; a relay wired to the unit is
better. The docs say so.
"""

from threading import Lock

import httpx

from door_terminal.errors import GateFailed
from door_terminal.gate.driver import Opening
from door_terminal.prompt_sockets import give_up_after


class HttpGate:
    """Sends one request for each opening."""

    def __init__(
        self, url: str, *, method: str, body: str, headers: dict[str, str], timeout_s: float
    ) -> None:
        self._url = url
        self._method = method
        self._body = body
        self._timeout_s = timeout_s
        self._lock = Lock()
        # No redirects, no proxies: the installer named the board, nobody else does.
        self._client = httpx.Client(
            headers=headers,
            timeout=timeout_s,
            follow_redirects=False,
            trust_env=False,
            transport=httpx.HTTPTransport(socket_options=[give_up_after(timeout_s)]),
        )

    def open(self, opening: Opening) -> None:
        """Ask the board once.

        Raises:
            GateFailed: no answer in time, another answer than 2xx, or the board still busy with
                the opening before.
        """
        if not self._lock.acquire(timeout=self._timeout_s):
            raise GateFailed("the relay board is busy", code="gate-busy")
        try:
            response = self._client.request(
                self._method,
                opening.fill(self._url),
                content=opening.fill(self._body).encode() or None,
            )
        except httpx.HTTPError as error:
            raise GateFailed(f"the relay board did not answer: {type(error).__name__}") from error
        finally:
            self._lock.release()
        if not response.is_success:
            raise GateFailed(
                f"the relay board answered {response.status_code}", code="gate-refused"
            )

    def close(self) -> None:
        """Let the connection go; the board ends its own pulse."""
        self._client.close()
