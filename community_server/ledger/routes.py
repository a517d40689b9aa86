"""The wait for the ledger after a restore, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, address_of, reader, writer
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.proof import prove_again
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/ledger", tags=["estate"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ESTATE)]
Writer = Annotated[SignedIn, writer(Permission.MANAGE_PEOPLE)]


class LedgerSource(BaseModel):
    """A door, or the cloud (without a name): `away`, `asked`, `answered`, `mute` or `refused`."""

    peer: str
    name: str
    state: str


class ShownLedger(BaseModel):
    """Whether this server waits, and from whom something is still to come."""

    waiting: bool
    sources: list[LedgerSource]


class SkipRequest(BaseModel):
    """Going on without the ledger: why, and the password of whoever says so."""

    reason: Annotated[str, Field(max_length=40)]
    password: Annotated[str, Field(max_length=1000)] = Field(repr=False)


@router.get("")
def show_ledger(estate: EstateDep, staff: Reader) -> ShownLedger:
    """Say whether the server was put back and waits for its ledger."""
    del staff
    return look(estate)


@router.post("/skip", status_code=204)
def skip_ledger(body: SkipRequest, request: Request, estate: EstateDep, staff: Writer) -> None:
    """Serve again without it; what comes later still takes effect."""
    perform(estate, body, staff, address_of(request))


def look(estate: Estate) -> ShownLedger:
    """Gather who has handed back what."""
    sources = [LedgerSource(**asdict(one)) for one in estate.recovery.sources()]
    return ShownLedger(waiting=not estate.gate.is_open, sources=sources)


def perform(estate: Estate, body: SkipRequest, staff: SignedIn, address: str) -> None:
    """Go on without the ledger, once the password was right.

    Raises:
        TooManyAttempts: too many wrong passwords; wait first.
        InputRefused: `password-not-yours`, `ledger-reason-unknown`.
        Conflict: `ledger-not-awaited`.
    """
    prove_again(estate.reading, estate.backoff, staff, body.password, address)
    estate.recovery.open(staff.staff, body.reason)
