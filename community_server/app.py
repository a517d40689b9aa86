"""The application: routes, links, and what runs beside them."""

import asyncio
import logging
import re
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, Final

from fastapi import FastAPI, Request, Response
from starlette.requests import HTTPConnection
from starlette.routing import WebSocketRoute
from starlette.staticfiles import StaticFiles

from community_server.access import routes as access
from community_server.alarms import routes as alarms
from community_server.analysis import routes as analysis
from community_server.api.description import describe_api
from community_server.audit import routes as audit
from community_server.backups import routes as backups
from community_server.backups.keeper import BackupKeeper
from community_server.calls import routes as calls
from community_server.cards import routes as cards
from community_server.consents import round_routes
from community_server.consents import routes as consents
from community_server.console import routes as console
from community_server.desk import get_estate
from community_server.doors import routes as doors
from community_server.entries import routes as entries
from community_server.errors import Conflict
from community_server.estate import Estate
from community_server.events import routes as events
from community_server.handlers import (
    answer_server_error,
    answer_too_many,
    install_handlers,
)
from community_server.herald import Herald
from community_server.households import routes as households
from community_server.imports import routes as imports
from community_server.imports.sheets import MAX_FILE
from community_server.intake import routes as intake
from community_server.invitations import bulk_routes
from community_server.invitations import routes as invitations
from community_server.keys import routes as keys
from community_server.ledger import routes as ledger
from community_server.lockdown import routes as lockdown
from community_server.messages import routes as messages
from community_server.messages.sender import Sender
from community_server.metrics import health
from community_server.metrics import routes as metrics
from community_server.metrics.readings import Readings
from community_server.openings import routes as openings
from community_server.own_forms import pages as form_pages
from community_server.own_forms import routes as forms
from community_server.pages import PAGES
from community_server.passes import routes as passes
from community_server.people import routes as people
from community_server.privacy import routes as privacy
from community_server.receipts import routes as receipts
from community_server.reports import routes as reports
from community_server.retention import routes as retention
from community_server.services import routes as services
from community_server.services import worker_routes as workers
from community_server.setup import routes as setup
from community_server.snapshots import routes as snapshots
from community_server.staff import account_routes as account
from community_server.staff import routes as session
from community_server.staff import staff_routes as staff
from community_server.staff import token_routes as tokens
from community_server.standby import routes as standby
from community_server.sweeper import Sweeper
from community_server.sync import routes as sync
from community_server.sync.batch import MOST_ITEMS
from community_server.thresholds import routes as thresholds
from community_server.visits import routes as visits
from community_server.webhooks import routes as webhooks
from tier_kit.address_limit import AddressLimit, address_in
from tier_kit.forms.errors import TooMany
from tier_kit.forms.limits import RateLimit
from tier_kit.security import SecurityHeaders
from tier_link.channel import AsgiSocket, Scope, SocketEndpoint

_log = logging.getLogger(__name__)

MAX_BODY: Final = 64 * 1024
"""Bytes of a request's body: the console and its API take short texts only."""
MAX_ITEM: Final = 8 * 1024
"""Of one thing of a batch."""
_LONGEST_LENGTH: Final = 20
"""Digits of a body's length that are looked at: more than any length has."""
UPLOADS: Final = {
    ("POST", "/import"): MAX_FILE + MAX_BODY,
    ("POST", "/api/v1/people/imports"): MAX_FILE + MAX_BODY,
    ("POST", "/api/v1/sync/batch"): MOST_ITEMS * MAX_ITEM,
}
"""Where a file or much at once is taken, and how many bytes with all that goes beside it."""
_ALWAYS: Final = re.compile(
    r"(/api/v1)?/(login|logout|session|account|lockdown|calls|night|alarms|ledger|recovery-kit"
    r"|backups|standby|doors/[^/]+/(open|opening|fire))(/|$)"
)
"""What may be changed while a restored server waits for its ledger."""
GATE_LOOK_S: Final = 1.0
"""Seconds for which a thread waits for that, and keeps a server from stopping."""
_ENVELOPE: Final = re.compile(r"/api/v1/communities/[^/]+/envelopes/[^/]+")
"""Where a sealed enrollment is taken; its route reads the body under limits of its own."""


