"""What a server answers while it does not serve: standing by, or after another has taken over.

Alive, not ready, and one page in plain words for everything else. Links find no link here, and so
doors go on to the next address.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from community_server.errors import LetterRefused
from community_server.pages import PAGES, error_sentence, language_of
from community_server.standby.letters import MEDIA_TYPE, EpochStated, read_question, sign
from community_server.standby.opened import Opened
from tier_kit.address_limit import AddressLimit
from tier_kit.forms.limits import RateLimit
from tier_kit.security import SecurityHeaders

MAX_BODY: Final = 4 * 1024
Why = Literal["standby", "superseded"]
METHODS: Final = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


@dataclass(frozen=True)
class WaitingRoom:
    """What is answered, and why nothing else; `beside` runs as long as the application does."""

    opened: Opened
    why: Why
    beside: Callable[[], Coroutine[Any, Any, None]] | None = None

    def app(self) -> Starlette:
        """Return the application."""
        return Starlette(
            routes=[
                Route("/health", self._is_alive),
                Route("/health/live", self._is_alive),
                Route("/health/ready", self._is_ready),
                Route("/api/v1/standby/epoch", self._state_epoch, methods=["POST"]),
                Mount("/static", StaticFiles(directory=PAGES.static_folder, check_dir=False)),
                Route("/{path:path}", self._tell, methods=METHODS),
            ],
            middleware=[
                Middleware(SecurityHeaders, https=True),
                Middleware(
                    AddressLimit,
                    limit=RateLimit(self.opened.settings.requests_per_minute),
                    answer=lambda scope, _refusal: self._tell(Request(scope)),
                ),
            ],
            lifespan=self._run_beside,
        )

    def _tell(self, request: Request) -> Response:
        sentence = error_sentence(request, self.why, self.why)
        if request.url.path.startswith("/api/"):
            return JSONResponse({"error": {"code": self.why, "message": sentence}}, 503)
        page = PAGES.render(
            "problem.html.jinja", language_of(request), message=sentence, code=self.why
        )
        return Response(page, 503, media_type="text/html; charset=utf-8")

    def _is_alive(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "ok"})

    def _is_ready(self, request: Request) -> Response:
        del request
        return JSONResponse({"status": "not-ready", "hindrances": [self.why]}, 503)

    async def _state_epoch(self, request: Request) -> Response:
        try:
            answer = await run_in_threadpool(self._epoch, await _bounded(request))
            return Response(answer, media_type=MEDIA_TYPE)
        except (LetterRefused, SQLAlchemyError):
            return self._tell(request)

    def _epoch(self, body: bytes) -> bytes:
        stated = EpochStated(read_question(body).nonce, self.opened.links.epoch, serving=False)
        return sign(stated, self.opened.root())

    @asynccontextmanager
    async def _run_beside(self, app: Starlette) -> AsyncIterator[None]:
        del app
        task = asyncio.create_task(self.beside()) if self.beside else None
        yield
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def _bounded(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY:
            raise LetterRefused("too long a question")
    return bytes(body)
