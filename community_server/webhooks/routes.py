"""Webhooks and their deliveries, for programs."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, RowNumber, reader, writer
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.webhooks.queue import list_deliveries, try_again
from community_server.webhooks.sender import show_secret
from community_server.webhooks.service import (
    add_webhook,
    change_webhook,
    list_webhooks,
    remove_webhook,
    renew_secret,
)

router = APIRouter(prefix="/api/v1", tags=["webhooks"])

Reader = Annotated[SignedIn, reader(Permission.CONNECT_SYSTEMS)]
Writer = Annotated[SignedIn, writer(Permission.CONNECT_SYSTEMS)]

DeliveryState = Literal["", "waiting", "delivered", "given-up"]


class WebhookRequest(BaseModel):
    """A receiver of events; no `kinds` are all of them."""

    name: Annotated[str, Field(max_length=200)]
    url: Annotated[str, Field(max_length=1000)] = Field(repr=False)
    kinds: tuple[str, ...] = ()


class WebhookChange(WebhookRequest):
    """What it is from now on; nothing is sent to one that is `paused`."""

    paused: bool = False


class WebhookAdded(BaseModel):
    """Its id, and the secret that signs what is sent there, shown this once."""

    webhook: str
    secret: str = Field(repr=False)


class SecretRenewed(BaseModel):
    """The new secret, shown this once."""

    secret: str = Field(repr=False)


class Tested(BaseModel):
    """What came of a test: the answer's status (0 for none), and the trouble, empty for none."""

    answer: int
    trouble: str


@router.get("/webhooks")
def show_webhooks(estate: EstateDep, staff: Reader) -> list[dict[str, object]]:
    """List the webhooks."""
    del staff
    with estate.reading() as session:
        return [one.as_json() for one in list_webhooks(session, estate.safe)]


@router.post("/webhooks", status_code=201)
def make_webhook(body: WebhookRequest, estate: EstateDep, staff: Writer) -> WebhookAdded:
    """Add a webhook; events from now on are sent there."""
    with estate.changer.change() as change:
        webhook, secret = add_webhook(
            change, staff.staff, name=body.name, url=body.url, kinds=body.kinds
        )
    return WebhookAdded(webhook=webhook, secret=show_secret(secret))


@router.put("/webhooks/{webhook}", status_code=204)
def alter_webhook(webhook: str, body: WebhookChange, estate: EstateDep, staff: Writer) -> None:
    """Change a webhook."""
    with estate.changer.change() as change:
        change_webhook(
            change,
            staff.staff,
            webhook,
            name=body.name,
            url=body.url,
            kinds=body.kinds,
            paused=body.paused,
        )


@router.post("/webhooks/{webhook}/secret")
def make_secret(webhook: str, estate: EstateDep, staff: Writer) -> SecretRenewed:
    """Draw a new secret; the one before ends at once."""
    with estate.changer.change() as change:
        return SecretRenewed(secret=show_secret(renew_secret(change, staff.staff, webhook)))


@router.post("/webhooks/{webhook}/test")
def test_webhook(webhook: str, estate: EstateDep, staff: Writer) -> Tested:
    """Send a test now, and say what came of it."""
    del staff
    outcome = estate.courier.test(webhook)
    return Tested(answer=outcome.answer, trouble=outcome.trouble)


@router.delete("/webhooks/{webhook}", status_code=204)
def delete_webhook(webhook: str, estate: EstateDep, staff: Writer) -> None:
    """Remove a webhook, with all that waits for it."""
    with estate.changer.change() as change:
        remove_webhook(change, staff.staff, webhook)


@router.get("/deliveries")
def show_deliveries(
    estate: EstateDep,
    staff: Reader,
    webhook: Annotated[str, Query(max_length=32)] = "",
    state: DeliveryState = "",
    before: RowNumber = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> list[dict[str, object]]:
    """List deliveries, the newest first; `before` is the last one of the page before."""
    del staff
    with estate.reading() as session:
        deliveries = list_deliveries(
            session, webhook=webhook, state=state, before=before, limit=limit
        )
    return [one.as_json() for one in deliveries]


@router.post("/deliveries/{delivery}/retry", status_code=204)
def retry_delivery(delivery: RowNumber, estate: EstateDep, staff: Writer) -> None:
    """Queue anew what was given up."""
    with estate.changer.change() as change:
        try_again(change, staff.staff, delivery)