class _BuiltFiles(StaticFiles):
    """Scripts and styles: their names change with their content, so browsers may keep them."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["cache-control"] = "public, max-age=31536000, immutable"
        return response


def make_app(estate: Estate) -> FastAPI:
    """Return the application of one estate."""
    app = FastAPI(
        title="Gatehouse community server",
        version="1",
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=_run_beside,
    )
    app.state.estate = estate
    app.state.readings = Readings(estate)
    install_handlers(app)
    for slice_ in (
        setup,
        session,
        account,
        staff,
        tokens,
        audit,
        backups,
        keys,
        ledger,
        invitations,
        intake,
        imports,
        bulk_routes,
        messages,
        people,
        consents,
        round_routes,
        receipts,
        households,
        access,
        passes,
        cards,
        sync,
        doors,
        thresholds,
        entries,
        snapshots,
        reports,
        privacy,
        retention,
        analysis,
        services,
        workers,
        visits,
        alarms,
        events,
        webhooks,
        openings,
        lockdown,
        calls,
        standby,
        forms,
        form_pages,
        metrics,
        health,
        console,
    ):
        # `include_router` would keep each slice as a router within the application's: every route
        # would be worked out a second time at the first request, and looked for twice at each.
        app.router.routes.extend(slice_.router.routes)
    app.openapi = lambda: describe_api(app)  # type: ignore[method-assign]  # as FastAPI's docs say
    app.router.routes.append(WebSocketRoute("/link", SocketEndpoint(_accept_link)))
    app.router.routes.append(WebSocketRoute("/pair", SocketEndpoint(_accept_pairing)))
    app.mount("/static", _BuiltFiles(directory=PAGES.static_folder, check_dir=False))
    app.middleware("http")(_bound_bodies)
    app.middleware("http")(_hold_back)
    app.add_middleware(AddressLimit, limit=estate.addresses.requests, answer=answer_too_many)
    app.add_middleware(SecurityHeaders, https=True)
    return app


@asynccontextmanager
async def _run_beside(app: FastAPI) -> AsyncIterator[None]:
    estate: Estate = app.state.estate
    await estate.cloud.start()
    beside = [
        asyncio.create_task(estate.doors.run_news(), name="news"),
        asyncio.create_task(Sweeper.of(estate).run(), name="sweeper"),
        asyncio.create_task(estate.recovery.run(), name="ledger"),
        asyncio.create_task(_once_open(estate, BackupKeeper(estate).run), name="backups"),
        asyncio.create_task(Herald(estate).run(), name="herald"),
        asyncio.create_task(estate.courier.run(), name="courier"),
        asyncio.create_task(estate.rivals.run(), name="rivals"),
        asyncio.create_task(_once_open(estate, _sender(estate).run), name="messages"),
    ]
    try:
        yield
    finally:
        for task in beside:
            task.cancel()
        await asyncio.gather(*beside, return_exceptions=True)
        await estate.cloud.stop()


async def _once_open(estate: Estate, run: Callable[[], Awaitable[None]]) -> None:
    """Run what must not begin before a restored server knows who was erased since."""
    while not await asyncio.to_thread(estate.gate.wait, GATE_LOOK_S):
        pass
    await run()


def _sender(estate: Estate) -> Sender:
    rate = estate.settings.messages_per_minute
    return Sender(estate.engine, estate.changer, estate.gateways, rate)


async def _accept_link(scope: Scope, socket: AsgiSocket) -> None:
    estate = get_estate(HTTPConnection(scope))
    if await _admit(scope, socket, estate.addresses.links):
        await estate.doors.accept_link(socket)


async def _accept_pairing(scope: Scope, socket: AsgiSocket) -> None:
    estate = get_estate(HTTPConnection(scope))
    if await _admit(scope, socket, estate.addresses.pairings):
        await estate.doors.accept_pairing(socket)


async def _admit(scope: Scope, socket: AsgiSocket, limit: RateLimit) -> bool:
    """Accept a WebSocket unless its address has opened too many; then refuse with 403."""
    try:
        limit.spend(address_in(scope), time.monotonic())
    except TooMany:
        await socket.refuse()
        return False
    await socket.accept()
    return True


async def _hold_back(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Change nothing before a restored server has its ledger, but what keeps people safe."""
    harmless = not has_to_wait(request.method, request.url.path)
    if get_estate(request).gate.is_open or harmless:
        return await call_next(request)
    refusal = Conflict("this server was put back and waits", code="ledger-awaited")
    return await answer_server_error(request, refusal)


def has_to_wait(method: str, path: str) -> bool:
    """Say whether a route is refused while a restored server waits for its ledger."""
    return method not in {"GET", "HEAD"} and _ALWAYS.match(path) is None


async def _bound_bodies(
    request: Request, call_next: Callable[[Request], Awaitable[Response]]
) -> Response:
    """Refuse long bodies before anything reads them."""
    length = request.headers.get("content-length", "0")[:_LONGEST_LENGTH]
    chunked = "transfer-encoding" in request.headers
    if request.method == "PUT" and _ENVELOPE.fullmatch(request.url.path):
        return await call_next(request)
    most = UPLOADS.get((request.method, request.url.path), MAX_BODY)
    if chunked or not (length.isascii() and length.isdigit()) or int(length) > most:
        return Response(status_code=413)
    return await call_next(request)
