"""A relay that stands where the cloud stands and lies.

It holds all that a cloud holds: the link key that the community paired with, the database, and
every byte that either side gives it. It speaks the real link to a real server and the public
JSON API to clients; what it does with an envelope, a profile or a reply is a test's choice.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa
from sqlalchemy.orm import Session

from gatehouse.local_estate import wait_for
from tests.community_server.doubles import COMMUNITY, CloudDouble
from tests.community_server.server_process import Desk
from tier_link.base64url import encode_base64url
from tier_link.certificates import carry_certificate
from tier_link.invitations import parse_link
from tier_link.relay_messages import (
    RELAY,
    EnvelopeDeposited,
    InvitationsPublished,
    ProfilePublished,
)
from tier_link.store import reading

Numbered = tuple[int, bytes]

HOLDINGS = ("people", "templates", "enrollments", "pending_photos", "consents_given", "entries")


class DishonestRelay(CloudDouble):
    """A cloud's place taken; honest until a test changes one of its three habits.

    Attributes:
        seen: every byte string that server or client gave it.
        deposits: what clients uploaded, by envelope, as it came.
        on_profile: what it tells clients of the community.
        on_deposit: which envelopes it passes on for one that came.
        on_replies: which replies it hands out for an envelope.
    """

    def __init__(self, folder: Path, database: str = "") -> None:
        self.seen: list[bytes] = []
        self.kinds: dict[str, str] = {}
        self.deposits: dict[str, EnvelopeDeposited] = {}
        self.be_honest()
        super().__init__(folder, database)

    def be_honest(self) -> None:
        """Do as the cloud does."""
        self.on_profile: Callable[[dict[str, Any]], dict[str, Any]] = lambda view: view
        self.on_deposit: Callable[[EnvelopeDeposited], Iterable[EnvelopeDeposited]] = lambda one: [
            one
        ]
        self.on_replies: Callable[[str], Sequence[Numbered]] = self.true_replies

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        """Keep everything; then do as the cloud does."""
        self.seen.append(body)
        message = RELAY.decode(kind, body)
        if isinstance(message, InvitationsPublished):
            self.kinds |= {one.id: one.kind for one in message.invitations}
        super().apply(session, peer, kind, body)

    def true_replies(self, envelope: str) -> list[Numbered]:
        """Return what the community really answered, each number once."""
        found = {one.number: one.sealed for one in self.replies if one.envelope == envelope}
        return sorted(found.items())

    def pass_on(self, deposit: EnvelopeDeposited) -> None:
        """Give the server an envelope and wait until it has dealt with it."""
        self.deposit(deposit)
        self.settle()

    def settle(self) -> None:
        """Wait until the server has dealt with everything it was given."""
        wait_for("the server to take it", lambda: self.store.waiting(COMMUNITY) == 0)

    def client(self) -> httpx.Client:
        """Return what an enrolling person's device uses; its other end is this relay."""
        return httpx.Client(transport=httpx.MockTransport(self.serve))

    def serve(self, request: httpx.Request) -> httpx.Response:
        """Answer a client as the cloud's JSON API does."""
        self.seen += [str(request.url).encode(), *(b": ".join(h) for h in request.headers.raw)]
        self.seen.append(request.content)
        match (request.method, request.url.path.split("/")[4:]):
            case ("GET", [_]):
                assert self.profile is not None
                return httpx.Response(200, json=self.on_profile(_view(self.profile)))
            case ("GET", [_, "invitations", invitation]):
                if invitation not in self.open:
                    return _refusal(410, "invitation-used")
                return httpx.Response(200, json={"state": "open"})
            case ("PUT", [_, "envelopes", envelope]):
                self._take(envelope, request)
                return httpx.Response(202, json={"envelope": envelope, "state": "waiting"})
            case ("GET", [_, "envelopes", envelope]) if envelope in self.deposits:
                replies = [
                    {"number": number, "sealed": encode_base64url(sealed)}
                    for number, sealed in self.on_replies(envelope)
                ]
                return httpx.Response(200, json={"state": "waiting", "replies": replies})
        return _refusal(404, "envelope-unknown")

    def _take(self, envelope: str, request: httpx.Request) -> None:
        told = request.url.params
        came = EnvelopeDeposited(
            envelope=envelope,
            invitation=told["invitation"],
            key=told["key"],
            suite=told["suite"],
            sealed_by="browser",
            received_at=1,
            sealed=request.content,
        )
        self.deposits[envelope] = came
        for deposit in self.on_deposit(came):
            self.deposit(deposit)


@dataclass(frozen=True)
class Holdings:
    """What a server holds, read from its database: rows by table, and invitations used."""

    rows: Mapping[str, int]
    used: int

    @classmethod
    def of(cls, engine: sa.Engine) -> "Holdings":
        """Count in a server's database."""
        invitations = sa.table("invitations", sa.column("state"))
        count = sa.select(sa.func.count())
        with reading(engine).connect() as database:
            rows = {
                table: database.scalars(count.select_from(sa.table(table))).one()
                for table in HOLDINGS
            }
            used = count.select_from(invitations).where(invitations.c.state != "open")
            return cls(rows, database.scalars(used).one())


def invite(desk: Desk, relay: DishonestRelay, name: str, *, kind: str = "resident") -> str:
    """Return a fresh invitation's link, once the relay knows its id."""
    body = {"kind": kind, "name": name, "unit": "1-101"}
    link: str = desk.call("POST", "/api/v1/invitations", body)["link"]
    wait_for("the invitation at the relay", lambda: parse_link(link).invitation.id in relay.open)
    return link


def _view(profile: ProfilePublished) -> dict[str, Any]:
    carried = [carry_certificate(one.certificate, one.signature) for one in profile.certificates]
    return {
        "community": COMMUNITY,
        "name": profile.name,
        "root_public": encode_base64url(profile.root_public),
        "certificates": [
            {"certificate": one.certificate, "signature": one.signature} for one in carried
        ],
        "consents": [
            {
                "id": one.id,
                "version": one.version,
                "language": one.language,
                "required": one.required,
                "title": one.title,
                "text": one.text,
            }
            for one in profile.consents
        ],
    }


def _refusal(status: int, code: str) -> httpx.Response:
    return httpx.Response(status, json={"error": {"code": code, "message": code}})
