"""How the backups are doing, and trying out the recovery kit, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from community_server.backups.service import BackupState, check_kit, state_of
from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1", tags=["estate"])

Reader = Annotated[SignedIn, reader(Permission.PAIR)]
Writer = Annotated[SignedIn, writer(Permission.PAIR, proven=True)]


class ShownBackups(BaseModel):
    """Times are Unix seconds, 0 for never; `why` is what went wrong at the last try."""

    folder: str
    made_at: int
    file: str
    tried_at: int
    why: str
    overdue: bool
    kit_checked_at: int


class KitRequest(BaseModel):
    """The secret that stands on the recovery kit."""

    secret: Annotated[str, Field(max_length=200)] = Field(repr=False)


@router.get("/backups")
def show_backups(estate: EstateDep, staff: Reader) -> ShownBackups:
    """Say when the last backup was made, and when the recovery kit was last tried."""
    del staff
    return ShownBackups(**asdict(look(estate)))


@router.post("/recovery-kit/check", status_code=204)
def try_kit(body: KitRequest, estate: EstateDep, staff: Writer) -> None:
    """Make sure that the recovery kit is the community's; set-up is complete by that."""
    perform(estate, staff, body.secret)


def look(estate: Estate) -> BackupState:
    """Gather how the backups are doing."""
    with estate.reading() as session:
        return state_of(session, estate.settings)


def perform(estate: Estate, staff: SignedIn, secret: str) -> None:
    """Try the kit out.

    Raises:
        InputRefused: `kit-mistyped`, `kit-foreign`.
    """
    with estate.changer.change() as change:
        check_kit(change, staff.staff, secret)
