"""Answering homes' pages and whoever asks at a poster, in the transaction of the cause."""

from collections.abc import Collection
from typing import Any, Final, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.access.membership import doors_for
from community_server.change import CLOUD, Change
from community_server.consents.asking import asked_until
from community_server.consents.outdated import needed
from community_server.consents.queries import has_face, newest_face_receipt
from community_server.database import now
from community_server.doors.tables import Door
from community_server.keys.certified import reply_signer
from community_server.people.particulars import open_known
from community_server.people.queries import get_person
from community_server.people.tables import Person
from community_server.setup.community import get_community
from community_server.vault.safe import Safe
from community_server.visits.details import open_details
from community_server.visits.links import home_link_of, homes_of_unit
from community_server.visits.queries import visits_of_home
from community_server.visits.tables import Visit, VisitRequest
from community_server.visits.visiting import WATCHED_S, Visiting
from tier_link.relay_messages import RELAY, ReplySealed
from tier_link.replies import MAX_REPLIES
from tier_link.store import LinkStore
from tier_link.visit_answers import (
    MOST_VISITS,
    Decider,
    Home,
    HomeDoor,
    HomeVisit,
    VisitAnswer,
    VisitOutcome,
    VisitState,
    seal_answer,
)
from tier_link.visits import VisitCredential

MOST_RECEIPT: Final = 24 * 1024
"""Characters of a receipt that a home's page shows: of some hundred doors. The desk has it, too."""


def answer(
    change: Change,
    links: LinkStore,
    row: VisitRequest,
    outcome: VisitOutcome,
    **parts: Any,
) -> None:
    """Seal an answer to a request and put it where its reader looks for it."""
    if row.answers >= MAX_REPLIES:
        return
    row.answers += 1
    signer = reply_signer(change.session, change.safe)
    row.last_answer = seal_answer(
        VisitAnswer(
            version=1,
            community=get_community(change.session).slug,
            envelope=row.id,
            number=row.answers,
            sent_at=now(),
            outcome=outcome,
            **parts,
        ),
        reply_key=row.reply_key,
        signing_key=signer.private,
        certificate=signer.certificate,
    )
    repeat(change, links, row)


def repeat(change: Change, links: LinkStore, row: VisitRequest) -> None:
    """Send the last answer: for the first time, or because the request came again."""
    if row.last_answer is None or row.origin != "cloud":
        return  # what came over the estate's own network is answered from the row itself
    message = ReplySealed(row.id, row.answers, final=False, sealed=row.last_answer)
    links.put(change.session, CLOUD, RELAY.kind(message), RELAY.encode(message))
    change.wake(CLOUD)


def answer_asker(
    change: Change, links: LinkStore, visit: Visit, outcome: VisitOutcome, **parts: Any
) -> None:
    """Tell whoever asked at a poster what was decided; nothing where nobody did."""
    row = change.session.get(VisitRequest, visit.request_id) if visit.request_id else None
    if row is not None:
        answer(change, links, row, outcome, **parts)


def hosts_of(session: Session, visit: Visit) -> list[str]:
    """Return whose pages show a visit: its host's, and of who asked at a poster all of the unit."""
    asked = visit.request_id and not visit.courier
    found = homes_of_unit(session, visit.unit) if asked else []
    if visit.host_id and visit.host_id not in found:
        found.append(visit.host_id)
    return found


def tell_homes(change: Change, visiting: Visiting, people: Collection[str]) -> None:
    """Tell the pages that were looked at a moment ago what their visits have become."""
    session = change.session
    session.flush()
    for person in people:
        link = home_link_of(session, person)
        if link is None:
            continue
        watching = session.scalar(
            select(VisitRequest)
            .where(
                VisitRequest.link_id == link.id,
                VisitRequest.asked == "look",
                VisitRequest.received_at > now() - WATCHED_S,
            )
            .order_by(VisitRequest.received_at.desc(), VisitRequest.id)
            .limit(1)
        )
        if watching is not None:
            home = show_home(session, change.safe, visiting, get_person(session, person))
            answer(change, visiting.links, watching, "done", home=home)


def show_home(session: Session, safe: Safe, visiting: Visiting, host: Person) -> Home:
    """Return what a resident's page shows."""
    own = doors_for(session, host.id)
    doors = session.scalars(select(Door).where(Door.state != "revoked").order_by(Door.name)).all()
    names = {door.id: door.name for door in doors}
    receipt = newest_face_receipt(session, host.id)
    until = asked_until(session, host.id)
    return Home(
        name=open_known(session, safe, host).name,
        unit=host.unit,
        time_zone=visiting.settings.time_zone,
        desk_decides=visiting.desk_decides,
        doors=tuple(HomeDoor(d.id, d.name) for d in doors if own is None or d.id in own),
        visits=tuple(
            _show(session, safe, visit, host, names)
            for visit in visits_of_home(session, host)[:MOST_VISITS]
        ),
        face=has_face(session, host.id),
        receipt=receipt if len(receipt) <= MOST_RECEIPT else "",
        confirm=tuple(sorted(needed())) if until else (),
        confirm_until=until,
    )


def _show(
    session: Session, safe: Safe, visit: Visit, host: Person, names: dict[str, str]
) -> HomeVisit:
    details = open_details(session, safe, visit)
    decider: Decider = "desk" if visit.decided_how == "desk" else ""
    if visit.decided_how == "host":
        decider = "you" if visit.decided_by == host.id else "household"
    return HomeVisit(
        visit=visit.id,
        state=cast("VisitState", visit.state),
        name=details.name,
        purpose=details.purpose,
        plate=details.plate,
        valid_from=visit.valid_from,
        valid_until=visit.valid_until,
        doors=details.doors,
        uses=visit.uses,
        entries=visit.entries,
        credential=cast("VisitCredential", visit.credential),
        asked_at=names.get(visit.door_id or "", "") if visit.request_id else "",
        decided_by=decider,
    )
