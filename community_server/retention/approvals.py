"""Declining what nobody has decided on in time: a photo that waits is kept no longer than that."""

from sqlalchemy import select

from community_server.audit.log import audit
from community_server.change import Change
from community_server.estate import Estate
from community_server.intake.approvals import decide
from community_server.intake.tables import Enrollment


def decline_overdue(change: Change, estate: Estate, before: int, most: int) -> int:
    """Decline what has waited for the desk since before a Unix second, `most` at once.

    As the desk would: the person is answered, the photos are destroyed. Return how many.
    """
    overdue = change.session.scalars(
        select(Enrollment.id)
        .where(Enrollment.state == "waiting", Enrollment.received_at < before)
        .order_by(Enrollment.received_at)
        .limit(most)
    ).all()
    for enrollment in overdue:
        decide(change, estate.links, estate.intake.judge, enrollment, "decline", "")
        audit(change.session, "", "decline", enrollment, "unanswered")
    return len(overdue)
