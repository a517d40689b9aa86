"""The schedule, for programs of those who may set it."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, reader, writer
from community_server.retention.service import change_schedule, schedule_of
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/retention", tags=["privacy"])

Reader = Annotated[SignedIn, reader(Permission.KEEP_PRIVACY)]
Writer = Annotated[SignedIn, writer(Permission.KEEP_PRIVACY, proven=True)]


class KeepRequest(BaseModel):
    """For how long one kind of data is kept from now on, in its unit."""

    keep: Annotated[int, Field(ge=0, le=10_000)]


@router.get("")
def show_schedule(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """Show for how long each kind of data is kept, within which bounds, and how much went."""
    del staff
    return [asdict(kept) for kept in schedule_of(estate).values()]


@router.put("/{kind}", status_code=204)
def change_keep(kind: str, body: KeepRequest, estate: EstateDep, staff: Writer) -> None:
    """Set for how long one kind is kept; what is too old by then goes within minutes."""
    change_schedule(estate, staff.staff, {kind: body.keep})
