"""What is kept about people here, for how long, where, and who can see it: from what is configured.

The page that states it needs no sign-in, so nothing here tells more than that.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from community_server.doors.tables import Door
from community_server.estate import Estate
from community_server.messages.tables import OutgoingMessage
from community_server.privacy.details import read_details
from community_server.receipts.settling import KEPT_DAYS
from community_server.retention.schedule import Kept, Kind, read_schedule
from community_server.services.companies import USUAL_RETENTION_DAYS
from community_server.services.tables import Company
from community_server.setup.community import get_community
from community_server.staff.permissions import PERMISSIONS, Permission, Role
from community_server.staff.tables import ApiToken
from community_server.webhooks.tables import Webhook

_YEAR = 366


@dataclass(frozen=True)
class Stated:
    """One kind of data.

    `what` is its code; `until` the code of how long, with `count` in it where it is a figure.
    `places` are codes; `seen_by` the roles whose pages show it.
    """

    what: str
    until: str
    count: int
    places: tuple[str, ...]
    seen_by: tuple[Role, ...]


@dataclass(frozen=True)
class Statement:
    """All of it, of the estate named `estate`; `snapshots` says whether any door takes pictures.

    `controller` answers for it, and is reached by `contact`; empty until the officer has said so.
    """

    estate: str
    controller: str
    contact: str
    snapshots: bool
    kinds: tuple[Stated, ...]


def state(estate: Estate) -> Statement:
    """Say what this estate keeps now.

    Raises:
        NotSetUp: there is no estate yet.
    """
    with estate.reading() as session:
        community = get_community(session)
        wanted = select(exists().where(Door.snapshots, Door.state != "revoked"))
        snapshots = bool(session.scalar(wanted))
        found = tuple(
            one
            for one in _kinds(session, estate, cloud=community.cloud_key is not None)
            if snapshots or one.what != Kind.SNAPSHOTS
        )
        said = read_details(session)
        return Statement(community.name, said.controller, said.contact, snapshots, found)


def _kinds(session: Session, estate: Estate, *, cloud: bool) -> Iterator[Stated]:
    schedule = read_schedule(session, estate.settings)
    doors = ("server", "doors")
    people = _seeing(Permission.SEE_PEOPLE)
    entries = _seeing(Permission.SEE_ENTRIES)
    yield Stated("face", "erased", 0, doors, ())
    places = ("server", "cloud") if cloud else ("server",)
    waits = schedule[Kind.APPROVALS].keep
    yield Stated(Kind.APPROVALS, "decided", waits, places, _seeing(Permission.APPROVE))
    yield Stated("residents", "moved-out", 0, ("server",), people)
    yield Stated("visitors", "visit-over", 0, doors, people)
    days = session.scalar(select(func.max(Company.retention_days)))
    days = USUAL_RETENTION_DAYS if days is None else days
    yield Stated("workers", "company", days, doors, people)
    yield _scheduled(schedule[Kind.ENTRIES], ("server", "doors-week"), Permission.SEE_ENTRIES)
    yield _scheduled(schedule[Kind.SNAPSHOTS], ("server",), Permission.SEE_SNAPSHOTS)
    if estate.gateways or session.scalar(select(OutgoingMessage.id).limit(1)):
        places = ("server", "providers")
        yield _scheduled(schedule[Kind.MESSAGES], places, Permission.MANAGE_PEOPLE)
    places = ("server", "systems") if _is_connected(session, estate) else ("server",)
    yield _scheduled(schedule[Kind.EVENTS], places, Permission.SEE_EVENTS)
    yield _scheduled(schedule[Kind.AUDIT], ("server",), Permission.READ_AUDIT)
    years = KEPT_DAYS // 365
    yield Stated("receipts", "years", years, ("server",), _seeing(Permission.REMOVE_PEOPLE))
    yield Stated("sums", "estate", 0, ("server",), entries)


def _scheduled(kept: Kept, places: tuple[str, ...], seen: Permission) -> Stated:
    until, count = kept.unit, kept.keep
    if until == "days" and count % _YEAR == 0:
        until, count = "years", count // _YEAR
    return Stated(kept.kind, until, count, places, _seeing(seen))


def _seeing(permission: Permission) -> tuple[Role, ...]:
    return tuple(role for role in Role if permission in PERMISSIONS[role])


def _is_connected(session: Session, estate: Estate) -> bool:
    """Say whether another system is told of events, or may ask for them."""
    tokens = exists().where(
        ApiToken.revoked_at == 0,
        or_(
            ApiToken.scopes.contains(Permission.SEE_EVENTS),
            ApiToken.scopes.contains(Permission.SEE_ENTRIES),
        ),
    )
    told = session.scalar(select(exists().where(Webhook.id != "")))
    return bool(estate.settings.mqtt_host or told or session.scalar(select(tokens)))
