"""`GET /health`: is this process able to do its work?"""

from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel
from sqlalchemy import text

from enrollment_cloud.context import CloudDependency

router = APIRouter(tags=["health"])


class Health(BaseModel):
    """The process answers and its database does."""

    status: Literal["ok"] = "ok"


@router.get("/health/live")
async def is_alive() -> Health:
    """Answer 200 as long as the process turns, whatever its database does."""
    return Health()


@router.get("/health/ready")
@router.get("/health")
def read_health(cloud: CloudDependency) -> Health:
    """Answer 200 if the database answers, else 503."""
    with cloud.database.engine.connect() as connection:
        connection.execute(text("SELECT 1"))
    return Health()
