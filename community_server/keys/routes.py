"""The community's short-lived keys, and retiring them early, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, reader, writer
from community_server.estate import Estate
from community_server.keys.retiring import Retired, ShownKey, list_keys, retire, signed_list
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/certified-keys", tags=["estate"])

Reader = Annotated[SignedIn, reader(Permission.PAIR)]
Writer = Annotated[SignedIn, writer(Permission.PAIR, proven=True)]


class ListedKey(BaseModel):
    """A key whose certificate holds, or that was retired; times are Unix seconds, 0 for never."""

    key: str
    use: str
    not_before: int
    not_after: int
    retired_at: int


class RetirementRequest(BaseModel):
    """From when on nothing signed by these keys counts, in Unix seconds; 0 is now."""

    since: Annotated[int, Field(ge=0, le=2**40)] = 0


class KeysRetired(BaseModel):
    """How many keys were retired, and the ids of the people whose passes do not hold any more."""

    keys: int
    people: list[str]


@router.get("")
def show_keys(estate: EstateDep, staff: Reader) -> list[ListedKey]:
    """List the keys that count, and those that were retired."""
    del staff
    return [ListedKey(**asdict(one)) for one in look(estate)]


@router.get("/retired", response_class=Response)
def show_retired(estate: EstateDep, staff: Reader) -> Response:
    """Give the signed list of retired receipt keys, for `gatehouse verify-receipt --retired`."""
    del staff
    return retired_file(estate)


@router.post("/{use}/retirement")
def retire_keys(use: str, body: RetirementRequest, estate: EstateDep, staff: Writer) -> KeysRetired:
    """Retire all keys of one use (`envelope`, `reply`, `pass`, `receipt`); new ones follow."""
    return KeysRetired(**asdict(perform(estate, use, body.since, staff.staff)))


def look(estate: Estate) -> list[ShownKey]:
    """Read the keys."""
    with estate.reading() as session:
        return list_keys(session)


def retired_file(estate: Estate) -> Response:
    """Answer with the signed list."""
    with estate.changer.change() as change:
        text = signed_list(change)
    return Response(
        text,
        media_type="text/plain",
        headers={
            "content-disposition": 'attachment; filename="retired-keys.txt"',
            "cache-control": "no-store",
        },
    )


def perform(estate: Estate, use: str, since: int, staff: str) -> Retired:
    """Retire keys.

    Raises:
        NotFound: `key-use-unknown`.
        InputRefused: `time-unreadable`.
    """
    with estate.changer.change() as change:
        retired = retire(
            change,
            estate.links,
            staff,
            use,
            since=since,
            unsealed_uploads=estate.settings.unsealed_uploads,
        )
    with estate.changer.change() as change:
        estate.configurer.send_due(change)
    return retired
