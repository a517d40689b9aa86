"""People who wait for the desk: their photos, what they wrote, and the decision."""

import hashlib
from collections.abc import Sequence
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Form, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, fragment, go_to
from community_server.desk import EstateDep, reader
from community_server.errors import ServerError
from community_server.estate import Estate
from community_server.intake.approvals import Waiting, count_waiting, list_waiting
from community_server.intake.routes import perform
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/approvals")

Reader = Annotated[SignedIn, reader(Permission.APPROVE)]
Writer = Annotated[SignedIn, form_writer(Permission.APPROVE)]

DECLINE_REASONS: Final = ("not-the-person", "photo-unclear", "not-expected", "other")
"""Why the desk declines, as the audit log notes it."""


@router.get("")
def show_approvals(request: Request, estate: EstateDep, staff: Reader, about: str = "") -> Response:
    """Show everybody who waits, who came first on top."""
    return _page(request, estate, staff, about=about)


@router.get("/badge")
def show_badge(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show how many wait, beside the link in the frame."""
    del staff
    with estate.reading() as session:
        waiting = count_waiting(session)
    return fragment(request, "badge.html.jinja", waiting=waiting)


@router.get("/news")
def show_news(request: Request, estate: EstateDep, staff: Reader, seen: str = "") -> Response:
    """Say that the list on the screen is old; an empty one is renewed at once."""
    del staff
    waiting = _waiting(estate)
    if _digest(waiting) == seen:
        return Response(status_code=204)
    if seen == _digest(()):
        return Response(headers={"hx-refresh": "true"})
    return fragment(request, "approvals_news.html.jinja")


@router.post("/{enrollment}")
def decide(
    request: Request,
    enrollment: str,
    estate: EstateDep,
    staff: Writer,
    decision: Annotated[Literal["approve", "decline"], Form()],
    reason: Text = "",
) -> Response:
    """Carry out the decision; the photos are destroyed either way."""
    about = _rests_on_one_photo(estate, enrollment)
    noted = reason if decision == "decline" and reason in DECLINE_REASONS else ""
    try:
        face = perform(estate, enrollment, decision, staff.staff, noted)
    except ServerError as refusal:
        return _page(request, estate, staff, refusal)
    if decision == "decline":
        return go_to("/approvals?done=declined")
    done = "approved" if face else "approved-by-pin"
    return go_to(f"/approvals?done={done}" + (f"&about={about}" if face and about else ""))


def _rests_on_one_photo(estate: Estate, enrollment: str) -> str:
    """Return whose face, when approved, rests on one photo alone; empty for nobody's."""
    found = next((one for one in _waiting(estate) if one.id == enrollment), None)
    return found.person if found is not None and found.photos == 1 else ""


def _waiting(estate: Estate) -> list[Waiting]:
    with estate.reading() as session:
        return list_waiting(session, estate.safe)


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    refusal: ServerError | None = None,
    about: str = "",
) -> Response:
    waiting = _waiting(estate)
    return desk_page(
        request,
        estate,
        staff,
        "approvals.html.jinja",
        room="approvals",
        here="/approvals",
        refusal=refusal,
        waiting=waiting,
        known={one.resembles: estate.name_of(one.resembles) for one in waiting if one.resembles},
        seen=_digest(waiting),
        reasons=DECLINE_REASONS,
        about=about if estate.book.find(about) else "",
    )


def _digest(waiting: Sequence[Waiting]) -> str:
    return hashlib.sha256(",".join(one.id for one in waiting).encode()).hexdigest()[:16]
