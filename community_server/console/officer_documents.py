"""The officer's documents: who answers for the data, the assessment, and the sign for the gate."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, bare_page, desk_page, form_writer, go_to
from community_server.desk import EstateDep, RowNumber, reader
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.pages import PAGES
from community_server.privacy.assessment import MAX_NAME
from community_server.privacy.details import (
    FILING_AT,
    MAX_CONTACT,
    MAX_CONTROLLER,
    MOST_OTHERS,
    Details,
)
from community_server.privacy.service import (
    Overview,
    overview,
    save_details,
    sign,
    signed,
)
from community_server.retention.statement import state
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_kit.language import LANGUAGES, Language

router = APIRouter(prefix="/officer")

Reader = Annotated[SignedIn, reader(Permission.KEEP_PRIVACY)]
Writer = Annotated[SignedIn, form_writer(Permission.KEEP_PRIVACY)]
Signer = Annotated[SignedIn, form_writer(Permission.KEEP_PRIVACY, proven=True)]


WAYS: Final = ("pin", "pass", "card")
"""What opens a door in place of a face, where the door's settings allow it."""


@router.get("")
def show_desk(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the counter, who answers for the data, what the models do, and the documents."""
    return _desk(request, estate, staff)


@router.post("")
def change_details(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    controller: Text = "",
    contact: Text = "",
    other_faces: Text = "0",
) -> Response:
    """Note who answers for the data."""
    try:
        try:
            others = int(other_faces or 0)
        except ValueError as error:
            raise InputRefused("a number", field="other_faces", code="faces-wrong") from error
        save_details(estate, staff.staff, Details(controller, contact, others))
    except InputRefused as refusal:
        typed = {"controller": controller, "contact": contact, "other_faces": other_faces}
        return _desk(request, estate, staff, refusal=refusal, typed=typed)
    return go_to("/officer?done=details-saved")


@router.get("/sign")
def show_sign(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the sign for the gate, in both languages on one sheet."""
    del staff
    found = overview(estate)
    doors = found.facts["configuration"]["doors"]
    everywhere = [way for way in WAYS if all(door[f"{way}_allowed"] for door in doors)]
    return bare_page(
        request,
        "gate_sign.html.jinja",
        statement=state(estate),
        details=found.details,
        ways={one: _named(one, everywhere) for one in LANGUAGES},
        said={one: PAGES.catalogue.branch(one, "gate_sign") for one in LANGUAGES},
        until={one: PAGES.catalogue.branch(one, "kept_until") for one in LANGUAGES},
    )


@router.get("/assessment")
def show_assessment(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Show the assessment as it is now, and who has signed one."""
    return _assessment(request, estate, staff)


@router.post("/assessment")
def sign_assessment(
    request: Request, estate: EstateDep, staff: Signer, name: Text = ""
) -> Response:
    """Sign the assessment as it is now."""
    try:
        number = sign(estate, staff.staff, name)
    except InputRefused as refusal:
        return _assessment(request, estate, staff, refusal=refusal)
    return go_to(f"/officer/assessments/{number}?done=assessment-signed")


@router.get("/assessments/{number}")
def show_signed(request: Request, number: RowNumber, estate: EstateDep, staff: Reader) -> Response:
    """Show one assessment as it was signed."""
    found = signed(estate, number)
    return desk_page(
        request,
        estate,
        staff,
        "assessment.html.jinja",
        room="officer",
        here=f"/officer/assessments/{number}",
        facts=found.document,
        signature=found,
        signed=(),
        changes=(),
        faces=True,
        held=0,
        longest=MAX_NAME,
    )


def _named(language: Language, ways: Sequence[str]) -> str:
    words = PAGES.catalogue.branch(language, "credential")
    between = PAGES.catalogue.say(language, "page.and-so")
    return between.join(words[way] for way in ways)


def _desk(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    refusal: ServerError | None = None,
    typed: dict[str, str] | None = None,
) -> Response:
    found: Overview = overview(estate)
    details = found.details
    return desk_page(
        request,
        estate,
        staff,
        "officer.html.jinja",
        room="officer",
        here="/officer",
        refusal=refusal,
        found=found,
        typed=typed
        or {
            "controller": details.controller,
            "contact": details.contact,
            "other_faces": str(details.other_faces),
        },
        filing_at=FILING_AT,
        longest={"controller": MAX_CONTROLLER, "contact": MAX_CONTACT, "other_faces": MOST_OTHERS},
    )


def _assessment(
    request: Request, estate: Estate, staff: SignedIn, *, refusal: ServerError | None = None
) -> Response:
    found = overview(estate)
    return desk_page(
        request,
        estate,
        staff,
        "assessment.html.jinja",
        room="officer",
        here="/officer/assessment",
        refusal=refusal,
        facts=found.facts,
        signature=None,
        signed=found.signed,
        changes=found.changes,
        faces=found.faces,
        held=found.held,
        longest=MAX_NAME,
    )
