"""What is kept about people, for everybody to read without signing in."""

import time

from fastapi import APIRouter, Request, Response

from community_server.console.frame import bare_page
from community_server.desk import EstateDep, address_of
from community_server.retention.statement import state

router = APIRouter()


@router.get("/privacy")
def show_statement(request: Request, estate: EstateDep) -> Response:
    """Show what is kept, for how long, where, and who can see it."""
    # At the rate of the forms: strangers on the estate's network may read it, and not in a loop.
    estate.form_limits.reads.spend(address_of(request), time.monotonic())
    return bare_page(request, "privacy.html.jinja", statement=state(estate))
