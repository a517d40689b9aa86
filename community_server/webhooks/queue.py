"""The queue: one row per event and webhook, until it is delivered or a day has passed."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.errors import Conflict, NotFound
from community_server.events.service import ShownEvent, find_event
from community_server.webhooks.tables import Delivery, Webhook

WAITS_S: Final = (10, 30, 120, 600, 1800)
"""Seconds before the next attempt; after the last one an hour each time."""
LONGEST_WAIT_S: Final = 3600
GIVEN_UP_AFTER_S: Final = 24 * 3600
"""An attempt that fails this long after the event was queued is the last one."""


@dataclass(frozen=True)
class ShownDelivery:
    """One delivery as staff see it; times in Unix seconds, 0 for not yet."""

    delivery: int
    webhook: str
    webhook_name: str
    number: int
    kind: str
    state: str
    queued_at: int
    due_at: int
    attempts: int
    tried_at: int
    answer: int
    trouble: str

    def as_json(self) -> dict[str, object]:
        """Return it as the API sends it."""
        return asdict(self)


def queue_events(session: Session, events: Sequence[ShownEvent]) -> None:
    """Queue events for every webhook that wants them, in the transaction that numbers them."""
    if not events:
        return
    moment = now()
    for webhook in session.scalars(select(Webhook).where(Webhook.paused.is_(False))):
        wanted = webhook.kinds.split()
        session.add_all(
            Delivery(
                webhook_id=webhook.id,
                number=event.number,
                event=event.event,
                kind=event.kind,
                state="waiting",
                queued_at=moment,
                due_at=moment,
            )
            for event in events
            if not wanted or event.kind in wanted
        )


def next_due(session: Session, webhook: str) -> Delivery | None:
    """Return the delivery of a webhook that is to be tried now: the one that is due longest."""
    return session.scalars(
        select(Delivery)
        .where(
            Delivery.webhook_id == webhook, Delivery.state == "waiting", Delivery.due_at <= now()
        )
        .order_by(Delivery.due_at, Delivery.id)
        .limit(1)
    ).one_or_none()


def webhooks_due(session: Session) -> list[str]:
    """Return the webhooks for which something is due."""
    return list(
        session.scalars(
            select(Delivery.webhook_id)
            .join(Webhook, Webhook.id == Delivery.webhook_id)
            .where(Delivery.state == "waiting", Delivery.due_at <= now(), Webhook.paused.is_(False))
            .distinct()
        )
    )


def note_delivered(row: Delivery, answer: int) -> None:
    """Note that an event was taken."""
    row.state, row.answer, row.trouble = "delivered", answer, ""
    row.attempts, row.tried_at = row.attempts + 1, now()


def note_failed(session: Session, row: Delivery, answer: int, trouble: str) -> None:
    """Note a failed attempt; one that comes a day late ends it, and what waits as long behind it.

    That has waited in vain for the same receiver, which would be asked for each of them in turn.
    """
    moment = now()
    row.attempts, row.tried_at, row.answer, row.trouble = row.attempts + 1, moment, answer, trouble
    row.due_at = moment + wait_after(row.attempts)
    session.flush()
    session.execute(
        update(Delivery)
        .where(
            Delivery.webhook_id == row.webhook_id,
            Delivery.state == "waiting",
            Delivery.queued_at <= moment - GIVEN_UP_AFTER_S,
        )
        .values(state="given-up", trouble=trouble)
    )


def wait_after(failures: int) -> int:
    """Return the seconds to wait after so many failures in a row."""
    return WAITS_S[failures - 1] if failures <= len(WAITS_S) else LONGEST_WAIT_S


def count_given_up(session: Session) -> int:
    """Return how many deliveries were given up within the last day."""
    return session.scalars(
        select(func.count())
        .select_from(Delivery)
        .where(
            Delivery.state == "given-up",
            Delivery.number > 0,  # a test is nobody's loss
            Delivery.queued_at > now() - GIVEN_UP_AFTER_S - 24 * 3600,
        )
    ).one()


def try_again(change: Change, staff: str, delivery: int) -> None:
    """Queue anew what was given up.

    Raises:
        NotFound: `delivery-unknown`.
        Conflict: `delivery-not-given-up`; `event-gone`: its event is not kept any more.
    """
    row = change.session.get(Delivery, delivery, with_for_update=True)
    if row is None:
        raise NotFound("no such delivery", code="delivery-unknown")
    if row.state != "given-up":
        raise Conflict("this was not given up", code="delivery-not-given-up")
    if find_event(change.session, row.number) is None:
        raise Conflict("the event is gone", code="event-gone")
    row.state, row.queued_at, row.due_at, row.attempts = "waiting", now(), now(), 0
    audit(change.session, staff, "retry-delivery", row.webhook_id, str(row.number))


def list_deliveries(
    session: Session, *, webhook: str = "", state: str = "", before: int = 0, limit: int
) -> list[ShownDelivery]:
    """Return deliveries, the newest first; those before one that a page ended with."""
    query = (
        select(Delivery, Webhook.name)
        .join(Webhook, Webhook.id == Delivery.webhook_id)
        .order_by(Delivery.id.desc())
        .limit(limit)
    )
    if webhook:
        query = query.where(Delivery.webhook_id == webhook)
    if state:
        query = query.where(Delivery.state == state)
    if before:
        query = query.where(Delivery.id < before)
    return [
        ShownDelivery(
            delivery=row.id,
            webhook=row.webhook_id,
            webhook_name=name,
            number=row.number,
            kind=row.kind,
            state=row.state,
            queued_at=row.queued_at,
            due_at=row.due_at if row.state == "waiting" else 0,
            attempts=row.attempts,
            tried_at=row.tried_at,
            answer=row.answer,
            trouble=row.trouble,
        )
        for row, name in session.execute(query)
    ]


def forget_deliveries(session: Session, before: int, most: int) -> int:
    """Delete what was delivered or given up, and queued before a Unix second, `most` at once.

    Return how many.
    """
    old = session.scalars(
        select(Delivery.id)
        .where(Delivery.state != "waiting", Delivery.queued_at < before)
        .order_by(Delivery.id)
        .limit(most)
    ).all()
    session.execute(delete(Delivery).where(Delivery.id.in_(old)))
    return len(old)
