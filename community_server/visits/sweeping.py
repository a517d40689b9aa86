"""Visits that end by themselves, and requests that need no longer be known again."""

from sqlalchemy import delete, or_, select

from community_server.change import Change
from community_server.visits.answers import answer_asker, hosts_of, tell_homes
from community_server.visits.queries import forget_visit
from community_server.visits.tables import Visit, VisitRequest
from community_server.visits.visiting import REMEMBERED_S, UNANSWERED_S, Visiting


def forget_overdue(change: Change, visiting: Visiting, moment: int) -> None:
    """Forget what is over at `moment` (Unix seconds).

    A visitor goes by the end of their own time, and their visit with them; here goes what never
    came to that: asked and not decided within a day, declined a day ago, or over before it was.
    """
    session = change.session
    undecided = Visit.state.in_(("asked", "declined"))
    rows = session.scalars(
        select(Visit).where(
            Visit.person_id.is_(None),
            or_(
                Visit.valid_until <= moment,
                undecided & (Visit.created_at <= moment - UNANSWERED_S) & (Visit.request_id != ""),
            ),
        )
    ).all()
    for visit in rows:
        hosts = hosts_of(session, visit)
        if visit.state == "asked":
            answer_asker(change, visiting.links, visit, "declined", reason="unanswered")
        forget_visit(change, visit)
        tell_homes(change, visiting, hosts)
    needed = select(Visit.request_id)
    session.execute(
        delete(VisitRequest).where(
            VisitRequest.received_at <= moment - REMEMBERED_S, VisitRequest.id.not_in(needed)
        )
    )
