"""Asking a door to open, for a nonce first and then once with it, or to refuse who rings.

A door that is asked twice opens twice, so nothing here asks again.
"""

from typing import Final, TypeVar

from community_server.errors import Conflict
from tier_link.channel import LiveLink
from tier_link.errors import DeadlinePassed, LinkDown, MalformedMessage, RequestFailed
from tier_link.estate_messages import (
    ESTATE,
    CallRefused,
    OpeningAnswer,
    OpeningNonce,
    OpeningWanted,
    RemoteOpening,
)

NONCE_WAIT_S: Final = 3.0
"""Drawing a nonce takes no disk: a door that is silent for longer is as good as away."""
OPENING_WAIT_S: Final = 5.0
"""A door writes its entry and waits for its gate (2 s); a guard waits no longer than that."""

OPENED: Final = "opened"
REFUSED: Final = "refused"
UNHEARD: Final = "unheard"
"""The door may have opened: its entry, once it arrives, says so."""
_FAULT: Final = "internal-error"

M = TypeVar("M", OpeningNonce, OpeningAnswer)


def ask_nonce(link: LiveLink) -> str:
    """Ask a door for a nonce.

    Raises:
        Conflict: `opening-away`, `opening-unasked`; it has not been asked to open.
    """
    try:
        return _ask(link, OpeningWanted(), OpeningNonce, NONCE_WAIT_S).nonce
    except LinkDown as gone:
        raise Conflict("this door is not connected", code="opening-away") from gone
    except (DeadlinePassed, RequestFailed, MalformedMessage) as silent:
        raise Conflict("the door did not answer", code="opening-unasked") from silent


def ask_opening(link: LiveLink, nonce: str, staff: str, call: str = "") -> str:
    """Ask a door to open, once, and return what came of it.

    Returns:
        `OPENED`; the gate's code, where the entry is made and the gate did not confirm; `UNHEARD`,
        where nobody can know yet; any other code, and nothing was opened.
    """
    try:
        answer = _ask(link, RemoteOpening(nonce, staff, call), OpeningAnswer, OPENING_WAIT_S)
    except RequestFailed as refused:
        return UNHEARD if refused.code == _FAULT else refused.code
    except (DeadlinePassed, LinkDown, MalformedMessage):
        return UNHEARD
    return answer.gate or OPENED


def ask_refusal(link: LiveLink, refusal: CallRefused) -> str:
    """Ask a door to tell whoever rings that they are not let in, and return what came of it.

    Returns:
        `REFUSED`; `UNHEARD`, where nobody can know; any other code, and whoever rings was not told.
    """
    try:
        link.request(ESTATE.kind(refusal), ESTATE.encode(refusal), OPENING_WAIT_S)
    except RequestFailed as refused:
        return UNHEARD if refused.code == _FAULT else refused.code
    except (DeadlinePassed, LinkDown):
        return UNHEARD
    return REFUSED


def _ask(
    link: LiveLink, question: OpeningWanted | RemoteOpening, expected: type[M], wait_s: float
) -> M:
    body = link.request(ESTATE.kind(question), ESTATE.encode(question), wait_s)
    answer = ESTATE.decode(ESTATE.kind(expected), body)
    if not isinstance(answer, expected):
        raise MalformedMessage(f"not a {expected.__name__}")
    return answer
