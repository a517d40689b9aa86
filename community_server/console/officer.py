"""The privacy officer's desk: who looked at whom, and a person's data to take away."""

from typing import Annotated, Final
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response

from community_server.audit.queries import list_actors
from community_server.console.frame import desk_page, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import InputRefused
from community_server.estate import Estate
from community_server.pages import language_of
from community_server.people.routes import listed
from community_server.privacy.register import LOOKS, Look
from community_server.privacy.routes import LookQuery, looks_of, send_bundle
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/officer")

Registrar = Annotated[SignedIn, reader(Permission.READ_AUDIT)]
Reader = Annotated[SignedIn, reader(Permission.KEEP_PRIVACY)]

SHOWN: Final = 100


@router.get("/looks")
def show_looks(
    request: Request, estate: EstateDep, staff: Registrar, query: Annotated[LookQuery, Query()]
) -> Response:
    """Show who looked at what of whom; whoever asks about one person is noted like the others."""
    if "" in request.query_params.values():
        return go_to(_address(query))
    refusal, looks = None, list[Look]()
    try:
        looks = looks_of(estate, staff.staff, query, SHOWN + 1)
    except InputRefused as error:
        refusal = error
    with estate.reading() as session:
        actors = list_actors(session)
    more = len(looks) > SHOWN
    return desk_page(
        request,
        estate,
        staff,
        "looks.html.jinja",
        room="officer",
        here=_address(query),
        refusal=refusal,
        query=query,
        looks=looks[:SHOWN],
        older=_address(query, before=looks[SHOWN - 1].number) if more else "",
        people={look.person: _shown(estate, look.person) for look in looks if look.person},
        whom=_shown(estate, query.person) if query.person else None,
        actors=actors,
        actions=LOOKS,
    )


@router.get("/people/{person}")
def offer_bundle(request: Request, person: str, estate: EstateDep, staff: Reader) -> Response:
    """Say what the file holds, and offer it once it is certain who takes it."""
    shown = listed(estate, person)
    return desk_page(
        request,
        estate,
        staff,
        "bundle_offer.html.jinja",
        room="officer",
        here=f"/officer/people/{person}",
        person=shown,
    )


@router.get("/people/{person}/file")
def send_file(request: Request, person: str, estate: EstateDep, staff: Reader) -> Response:
    """Send the file; whoever waited too long is asked again."""
    if not staff.proven:
        return go_to(f"/officer/people/{person}")
    return send_bundle(estate, person, staff.staff, language_of(request))


def _shown(estate: Estate, person: str) -> tuple[str, str]:
    """Return a person's name and unit, empty for nobody any more."""
    row = estate.book.find(person)
    return (row.name, row.roster.unit) if row else ("", "")


def _address(query: LookQuery, **more: object) -> str:
    said = {key: value for key, value in (query.model_dump() | more).items() if value}
    return "/officer/looks" + (f"?{urlencode(said)}" if said else "")
