"""The console's pages, put together."""

from fastapi import APIRouter

from community_server.console import (
    account,
    alarm_rules,
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
    night,
    openings,
    overview,
    people,
    reports,
    setup,
    staff,
    tokens,
    visitors,
    webhooks,
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
    alarm_rules,
    alarms,
    calls,
    night,
    cloud,
    webhooks,
    lockdown,
    staff,
    tokens,
    audit,
    account,
    welcome,
):
    router.include_router(page.router)
