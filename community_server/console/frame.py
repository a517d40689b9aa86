"""What every page behind the sign-in shares: its frame, its forms, its refusals."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import Form, Request
from fastapi.params import Depends as Dependency
from fastapi.responses import HTMLResponse, RedirectResponse

from community_server.alarms.queries import AlarmFilter, ShownAlarm, count_open, list_alarms
from community_server.calls.routes import ShownCall, list_calls
from community_server.console.clock import EstateClock
from community_server.desk import SignedInDep, check_origin
from community_server.errors import (
    Conflict,
    InputRefused,
    NotFound,
    ServerError,
    TooManyAttempts,
)
from community_server.estate import Estate
from community_server.intake.approvals import count_waiting
from community_server.lockdown.routes import ShownLockdown, look
from community_server.pages import PAGES, language_of, show
from community_server.setup.community import get_community
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn, check_csrf
from community_server.visits.queries import count_asking

REFERRER_POLICY: Final = "same-origin"
"""Under the stricter `no-referrer` browsers send `Origin: null` with a form (Fetch, 3.2), which
could not be told from another site's; addresses here carry no secret, and leave to no other."""

MOST_ESCALATED: Final = 2
"""Read for the banner, which names the newest and says whether there are more."""

Text = Annotated[str, Form(max_length=1000)]


DAILY_ROOMS: Final = (
    ("/", "overview", Permission.SEE_ESTATE),
    ("/night", "night", Permission.ANSWER_CALLS),
    ("/approvals", "approvals", Permission.APPROVE),
    ("/visitors", "visitors", Permission.SEE_PEOPLE),
    ("/services", "services", Permission.SEE_PEOPLE),
    ("/people", "people", Permission.SEE_PEOPLE),
    ("/entries", "entries", Permission.SEE_ENTRIES),
    ("/alarms", "alarms", Permission.SEE_ALARMS),
)
"""The navigation: a room's address, its name in `nav`, and what entering it takes. These are gone
to all day, and a phone shows them in a strip above the page ..."""
OTHER_ROOMS: Final = (
    ("/doors", "doors", Permission.SEE_DOORS),
    ("/lockdown", "lockdown", Permission.SEE_ESTATE),
    ("/cloud", "cloud", Permission.PAIR),
    ("/backups", "backups", Permission.PAIR),
    ("/staff", "staff", Permission.MANAGE_STAFF),
    ("/audit", "audit", Permission.READ_AUDIT),
    ("/officer", "officer", Permission.KEEP_PRIVACY),
)
"""... while it shows these when asked for more."""
ROOMS: Final = DAILY_ROOMS + OTHER_ROOMS


def form_writer(permission: Permission, *, proven: bool = False) -> Dependency:
    """Return what a form's route depends on: the session's token has to be among its fields.

    Such a route is refused with `sign-in-needed`, `csrf-wrong`, `origin-wrong`, `not-permitted`;
    with `proven` also with `proof-needed`: its page asks for the password before it shows the form.
    """

    def get_form_writer(request: Request, signed_in: SignedInDep, csrf: Text = "") -> SignedIn:
        check_origin(request)
        check_csrf(signed_in, csrf)
        signed_in.need(permission)
        if proven and not signed_in.proven:
            # Not 403: the script takes that for a session that has ended.
            raise InputRefused("your password is needed", field="own_password", code="proof-needed")
        return signed_in

    return Dependency(get_form_writer)


@dataclass(frozen=True)
class Problem:
    """A refusal as a page shows it: its code, the field it is about, the seconds to wait."""

    code: str
    field: str
    wait: int


@dataclass(frozen=True)
class Frame:
    """What stands around every page of the desk."""

    estate: str
    daily_rooms: Sequence[tuple[str, str]]
    other_rooms: Sequence[tuple[str, str]]
    username: str
    csrf: str = field(repr=False)
    proven: bool
    second_factor: bool
    waiting: int
    asking: int
    alarms: int
    lockdown: ShownLockdown
    calls: Sequence[ShownCall]
    escalated: Sequence[ShownAlarm]
    restored: bool
    """Whether this server was put back and waits for its ledger."""


