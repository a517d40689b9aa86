"""The form by which staff open a door or answer who rings: reason, note and their password."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Response

from community_server.console.frame import Text, desk_page
from community_server.errors import Conflict, InputRefused, ServerError, TooManyAttempts
from community_server.estate import Estate
from community_server.openings.service import MAX_NOTE, REASONS
from community_server.staff.sessions import SignedIn


@dataclass(frozen=True)
class Answer:
    """What such a form holds."""

    reason: str = ""
    note: str = field(default="", repr=False)
    password: str = field(default="", repr=False)


def get_answer(reason: Text = "", note: Text = "", password: Text = "") -> Answer:
    """Return what was sent."""
    return Answer(reason, note, password)


IN_PLACE: Final = (Conflict, InputRefused, TooManyAttempts)
"""What such a form can be refused for, and is filled in anew for."""

AnswerDep = Annotated[Answer, Depends(get_answer)]
NOTHING_YET = Answer()


def answer_page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    template: str,
    *,
    room: str,
    here: str,
    refusal: ServerError | None = None,
    answer: Answer = NOTHING_YET,
    **values: Any,
) -> Response:
    """Answer with a page that holds the form, as it was filled in but for the password."""
    return desk_page(
        request,
        estate,
        staff,
        template,
        room=room,
        here=here,
        refusal=refusal,
        reasons=REASONS,
        reason=answer.reason,
        note=answer.note,
        longest=MAX_NOTE,
        **values,
    )
