"""The audit log, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Query

from community_server.audit.queries import ShownRow, Wanted, list_audit
from community_server.desk import EstateDep, reader
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])

Reader = Annotated[SignedIn, reader(Permission.READ_AUDIT)]
Id = Annotated[str, Query(max_length=64)]


@router.get("")
def show_audit(
    estate: EstateDep,
    reader: Reader,
    staff: Id = "",
    action: Id = "",
    subject: Id = "",
    before: Annotated[int, Query(ge=0, le=2**60)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, object]]:
    """List what staff did and looked at, the newest first; go on with `before` the last number."""
    del reader
    return [asdict(row) for row in rows_of(estate, Wanted(staff, action, subject, before), limit)]


def rows_of(estate: Estate, wanted: Wanted, limit: int) -> list[ShownRow]:
    """List rows, the newest first."""
    with estate.reading() as session:
        return list_audit(session, wanted, limit)
