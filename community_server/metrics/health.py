"""Is this server alive, and can it do its work? Neither needs a sign-in; neither says of whom."""

import logging

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from community_server.desk import EstateDep
from community_server.estate import Estate

_log = logging.getLogger(__name__)

router = APIRouter(prefix="/health", include_in_schema=False)


@router.get("")
@router.get("/live")
async def is_alive() -> dict[str, str]:
    """Answer as long as the process turns; models are loaded before it listens."""
    return {"status": "ok"}


@router.get("/ready")
def is_ready(estate: EstateDep) -> Response:
    """Answer 200 while it can serve, else 503, with what hinders it.

    A cloud or a door that is away hinders nothing here: the estate goes on, and starting the
    server anew would not bring them back.
    """
    hindrances = list(_hindrances(estate))
    status = "not-ready" if hindrances else "ok"
    return JSONResponse(
        {"status": status, "hindrances": hindrances}, status_code=503 if hindrances else 200
    )


def _hindrances(estate: Estate) -> list[str]:
    found = []
    try:
        with estate.reading() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        _log.error("ready=no database=failed type=%s", type(error).__name__)
        found.append("database")
    if not estate.gate.is_open:
        found.append("ledger-awaited")
    return found