def problem_of(error: ServerError) -> Problem:
    """Return what a page shows of a refusal."""
    about = error.field if isinstance(error, InputRefused) else ""
    wait = math.ceil(error.wait) if isinstance(error, TooManyAttempts) else 0
    return Problem(error.code, about, wait)


def status_of(error: ServerError) -> int:
    """Return the HTTP status of a page that shows a refusal."""
    match error:
        case NotFound():
            return 404
        case Conflict():
            return 409
        case TooManyAttempts():
            return 429
        case InputRefused():
            return 422
        case _:
            return 403


def zone_of(estate: Estate) -> ZoneInfo:
    """Return the estate's time zone."""
    return ZoneInfo(estate.settings.time_zone)


def clock_of(request: Request, estate: Estate) -> EstateClock:
    """Return the estate's clock in the reader's language."""
    return EstateClock(zone_of(estate), language_of(request))


def count_alarms(estate: Estate) -> int:
    """Return how many alarms wait for somebody."""
    with estate.reading() as session:
        return count_open(session)


def list_escalated(estate: Estate) -> list[ShownAlarm]:
    """Return the newest alarms of which nobody has taken notice in time."""
    with estate.reading() as session:
        return list_alarms(
            session, estate.safe, AlarmFilter(only_escalated=True), limit=MOST_ESCALATED
        )


def bare_page(
    request: Request, template: str, *, status: int = 200, **values: object
) -> HTMLResponse:
    """Answer with a page outside the desk's frame."""
    response = show(request, template, status=status, **values)
    response.headers["referrer-policy"] = REFERRER_POLICY
    return response


def desk_page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    template: str,
    *,
    room: str,
    here: str,
    refusal: ServerError | None = None,
    status: int = 200,
    **values: object,
) -> HTMLResponse:
    """Answer with a page of the desk.

    Args:
        request: the request.
        estate: the estate.
        staff: who is at the desk.
        template: below `templates/`.
        room: the entry of the navigation that the page belongs to.
        here: the page's own address, also in the answer to a form.
        refusal: what was refused just now; decides the status.
        status: of the answer without a refusal.
        values: what the template shows.
    """
    with estate.reading() as session:
        name, waiting = get_community(session).name, count_waiting(session)
        alarms, asking = count_open(session), count_asking(session)
    return bare_page(
        request,
        template,
        status=status_of(refusal) if refusal else status,
        frame=Frame(
            estate=name,
            daily_rooms=_open_to(staff, DAILY_ROOMS),
            other_rooms=_open_to(staff, OTHER_ROOMS),
            username=staff.username,
            csrf=staff.csrf,
            proven=staff.proven,
            second_factor=staff.second_factor,
            waiting=waiting,
            asking=asking,
            alarms=alarms,
            lockdown=look(estate),
            calls=list_calls(estate),
            escalated=list_escalated(estate),
            restored=not estate.gate.is_open,
        ),
        may=staff.permissions,
        room=room,
        here=here,
        problem=problem_of(refusal) if refusal else None,
        done=request.query_params.get("done", "") if request.method == "GET" else "",
        clock=clock_of(request, estate),
        **values,
    )


def _open_to(
    staff: SignedIn, rooms: Sequence[tuple[str, str, Permission]]
) -> list[tuple[str, str]]:
    return [(address, room) for address, room, need in rooms if need in staff.permissions]


def fragment(request: Request, template: str, **values: object) -> HTMLResponse:
    """Answer with a part of a page that htmx asked for."""
    return HTMLResponse(PAGES.render(template, language_of(request), **values))


def go_to(address: str) -> RedirectResponse:
    """Send the browser on after a form has done its work (303, so that it reads)."""
    return RedirectResponse(address, 303)
