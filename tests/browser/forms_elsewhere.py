"""The form's pages and scripts at an address of the estate's, its requests to a cloud that lies.

Whoever serves the form there passes on what its pages ask of the JSON API, as a reverse proxy does.
"""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Final, Self

import httpx

from tests.community_server.server_process import Server
from tests.end_to_end.dishonest_relay import DishonestRelay

PASSED_ON: Final = ("content-type", "accept", "accept-language")
KEPT: Final = ("content-type", "content-security-policy", "permissions-policy", "content-language")


class FormsElsewhere:
    """Serves the forms of a server's own build; use as a context manager."""

    def __init__(self, server: Server, relay: DishonestRelay) -> None:
        self._relay = relay
        self._client = server.client()
        self._static: dict[str, httpx.Response] = {}
        forms = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                forms.answer(self)

            def do_PUT(self) -> None:
                forms.answer(self)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._client.close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request of the browser's."""
        body = request.rfile.read(int(request.headers.get("content-length", 0)))
        if request.path.startswith("/api/"):
            told = {name: request.headers.get(name, "") for name in PASSED_ON}
            address = self._relay.url + request.path
            response = self._relay.serve(
                httpx.Request(request.command, address, headers=told, content=body)
            )
        else:
            response = self._own(request.path, request.headers.get("accept-language", ""))
        request.send_response(response.status_code)
        for name in KEPT:
            if name in response.headers:
                request.send_header(name, response.headers[name])
        request.send_header("content-length", str(len(response.content)))
        request.end_headers()
        request.wfile.write(response.content)

    def _own(self, path: str, language: str) -> httpx.Response:
        if path not in self._static:
            found = self._client.get(path, headers={"accept-language": language})
            if not path.startswith("/static/"):
                return found
            self._static[path] = found
        return self._static[path]
