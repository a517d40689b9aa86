"""The console's pages, put together."""

from fastapi import APIRouter

from community_server.console import (
    alarms,
    approvals,
    calls,
    cloud,
    doors,
    entries,
    lockdown,
    login,
    openings,
    overview,
    people,
    setup,
    visitors,
)

router = APIRouter(include_in_schema=False)
for page in (
    setup,
    login,
    overview,
    approvals,
    people,
    visitors,
    doors,
    openings,
    entries,
    alarms,
    calls,
    cloud,
    lockdown,
):
    router.include_router(page.router)
