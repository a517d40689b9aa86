"""The outbox, for programs."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel

from community_server.desk import EstateDep, reader
from community_server.messages.service import list_messages
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/messages", tags=["messages"])

Reader = Annotated[SignedIn, reader(Permission.MANAGE_PEOPLE)]


class ListedMessage(BaseModel):
    """One message: `queued`, `sent` or `failed`; `why` is what went wrong last. Never its text.

    It is to a `person`, or about an alarm to a member of `staff`.
    """

    message: str
    person: str
    staff: str
    channel: str
    state: str
    why: str
    attempts: int
    due_at: int
    created_at: int
    ended_at: int


@router.get("")
def show_messages(
    estate: EstateDep, staff: Reader, limit: Annotated[int, Query(ge=1, le=1000)] = 100
) -> list[ListedMessage]:
    """List messages, those that failed or wait before those sent, the newest first."""
    del staff
    with estate.reading() as session:
        return [
            ListedMessage(
                message=one.id,
                person=one.person,
                staff=one.staff,
                channel=one.channel,
                state=one.state,
                why=one.why,
                attempts=one.attempts,
                due_at=one.due_at,
                created_at=one.created_at,
                ended_at=one.ended_at,
            )
            for one in list_messages(session, limit)
        ]
