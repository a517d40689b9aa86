"""Synchronising another system's households, people, rules and cards."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel

from community_server.access.routes import ScheduleRequest
from community_server.desk import EstateDep, reader, writer
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.pages import error_sentence
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.sync.batch import (
    BaseRow,
    Batch,
    BatchDone,
    Synchronised,
    Trouble,
    Unreadable,
)
from community_server.sync.items import (
    CardItem,
    CompanyItem,
    Done,
    GroupItem,
    HouseholdItem,
    InPath,
    Item,
    Kind,
    PersonItem,
)
from community_server.sync.service import Asked, Synchroniser, known_ids

router = APIRouter(prefix="/api/v1/sync", tags=["sync"])

Reader = Annotated[SignedIn, reader(Permission.SYNCHRONISE)]
Writer = Annotated[SignedIn, writer(Permission.SYNCHRONISE)]
DryRun = Annotated[bool, Query(description="Say what would become of it; change nothing.")]


class KnownId(BaseModel):
    """Another system's id of a thing, and this server's."""

    external_id: str
    id: str


@router.get("/{kind}")
def show_known(kind: Kind, estate: EstateDep, staff: Reader) -> list[KnownId]:
    """List the things of a kind that other systems have ids of."""
    del staff
    with estate.reading() as session:
        found = known_ids(session, kind)
    return [KnownId(external_id=external, id=own) for external, own in found.items()]


@router.put("/households/{external_id}")
def put_household(
    external_id: InPath,
    body: HouseholdItem,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> Synchronised:
    """Create or change a unit; a unit without an id of another system takes this one."""
    return _do(estate, staff, "households", external_id, body, dry_run=dry_run)


@router.put("/schedules/{external_id}")
def put_schedule(
    external_id: InPath,
    body: ScheduleRequest,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> Synchronised:
    """Create or change a schedule; doors hear of it at once."""
    return _do(estate, staff, "schedules", external_id, body, dry_run=dry_run)


@router.put("/groups/{external_id}")
def put_group(
    external_id: InPath,
    body: GroupItem,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> Synchronised:
    """Create or change an access group; doors hear of it at once."""
    return _do(estate, staff, "groups", external_id, body, dry_run=dry_run)


@router.put("/companies/{external_id}")
def put_company(
    external_id: InPath,
    body: CompanyItem,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> Synchronised:
    """Create or change a company of service workers; suspend them, or let them in again."""
    return _do(estate, staff, "companies", external_id, body, dry_run=dry_run)


@router.put("/people/{external_id}")
def put_person(
    external_id: InPath,
    body: PersonItem,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> Synchronised:
    """Create or change a resident; whoever was leaving by another system's word stays."""
    return _do(estate, staff, "people", external_id, body, dry_run=dry_run)


@router.put("/cards/{external_id}")
def put_card(
    external_id: InPath,
    body: CardItem,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> Synchronised:
    """Give somebody a card, in place of what had this id."""
    return _do(estate, staff, "cards", external_id, body, dry_run=dry_run)


@router.delete("/{kind}/{external_id}")
def remove_thing(
    kind: Kind,
    external_id: InPath,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> Synchronised:
    """Remove a thing; doors close to a person now, who is erased after seven days."""
    return _do(estate, staff, kind, external_id, None, dry_run=dry_run)


@router.post("/batch")
def do_batch(
    body: Batch,
    request: Request,
    estate: EstateDep,
    staff: Writer,
    dry_run: DryRun = False,  # noqa: FBT002 - a query's word
) -> BatchDone:
    """Do up to 200 things; each is done or refused by itself."""
    synchroniser = _synchroniser(estate, staff)
    if dry_run:
        with synchroniser.rehearsal() as rehearse:
            results = [_row(request, row, rehearse) for row in body.items]
    else:

        def do(asked: Asked) -> Done:
            return synchroniser.do(asked, dry_run=False)

        results = [_row(request, row, do) for row in body.items]
    return BatchDone(results=results)


def _row(request: Request, row: BaseRow | Unreadable, do: Callable[[Asked], Done]) -> Synchronised:
    try:
        if isinstance(row, Unreadable):
            raise InputRefused(f"{row.field}: {row.message}", field=row.field)
        asked = row.asked()
        return Synchronised.of(asked, do(asked))
    except ServerError as error:
        return Synchronised(
            kind=getattr(row, "kind", ""),
            external_id=row.external_id,
            outcome="refused",
            error=Trouble(
                code=error.code,
                message=error_sentence(request, error.code, str(error)),
                field=error.field if isinstance(error, InputRefused) else "",
            ),
        )


def _do(
    estate: Estate,
    staff: SignedIn,
    kind: Kind,
    external_id: str,
    item: Item | None,
    *,
    dry_run: bool,
) -> Synchronised:
    asked = Asked(kind, external_id, item)
    return Synchronised.of(asked, _synchroniser(estate, staff).do(asked, dry_run=dry_run))


def _synchroniser(estate: Estate, staff: SignedIn) -> Synchroniser:
    key, zone = estate.secrets.card_key, estate.importer.zone
    return Synchroniser(estate.changer, key, zone, staff.staff)
