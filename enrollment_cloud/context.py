"""What one running cloud process is made of, and how a route gets at it."""

import time
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Request

from enrollment_cloud.database import Database
from enrollment_cloud.enrollment.deposits import Deposits
from enrollment_cloud.enrollment.shares import CommunityShares
from enrollment_cloud.metrics.meters import Meters
from enrollment_cloud.records import CommunityRecords
from enrollment_cloud.relay import Relay
from enrollment_cloud.settings import Settings
from tier_kit.forms.limits import BodyBudget, RateLimit
from tier_kit.pages import Pages
from tier_link.channel import LinkHub, NodeIdentity
from tier_link.store import PairingCodes


@dataclass(frozen=True)
class Cloud:
    """One process. All that must outlive it is in the database."""

    settings: Settings
    database: Database
    relay: Relay
    deposits: Deposits
    identity: NodeIdentity
    hub: LinkHub
    codes: PairingCodes
    pages: Pages
    operator_pages: Pages
    records: CommunityRecords
    requests: RateLimit
    reads: RateLimit
    uploads: RateLimit
    pairings: RateLimit
    sign_ins: RateLimit
    bodies: BodyBudget
    shares: CommunityShares
    meters: Meters


async def this_cloud(request: Request) -> Cloud:
    """Return the process's cloud."""
    cloud: Cloud = request.app.state.cloud
    return cloud


CloudDependency = Annotated[Cloud, Depends(this_cloud)]


async def spend_read(request: Request, cloud: CloudDependency) -> None:
    """Count one request without a body against its address."""
    cloud.reads.spend(_address(request), time.monotonic())


async def spend_upload(request: Request, cloud: CloudDependency) -> None:
    """Count one upload against its address."""
    cloud.uploads.spend(_address(request), time.monotonic())


async def spend_sign_in(request: Request, cloud: CloudDependency) -> None:
    """Count one key that an operator shows against their address."""
    cloud.sign_ins.spend(_address(request), time.monotonic())


def _address(request: Request) -> str:
    return request.client.host if request.client else ""
