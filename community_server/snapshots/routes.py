"""Pictures of refused faces, for programs of those who may see them."""

from typing import Annotated

from fastapi import APIRouter, Response

from community_server.audit.log import audit
from community_server.desk import EstateDep, reader
from community_server.estate import Estate
from community_server.snapshots.service import open_snapshot
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/entries", tags=["entries"])

Reader = Annotated[SignedIn, reader(Permission.SEE_SNAPSHOTS)]


@router.get("/{entry}/snapshot", response_class=Response)
def show_snapshot(entry: str, estate: EstateDep, staff: Reader) -> Response:
    """Show what a door saw of a face that it refused; each look is in the audit log."""
    return picture_of(estate, entry, staff.staff)


def picture_of(estate: Estate, entry: str, staff: str) -> Response:
    """Answer with the picture of a refusal, for nobody to keep, and note who looked.

    Raises:
        NotFound: `snapshot-unknown`.
    """
    with estate.changer.change() as change:
        picture = open_snapshot(change.session, change.safe, entry)
        audit(change.session, staff, "see-snapshot", entry)
    return Response(picture, media_type="image/jpeg", headers={"cache-control": "no-store"})
