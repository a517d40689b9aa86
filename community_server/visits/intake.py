"""One envelope from a home's page or a poster, start to end: opened, carried out, answered.

All of it happens in the transaction that also advances the link's mark. Until the MAC is verified
nobody is answered, as `intake.opening` says of enrollments.
"""

import logging
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.consents.rounds import confirm
from community_server.consents.withdrawal import withdraw_face
from community_server.database import now
from community_server.doors.tables import Door
from community_server.errors import Conflict, EnrollmentRefused, NotFound, ServerError
from community_server.intake.opening import open_box
from community_server.people.queries import get_person
from community_server.people.tables import Person
from community_server.setup.community import get_community
from community_server.visits import service
from community_server.visits.admission import HandedOver
from community_server.visits.answers import answer, hosts_of, repeat, show_home
from community_server.visits.links import open_auth
from community_server.visits.queries import get_visit
from community_server.visits.tables import Visit, VisitLink, VisitRequest
from community_server.visits.visiting import ASKS_PER_DOOR_AND_HOUR, Visiting
from tier_link.errors import EnvelopeRefused
from tier_link.relay_messages import EnvelopeDeposited
from tier_link.visit_answers import VisitOutcome
from tier_link.visits import (
    PURPOSE,
    Approve,
    Ask,
    ConfirmConsents,
    Decline,
    End,
    Extend,
    Invite,
    Look,
    Share,
    WithdrawFace,
    parse_request,
)
from tier_link.visits import (
    VisitRequest as OpenedRequest,
)

_log = logging.getLogger(__name__)
_HOUR = 3600


@dataclass(frozen=True)
class _Said:
    """What is answered; `parts` are further fields of the answer."""

    outcome: VisitOutcome = "done"
    parts: dict[str, Any] = field(default_factory=dict)


def is_for_visits(session: Session, deposit: EnvelopeDeposited) -> bool:
    """Say whether an envelope came by a home's or a poster's link."""
    return session.get(VisitLink, deposit.invitation) is not None


def take(
    change: Change, visiting: Visiting, deposit: EnvelopeDeposited, *, over_cloud: bool = True
) -> bool:
    """Let one deposited envelope take effect, never twice; say whether it was answered."""
    session, links = change.session, visiting.links
    known = session.get(VisitRequest, deposit.envelope)
    if known is not None:
        repeat(change, links, known)
        return True
    link = session.get_one(VisitLink, deposit.invitation)
    try:
        request = _open(change, link, deposit)
    except EnrollmentRefused as refused:
        _log.warning("envelope=%s refused=%s answered=no", deposit.envelope, refused.code)
        return False
    row = VisitRequest(
        id=deposit.envelope,
        link_id=link.id,
        asked=_tag(request),
        received_at=now(),
        reply_key=request.reply_key,
        answers=0,
        origin="cloud" if over_cloud else "estate",
    )
    session.add(row)
    session.flush()
    try:
        # What is refused half way leaves nothing behind.
        with session.begin_nested():
            said = _carry_out(change, visiting, link, row, request)
    except ServerError as refused:
        said = _Said("refused", {"reason": refused.code} | _page(change, visiting, link))
    answer(change, links, row, said.outcome, **said.parts)
    reason = said.parts.get("reason", "none")
    _log.info("envelope=%s asked=%s outcome=%s reason=%s", row.id, row.asked, said.outcome, reason)
    return True


def _open(change: Change, link: VisitLink, deposit: EnvelopeDeposited) -> OpenedRequest:
    community = get_community(change.session).slug
    plaintext = open_box(change.session, change.safe, community, deposit, PURPOSE, now())
    try:
        request = parse_request(
            plaintext,
            community=community,
            envelope=deposit.envelope,
            key=deposit.key,
            suite=deposit.suite,
        )
        request.verify_mac(open_auth(change.session, change.safe, link))
    except EnvelopeRefused as error:
        raise EnrollmentRefused(str(error), code=error.reason) from error
    return request


def _carry_out(
    change: Change,
    visiting: Visiting,
    link: VisitLink,
    row: VisitRequest,
    request: OpenedRequest,
) -> _Said:
    if request.is_stale(now()):
        raise Conflict("sent too long ago, or by a wrong clock", code="request-stale")
    if link.state != "open":
        raise Conflict("this link was withdrawn", code="link-withdrawn")
    if isinstance(request.asked, Ask):
        return _ask(change, visiting, link, row, request.asked)
    if link.kind != "home" or link.person_id is None:
        raise Conflict("a poster does not ask that", code="link-wrong")
    if isinstance(request.asked, WithdrawFace):
        return _withdraw_face(change, visiting, link, link.person_id)
    host = get_person(change.session, link.person_id, lock=True)
    if host.suspended or (host.valid_until and host.valid_until <= now()):
        raise Conflict("not while the doors are closed to the host", code="host-shut-out")
    return _by_host(change, visiting, link, host, row, request)


