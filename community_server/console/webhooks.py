"""Other systems: who is told of events, what was delivered, and what was not."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request, Response

from community_server.console.frame import Text, desk_page, form_writer, go_to
from community_server.desk import EstateDep, RowNumber, reader
from community_server.errors import Conflict, InputRefused, ServerError
from community_server.estate import Estate
from community_server.events.kinds import KINDS
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.webhooks.queue import list_deliveries, try_again
from community_server.webhooks.sender import show_secret
from community_server.webhooks.service import (
    add_webhook,
    get_webhook,
    list_webhooks,
    pause_webhook,
    remove_webhook,
    renew_secret,
    show_webhook,
)

router = APIRouter(prefix="/webhooks")

Reader = Annotated[SignedIn, reader(Permission.CONNECT_SYSTEMS)]
Writer = Annotated[SignedIn, form_writer(Permission.CONNECT_SYSTEMS)]

AT_ONCE: Final = 30
STATES: Final = ("", "waiting", "given-up", "delivered")

Kinds = Annotated[list[str], Form(default_factory=list, max_length=len(KINDS))]


@dataclass(frozen=True)
class Described:
    """A webhook as the form describes it."""

    name: str = ""
    url: str = field(default="", repr=False)
    kinds: Sequence[str] = ()


@dataclass(frozen=True)
class GivenSecret:
    """A secret, in the only answer that ever holds it."""

    name: str
    secret: str = field(repr=False)


@router.get("")
def show_webhooks(
    request: Request,
    estate: EstateDep,
    staff: Reader,
    state: Annotated[str, Query(max_length=16)] = "",
    before: RowNumber = 0,
) -> Response:
    """Show the webhooks and what was delivered."""
    return _page(request, estate, staff, state=state, before=before)


@router.post("")
def make_webhook(
    request: Request,
    estate: EstateDep,
    staff: Writer,
    kinds: Kinds,
    name: Text = "",
    url: Text = "",
) -> Response:
    """Add a webhook, and show its secret."""
    try:
        with estate.changer.change() as change:
            _, secret = add_webhook(change, staff.staff, name=name, url=url, kinds=kinds)
    except (InputRefused, Conflict) as refusal:
        form = Described(name, url, kinds)
        return _page(request, estate, staff, form=form, refusal=refusal)
    given = GivenSecret(name.strip(), show_secret(secret))
    return _page(request, estate, staff, given=given)


@router.post("/{webhook}/test")
def test_webhook(request: Request, webhook: str, estate: EstateDep, staff: Writer) -> Response:
    """Send a test; the newest line below says what came of it."""
    outcome = estate.courier.test(webhook)
    if outcome.trouble:
        refusal = Conflict("the test was not taken", code="webhook-test-failed")
        return _page(request, estate, staff, refusal=refusal)
    return go_to("/webhooks?done=webhook-tested")


@router.post("/{webhook}/pause")
def pause(webhook: str, estate: EstateDep, staff: Writer, paused: Text = "") -> Response:
    """Send nothing there for now, or go on."""
    with estate.changer.change() as change:
        pause_webhook(change, staff.staff, webhook, paused=paused == "yes")
    return go_to("/webhooks?done=webhook-changed")


@router.post("/{webhook}/secret")
def renew(request: Request, webhook: str, estate: EstateDep, staff: Writer) -> Response:
    """Draw a new secret, and show it."""
    with estate.changer.change() as change:
        secret = renew_secret(change, staff.staff, webhook)
        name = get_webhook(change.session, webhook).name
    return _page(request, estate, staff, given=GivenSecret(name, show_secret(secret)))


@router.get("/{webhook}/removal")
def ask_removal(request: Request, webhook: str, estate: EstateDep, staff: Reader) -> Response:
    """Say in words what removing means, and ask."""
    with estate.reading() as session:
        hook = show_webhook(session, estate.safe, get_webhook(session, webhook))
    return desk_page(
        request,
        estate,
        staff,
        "webhook_removal.html.jinja",
        room="cloud",
        here=f"/webhooks/{webhook}/removal",
        hook=hook,
    )


@router.post("/{webhook}/removal")
def remove(webhook: str, estate: EstateDep, staff: Writer) -> Response:
    """Remove a webhook with all that waits for it."""
    with estate.changer.change() as change:
        remove_webhook(change, staff.staff, webhook)
    return go_to("/webhooks?done=webhook-removed")


@router.post("/deliveries/{delivery}")
def retry(request: Request, delivery: RowNumber, estate: EstateDep, staff: Writer) -> Response:
    """Queue anew what was given up."""
    try:
        with estate.changer.change() as change:
            try_again(change, staff.staff, delivery)
    except Conflict as refusal:
        return _page(request, estate, staff, refusal=refusal)
    return go_to("/webhooks?done=delivery-queued")


def _page(
    request: Request,
    estate: Estate,
    staff: SignedIn,
    *,
    form: Described | None = None,
    given: GivenSecret | None = None,
    state: str = "",
    before: int = 0,
    refusal: ServerError | None = None,
) -> Response:
    with estate.reading() as session:
        webhooks = list_webhooks(session, estate.safe)
        deliveries = list_deliveries(session, state=state, before=before, limit=AT_ONCE)
    return desk_page(
        request,
        estate,
        staff,
        "webhooks.html.jinja",
        room="cloud",
        here="/webhooks",
        refusal=refusal,
        webhooks=webhooks,
        form=form or Described(),
        given=given,
        deliveries=deliveries,
        more=deliveries[-1].delivery if len(deliveries) == AT_ONCE else 0,
        state=state,
        states=STATES,
        kinds=KINDS,
        broker=estate.publisher.state,
    )
