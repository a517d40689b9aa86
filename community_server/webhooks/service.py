"""Webhooks added, changed, tried and removed by staff."""

import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import new_id, now
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.events.kinds import KINDS, Tried
from community_server.events.service import ShownEvent
from community_server.vault.safe import SERVER, Safe
from community_server.webhooks.sender import SECRET_SIZE, parse_url
from community_server.webhooks.tables import Delivery, Webhook

MAX_NAME: Final = 64
MOST: Final = 20
"""Webhooks of one estate: each event is sent to every one of them."""


@dataclass(frozen=True)
class ShownWebhook:
    """One webhook as staff see it; `kinds` empty for all."""

    webhook: str
    name: str
    url: str = field(repr=False)
    kinds: tuple[str, ...]
    paused: bool
    created_at: int

    def as_json(self) -> dict[str, object]:
        """Return it as the API sends it."""
        return asdict(self)


def add_webhook(
    change: Change, staff: str, *, name: str, url: str, kinds: Sequence[str]
) -> tuple[str, bytes]:
    """Add a webhook; return its id and the secret that signs what is sent there.

    Raises:
        InputRefused: `name-missing`, `webhook-url-unusable`, `event-kind-unknown`.
        Conflict: `webhooks-too-many`.
    """
    session, webhook, secret = change.session, new_id(), secrets.token_bytes(SECRET_SIZE)
    if len(session.scalars(select(Webhook.id)).all()) >= MOST:
        raise Conflict(f"there are {MOST} webhooks already", code="webhooks-too-many")
    row = Webhook(
        id=webhook,
        secret=change.safe.seal(session, SERVER, _place(webhook, "secret"), secret),
        created_at=now(),
    )
    _describe(change, row, name=name, url=url, kinds=kinds)
    session.add(row)
    session.flush()
    audit(session, staff, "add-webhook", webhook)
    return webhook, secret


def change_webhook(
    change: Change,
    staff: str,
    webhook: str,
    *,
    name: str,
    url: str,
    kinds: Sequence[str],
    paused: bool,
) -> None:
    """Change a webhook; what waits for it is sent to the new address.

    Raises:
        NotFound: `webhook-unknown`.
        InputRefused: as `add_webhook`.
    """
    row = get_webhook(change.session, webhook)
    _describe(change, row, name=name, url=url, kinds=kinds)
    row.paused = paused
    audit(change.session, staff, "change-webhook", webhook, "paused" if paused else "")


def pause_webhook(change: Change, staff: str, webhook: str, *, paused: bool) -> None:
    """Send nothing to a webhook for now, or go on; what comes meanwhile is not kept for it.

    Raises:
        NotFound: `webhook-unknown`.
    """
    get_webhook(change.session, webhook).paused = paused
    audit(change.session, staff, "pause-webhook" if paused else "resume-webhook", webhook)


def renew_secret(change: Change, staff: str, webhook: str) -> bytes:
    """Draw a new secret; the one before signs nothing from now on.

    Raises:
        NotFound: `webhook-unknown`.
    """
    row, secret = get_webhook(change.session, webhook), secrets.token_bytes(SECRET_SIZE)
    row.secret = change.safe.seal(change.session, SERVER, _place(webhook, "secret"), secret)
    audit(change.session, staff, "renew-webhook-secret", webhook)
    return secret


def remove_webhook(change: Change, staff: str, webhook: str) -> None:
    """Remove a webhook with all that waits for it.

    Raises:
        NotFound: `webhook-unknown`.
    """
    change.session.delete(get_webhook(change.session, webhook))
    audit(change.session, staff, "remove-webhook", webhook)


def get_webhook(session: Session, webhook: str) -> Webhook:
    """Return one webhook.

    Raises:
        NotFound: `webhook-unknown`.
    """
    row = session.get(Webhook, webhook)
    if row is None:
        raise NotFound("no such webhook", code="webhook-unknown")
    return row


def list_webhooks(session: Session, safe: Safe) -> list[ShownWebhook]:
    """Return the webhooks by name."""
    rows = session.scalars(select(Webhook).order_by(Webhook.name, Webhook.id))
    return [show_webhook(session, safe, row) for row in rows]


def show_webhook(session: Session, safe: Safe, row: Webhook) -> ShownWebhook:
    """Return one webhook as staff see it."""
    return ShownWebhook(
        webhook=row.id,
        name=row.name,
        url=safe.open(session, SERVER, _place(row.id, "url"), row.url).decode(),
        kinds=tuple(row.kinds.split()),
        paused=row.paused,
        created_at=row.created_at,
    )


def open_secret(session: Session, safe: Safe, row: Webhook) -> bytes:
    """Return the secret that signs what is sent to a webhook."""
    return safe.open(session, SERVER, _place(row.id, "secret"), row.secret)


def add_test(session: Session, webhook: str) -> tuple[Delivery, ShownEvent]:
    """Note a test that is sent at once; its delivery waits in no queue."""
    event = ShownEvent(0, new_id(), Tried.kind, now(), {})
    row = Delivery(
        webhook_id=webhook,
        number=0,
        event=event.event,
        kind=event.kind,
        state="given-up",
        queued_at=event.at,
        due_at=event.at,
        attempts=0,
    )
    session.add(row)
    session.flush()
    return row, event


def _describe(change: Change, row: Webhook, *, name: str, url: str, kinds: Sequence[str]) -> None:
    named = name.strip()
    if not named or len(named) > MAX_NAME:
        raise InputRefused("a webhook has a name", field="name", code="name-missing")
    if not set(kinds) <= set(KINDS):
        raise InputRefused("no such kind of event", field="kinds", code="event-kind-unknown")
    address = str(parse_url(url.strip()))
    every = set(kinds) == set(KINDS)
    row.name, row.kinds = named, "" if every else " ".join(one for one in KINDS if one in kinds)
    row.url = change.safe.seal(change.session, SERVER, _place(row.id, "url"), address.encode())


def _place(webhook: str, what: str) -> str:
    return f"webhook/{webhook}/{what}"
