"""Who may come to the forms here: anybody on the network, while they are switched on, at a rate."""

import time
from typing import Annotated

from fastapi import Depends, Request

from community_server.desk import EstateDep, address_of
from community_server.estate import Estate
from tier_kit.forms.errors import NotFound


async def spend_read(request: Request, estate: EstateDep) -> Estate:
    """Count one request without a body against its address.

    Raises:
        NotFound: the forms are switched off (`page-unknown`).
        TooMany: `rate-limited`.
    """
    _require_on(estate)
    estate.form_limits.reads.spend(address_of(request), time.monotonic())
    return estate


async def spend_upload(request: Request, estate: EstateDep) -> Estate:
    """Count one upload against its address; refused as `spend_read`."""
    _require_on(estate)
    estate.form_limits.uploads.spend(address_of(request), time.monotonic())
    return estate


def _require_on(estate: Estate) -> None:
    if not estate.settings.own_forms:
        raise NotFound("page-unknown")


Reading = Annotated[Estate, Depends(spend_read)]
Uploading = Annotated[Estate, Depends(spend_upload)]
