"""What every signed-in page shows around its own content, and how times are written."""

from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse

from community_server.desk import check_origin
from community_server.errors import InputRefused
from community_server.estate import Estate
from community_server.pages import PAGES, language_of, show
from community_server.setup.community import get_community
from community_server.staff.sessions import SignedIn, check_csrf
from page_kit.catalogue import CatalogueError

MOMENT: Final = "%Y-%m-%d %H:%M"
EXACT_MOMENT: Final = "%Y-%m-%d %H:%M:%S"


def desk_page(
    request: Request, estate: Estate, signed_in: SignedIn, template: str, **values: object
) -> HTMLResponse:
    """Answer with a whole page for whoever is signed in."""
    with estate.reading() as session:
        name = get_community(session).name
    around = {"estate_name": name, "csrf": signed_in.csrf}
    return show(request, template, around | helpers(request, estate) | values)


def fragment(
    request: Request, estate: Estate, template: str, *, event: str = "", **values: object
) -> HTMLResponse:
    """Answer with a part of a page; `event` tells other parts to reload themselves."""
    language = language_of(request)
    text = PAGES.render(template, language, **helpers(request, estate), **values)
    return HTMLResponse(text, headers={"hx-trigger": event} if event else {})


def nothing(event: str) -> Response:
    """Answer that it is done; other parts of the page reload themselves."""
    return HTMLResponse("", headers={"hx-trigger": event})


def helpers(request: Request, estate: Estate) -> dict[str, object]:
    """Return what templates use to write times, names and reasons."""
    language = language_of(request)
    zone = ZoneInfo(estate.settings.time_zone)

    def moment(seconds: int) -> str:
        return datetime.fromtimestamp(seconds, zone).strftime(MOMENT)

    def moment_ms(milliseconds: int) -> str:
        return datetime.fromtimestamp(milliseconds // 1000, zone).strftime(EXACT_MOMENT)

    def reason_of(code: str) -> str:
        try:
            return PAGES.catalogue.say(language, f"reasons.{code}")
        except CatalogueError:
            return code

    return {
        "moment": moment,
        "moment_ms": moment_ms,
        "reason_of": reason_of,
        "name_of": estate.name_of,
    }


def read_local_time(estate: Estate, text: str, field: str) -> int:
    """Read what a `datetime-local` field sends, in the estate's time zone; empty is 0.

    Raises:
        InputRefused: not a time.
    """
    if not text:
        return 0
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise InputRefused("not a time", field=field) from error
    return int(local.replace(tzinfo=ZoneInfo(estate.settings.time_zone)).timestamp())


def check_form(request: Request, signed_in: SignedIn, token: str) -> None:
    """Check a form that is sent without script: it carries the token itself.

    Raises:
        SignInRefused: `origin-wrong`, `csrf-wrong`.
    """
    check_origin(request)
    check_csrf(signed_in, token)
