"""Lockdowns, for programs."""

from dataclasses import asdict
from typing import Annotated, Final

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from access_rules.lockdown import Lockdown
from community_server.desk import EstateDep, address_of, reader, writer
from community_server.doors.service import list_doors
from community_server.estate import Estate
from community_server.lockdown.service import DoorState, declare, show, state_of
from community_server.staff.permissions import Permission
from community_server.staff.proof import prove_again
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/lockdown", tags=["lockdown"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ESTATE)]
Writer = Annotated[SignedIn, writer(Permission.LOCK_DOWN)]


_LOCKED: Final = frozenset({DoorState.LOCKED, DoorState.LOCKED_AWAY})
_PENDING: Final = frozenset(
    {
        DoorState.NOT_CONFIRMED,
        DoorState.NOT_HEARD,
        DoorState.STILL_LOCKED,
        DoorState.STILL_LOCKED_AWAY,
    }
)


class LockdownRequest(BaseModel):
    """A word for the whole estate, with the password of whoever says it."""

    active: bool
    reason: Annotated[str, Field(max_length=1000)] = ""
    password: Annotated[str, Field(max_length=1000)] = Field(repr=False)


class LockdownAccepted(BaseModel):
    """The number of the declaration, which doors show once they hold it."""

    number: int


class DoorLockdown(BaseModel):
    """One door: `open`, `unpaired`, or how it stands to the lockdown."""

    door: str
    name: str
    state: DoorState


class ShownLockdown(BaseModel):
    """The newest declaration (`number` 0: there never was one), and every door.

    `kept` says that this server was put back to an older state, and keeps a lockdown in force.
    """

    number: int
    active: bool
    at: int
    by: str
    kept: bool
    reason: str
    doors: list[DoorLockdown]

    @property
    def paired(self) -> int:
        """How many doors there are to lock."""
        return sum(one.state is not DoorState.UNPAIRED for one in self.doors)

    @property
    def locked(self) -> int:
        """How many doors have said that they are locked down."""
        return sum(one.state in _LOCKED for one in self.doors)

    @property
    def pending(self) -> int:
        """How many doors have not said yet what the newest declaration wants of them."""
        return sum(one.state in _PENDING for one in self.doors)


@router.get("")
def show_lockdown(estate: EstateDep, staff: Reader) -> ShownLockdown:
    """Show whether the estate is locked down, and which doors have said that they are."""
    del staff
    return look(estate)


@router.post("", status_code=201)
def make_declaration(
    body: LockdownRequest, request: Request, estate: EstateDep, staff: Writer
) -> LockdownAccepted:
    """Lock every door down, or end that; connected doors follow within two seconds."""
    return LockdownAccepted(number=perform(estate, body, staff, address_of(request)))


def look(estate: Estate) -> ShownLockdown:
    """Gather what is known of the lockdown."""
    with estate.reading() as session:
        declared = show(session, estate.safe)
        word = Lockdown(declared.number, declared.active)
        doors = [
            DoorLockdown(
                door=door.id,
                name=door.name,
                state=state_of(door, word, connected=estate.doors.link(door.id) is not None),
            )
            for door in list_doors(session)
        ]
    return ShownLockdown(**asdict(declared), doors=doors)


def perform(estate: Estate, body: LockdownRequest, staff: SignedIn, address: str) -> int:
    """Declare, once the password was right; return the number.

    Raises:
        TooManyAttempts: too many wrong passwords; wait first.
        InputRefused: `password-not-yours`, `lockdown-reason-missing`, `lockdown-reason-long`.
        Conflict: `locked-down-already`, `not-locked-down`.
    """
    prove_again(estate.reading, estate.backoff, staff, body.password, address)
    with estate.changer.change() as change:
        change.after_commit(estate.doors.tell_news)
        declared = declare(
            change, estate.links, staff.staff, active=body.active, reason=body.reason
        )
    return declared.number
