"""The console's pages, put together."""

from fastapi import APIRouter

from community_server.console import (
    alarms,
    analysis,
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
    reports,
    setup,
    visitors,
    why,
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
    why,
    reports,
    analysis,
    alarms,
    calls,
    cloud,
    lockdown,
):
    router.include_router(page.router)
