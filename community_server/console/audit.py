"""What staff did and whom they looked at, for those who may read it; nothing here changes it."""

from collections.abc import Iterable
from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from community_server.audit.copies import disputes
from community_server.audit.queries import ShownRow, Wanted, list_actors
from community_server.audit.routes import rows_of
from community_server.console.frame import desk_page
from community_server.desk import EstateDep, reader
from community_server.estate import Estate
from community_server.pages import PAGES, language_of
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/audit")

Reader = Annotated[SignedIn, reader(Permission.READ_AUDIT)]
Id = Annotated[str, Query(max_length=64)]

SHOWN: Final = 100


@router.get("")
def show_audit(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    by: Annotated[str, Query(alias="staff", max_length=64)] = "",
    action: Id = "",
    subject: Id = "",
    before: Annotated[int, Query(ge=0, le=2**60)] = 0,
) -> Response:
    """Show rows, the newest first, by whom, what and about whom."""
    wanted = Wanted(by, action, subject, before)
    rows = rows_of(estate, wanted, SHOWN + 1)
    with estate.reading() as session:
        actors = list_actors(session)
    return desk_page(
        request,
        estate,
        staff,
        "audit.html.jinja",
        room="audit",
        here="/audit",
        rows=rows[:SHOWN],
        disputes=list(disputes(estate)),
        people=_people(estate, rows),
        older=_older(wanted, rows),
        wanted=wanted,
        actors=actors,
        actions=sorted(PAGES.catalogue.branch(language_of(request), "audited").items(), key=_word),
    )


def _people(estate: Estate, rows: Iterable[ShownRow]) -> dict[str, str]:
    """Return the names of those residents and visitors among the subjects who are still known."""
    found = {row.subject: estate.name_of(row.subject) for row in rows if not row.about}
    return {person: name for person, name in found.items() if name}


def _older(wanted: Wanted, rows: list[ShownRow]) -> str:
    """Return the address of the page that follows, empty where there is none."""
    if len(rows) <= SHOWN:
        return ""
    said = {"staff": wanted.staff, "action": wanted.action, "subject": wanted.subject}
    query = {key: value for key, value in said.items() if value}
    return "/audit?" + urlencode(query | {"before": rows[SHOWN - 1].number})


def _word(item: tuple[str, str]) -> str:
    return item[1]