def _ask(
    change: Change, visiting: Visiting, link: VisitLink, row: VisitRequest, asked: Ask
) -> _Said:
    session = change.session
    door = session.get(Door, link.door_id) if link.door_id else None
    if door is None or door.state == "revoked":
        raise Conflict("this poster is of no door", code="link-wrong")
    recent = session.scalar(
        select(func.count()).where(
            VisitRequest.link_id == link.id, VisitRequest.received_at > now() - _HOUR
        )
    )
    if (recent or 0) > ASKS_PER_DOOR_AND_HOUR:
        raise Conflict("this door's hour is full", code="asks-too-many")
    if not asked.visitor.name.strip():
        raise Conflict("a visitor has a name", code="name-missing")
    service.ask(change, visiting, door.id, row.id, asked)
    return _Said("waiting")


def _withdraw_face(change: Change, visiting: Visiting, link: VisitLink, person: str) -> _Said:
    """Withdraw the consents to the resident's own face; also while their doors are closed."""
    instead = withdraw_face(change, visiting.links, person, "page")
    audit(change.session, "", "withdraw-face", person, "page")
    return _Said("done", _page(change, visiting, link) | {"pin": instead.pin, "unit": instead.unit})


def _by_host(
    change: Change,
    visiting: Visiting,
    link: VisitLink,
    host: Person,
    row: VisitRequest,
    request: OpenedRequest,
) -> _Said:
    asked, visit, handed = request.asked, None, None
    match asked:
        case Look():
            pass
        case ConfirmConsents():
            confirm(
                change,
                host,
                row.id,
                asked.consents,
                guardian=asked.guardian.strip(),
                language=request.language,
                origin=row.origin,
            )
        case Invite():
            visit, handed = service.invite(change, visiting, host, asked)
        case Extend():
            visit = _visit(change, host, asked.visit)
            handed = service.extend(change, visiting, visit, asked.valid_until)
        case End():
            service.end(change, visiting, _visit(change, host, asked.visit))
        case Share():
            visit = _visit(change, host, asked.visit)
            handed = service.share(change, visiting, visit)
        case Approve() | Decline():
            visit = _visit(change, host, asked.visit)
            handed = _decide(change, visiting, visit, host, approved=isinstance(asked, Approve))
    parts: dict[str, Any] = _page(change, visiting, link)
    if visit is not None:
        parts["visit"] = visit.id
    if handed is not None and visit is not None:
        parts |= {
            "qr_pass": handed.qr_pass,
            "invitation": handed.invitation,
            "pin": handed.pin,
            "unit": handed.unit,
            "valid_until": visit.valid_until,
        }
    waits = isinstance(asked, Invite) and handed is None
    return _Said("waiting" if waits else "done", parts)


def _decide(
    change: Change, visiting: Visiting, visit: Visit, host: Person, *, approved: bool
) -> HandedOver | None:
    """Carry out a host's word; return what they hear of it: a face's PIN alone.

    Raises:
        NotFound: `visit-unknown`, nobody asked at a poster: then the desk decides.
    """
    if not visit.request_id:
        raise NotFound("not for the host to decide", code="visit-unknown")
    if not approved:
        service.decline(change, visiting, visit, "host", host.id)
        return None
    handed = service.approve(change, visiting, visit, "host", host.id)
    return HandedOver(pin=handed.pin, unit=handed.unit) if handed.invitation else None


def _visit(change: Change, host: Person, visit: str) -> Visit:
    """Return a visit that is this resident's to decide on.

    Raises:
        NotFound: `visit-unknown`, for everybody else's, too.
    """
    row = get_visit(change.session, visit, lock=True)
    if host.id not in hosts_of(change.session, row):
        raise NotFound("no such visit", code="visit-unknown")
    return row


def _page(change: Change, visiting: Visiting, link: VisitLink) -> dict[str, Any]:
    """Return what a home's page shows now; nothing for a poster or a link that was withdrawn."""
    if link.kind != "home" or link.state != "open" or link.person_id is None:
        return {}
    host = get_person(change.session, link.person_id)
    change.session.flush()
    return {"home": show_home(change.session, change.safe, visiting, host)}


def _tag(request: OpenedRequest) -> str:
    return str(type(request.asked).__struct_config__.tag)
