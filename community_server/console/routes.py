"""The console's pages, put together."""

from fastapi import APIRouter

from community_server.console import (
    account,
    alarms,
    analysis,
    approvals,
    audit,
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
    staff,
    tokens,
    visitors,
    welcome,
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
    staff,
    tokens,
    audit,
    account,
    welcome,
):
    router.include_router(page.router)
