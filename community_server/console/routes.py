"""All pages of the console."""

from fastapi import APIRouter

from community_server.console import approvals, doors, entrance, entries, overview, people

router = APIRouter()
for page in (entrance, overview, approvals, people, doors, entries):
    router.include_router(page.router)
