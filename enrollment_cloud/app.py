"""Puts one cloud process together."""

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import IntegrityError

from enrollment_cloud import health, link, pages
from enrollment_cloud.clock import unix_now
from enrollment_cloud.communities import pairing
from enrollment_cloud.communities import routes as communities
from enrollment_cloud.communities.service import CLOUD_NODE, cloud_key, find_link_key
from enrollment_cloud.context import Cloud
from enrollment_cloud.database import Database, open_cloud_database
from enrollment_cloud.description import describe_api
from enrollment_cloud.enrollment import routes as enrollment
from enrollment_cloud.enrollment.deposits import Deposits
from enrollment_cloud.enrollment.shares import CommunityShares
from enrollment_cloud.invitations import routes as invitations
from enrollment_cloud.limits import (
    MAX_BYTES_IN_FLIGHT,
    MAX_UPLOADS_PER_COMMUNITY,
    PAIRINGS_PER_MINUTE,
    SIGN_INS_PER_MINUTE,
)
from enrollment_cloud.metrics import routes as metrics
from enrollment_cloud.metrics.meters import Meters
from enrollment_cloud.metrics.readings import Readings
from enrollment_cloud.operators import routes as operators
from enrollment_cloud.records import CommunityRecords
from enrollment_cloud.refusals import Refusals
from enrollment_cloud.relay.choice import open_relay
from enrollment_cloud.settings import Settings
from enrollment_cloud.sweeper import Sweeper
from tier_kit.address_limit import AddressLimit
from tier_kit.forms import form_pages
from tier_kit.forms.limits import BodyBudget, RateLimit
from tier_kit.pages import Pages, PagesNotBuilt
from tier_kit.security import SecurityHeaders
from tier_kit.tracing import start_tracing, stop_tracing
from tier_link.channel import LinkHub, NodeIdentity, Pace
from tier_link.store import PairingCodes

API_PREFIX: Final = "/api/v1"

LINK_PACE: Final = Pace(durable_threads=8, outbox_poll_s=60.0)
"""PostgreSQL has many writers, and a fetch from a broker may wait. What other processes took is
seen by one look a second for all links (`wake_waiting_links`); links themselves hardly look."""

_log = logging.getLogger(__name__)


def create_cloud(settings: Settings) -> Cloud:
    """Open the database and build everything that works on it."""
    database = open_cloud_database(settings)
    relay = open_relay(settings, database.engine)
    deposits = Deposits(database, relay)
    records = CommunityRecords(deposits)
    identity = NodeIdentity(CLOUD_NODE, _link_key(database))

    def peer_key(community: str) -> Ed25519PublicKey | None:
        with database.read() as session:
            return find_link_key(session, community)

    return Cloud(
        settings=settings,
        database=database,
        relay=relay,
        deposits=deposits,
        records=records,
        hub=LinkHub(identity, relay.store, records, peer_key, LINK_PACE),
        codes=PairingCodes(database.engine),
        identity=identity,
        pages=form_pages(__package__ or ""),
        operator_pages=Pages(__package__ or ""),
        requests=RateLimit(settings.requests_per_minute),
        reads=RateLimit(settings.reads_per_minute),
        uploads=RateLimit(settings.uploads_per_minute),
        pairings=RateLimit(PAIRINGS_PER_MINUTE),
        sign_ins=RateLimit(SIGN_INS_PER_MINUTE),
        bodies=BodyBudget(MAX_BYTES_IN_FLIGHT),
        shares=CommunityShares(MAX_UPLOADS_PER_COMMUNITY),
        meters=Meters(),
    )


def _link_key(database: Database) -> Ed25519PrivateKey:
    try:
        with database.write.begin() as session:
            return cloud_key(session)
    except IntegrityError:
        # Replicas that start together on a new database: another was first, and its key is ours.
        with database.write.begin() as session:
            return cloud_key(session)


def create_app(settings: Settings) -> FastAPI:
    """Return the ASGI application of one cloud process."""
    cloud = create_cloud(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        presence = link.Presence(cloud)

        def chores() -> None:
            link.drop_outdated_links(cloud)
            link.wake_waiting_links(cloud)
            presence.note(time.monotonic())

        try:
            cloud.pages.asset("form.js")
        except PagesNotBuilt as missing:
            _log.warning("event=pages-not-built: %s", missing)  # the API works without them
        start_tracing(settings.traces, "cloud")
        sweeper = Sweeper(cloud.database, cloud.relay, unix_now, chores)
        sweeper.start()
        try:
            yield
        finally:
            sweeper.stop()
            stop_tracing()
            cloud.relay.close()
            cloud.database.engine.dispose()

    app = FastAPI(
        title="Gatehouse enrollment cloud",
        version="1",
        lifespan=lifespan,
        openapi_url=f"{API_PREFIX}/openapi.json",
        docs_url=None,  # both load scripts from elsewhere, which our pages' policy forbids
        redoc_url=None,
    )
    app.openapi = lambda: describe_api(app)  # type: ignore[method-assign]  # as FastAPI's docs say
    app.state.cloud = cloud
    app.state.readings = Readings(cloud)
    api = APIRouter(prefix=API_PREFIX)
    for part in (communities, invitations, enrollment):
        api.include_router(part.router)
    app.include_router(api)
    app.include_router(health.router)
    app.include_router(metrics.router)
    app.include_router(pages.router)
    app.include_router(operators.router)
    app.add_exception_handler(operators.SignInNeeded, operators.ask_for_key)
    app.include_router(pairing.router)
    app.include_router(link.router)
    refusals = Refusals(cloud.pages, cloud.meters)
    refusals.install(app)
    app.add_middleware(AddressLimit, limit=cloud.requests, answer=refusals.too_many)
    app.add_middleware(SecurityHeaders, https=settings.https)
    return app
