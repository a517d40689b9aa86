"""A phone on the estate's network: the application without a socket, and nobody signed in."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, Final, Self

import httpx

from community_server.app import make_app
from community_server.database import now
from community_server.estate import Estate
from community_server.invitations.service import Here
from community_server.keys.root import root_key
from community_server.setup.community import get_community
from tests.community_server.bench import CLOUD, Draft
from tier_link.base64url import decode_base64url
from tier_link.invitations import InvitationSecret
from tier_link.ledger import LedgerWritten
from tier_link.relay_messages import RELAY
from tier_link.replies import Reply, open_reply
from tier_link.sealing import SUITE_NAME

ADDRESS: Final = "https://gate.example:8443"
BOX: Final = "application/octet-stream"
HERE: Final = Here(ADDRESS)
DESK: Final = Here(ADDRESS, at_desk=True)


def at_home(draft: Draft) -> Draft:
    """Agree to what is shown where nothing goes over the internet."""
    given = tuple(consent for consent in draft.consents if consent.id != "internet")
    return replace(draft, consents=given)


def code(answer: httpx.Response) -> tuple[int, str]:
    """Return a refusal's status and code."""
    return answer.status_code, answer.json()["error"]["code"]


def outbox(estate: Estate) -> list[str]:
    """Return the kinds of records that wait for the cloud, but for rows of the ledger.

    Those name an event by an opaque id, and go wherever a backup's loss is to be noticed.
    """
    waiting = [record.kind for record in estate.links.pending(CLOUD, 0, limit=10_000)]
    return [kind for kind in waiting if kind != RELAY.kind(LedgerWritten)]


@dataclass(frozen=True)
class Asked:
    """One upload, as a test may spoil it."""

    envelope: str
    invitation: str
    key: str
    body: bytes
    suite: str = SUITE_NAME

    @classmethod
    def of(cls, draft: Draft) -> "Asked":
        deposit = draft.deposit()
        return cls(draft.envelope, draft.invitation.id, draft.key, deposit.sealed)


class Phone:
    """Speaks the forms' interface."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        with estate.reading() as session:
            self.community = get_community(session).slug
            self.root = root_key(session, estate.safe).public_key()
        self._runner = asyncio.Runner()
        self._http = httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app(estate)),
            base_url=ADDRESS,
            headers={"accept-language": "en"},
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._runner.run(self._http.aclose())
        self._runner.close()

    @property
    def base(self) -> str:
        return f"/api/v1/communities/{self.community}"

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self._runner.run(self._http.get(path, **options))

    def put(self, asked: Asked, **options: Any) -> httpx.Response:
        (answer,) = self.put_at_once(asked, **options)
        return answer

    def put_at_once(self, *many: Asked, **options: Any) -> list[httpx.Response]:
        async def send() -> list[httpx.Response]:
            return await asyncio.gather(*(self._put(asked, **options) for asked in many))

        return self._runner.run(send())

    async def _put(
        self, asked: Asked, body: AsyncIterator[bytes] | None = None, **headers: str
    ) -> httpx.Response:
        sent = {"content-type": BOX} | {
            name.replace("_", "-"): text for name, text in headers.items()
        }
        return await self._http.put(
            f"{self.base}/envelopes/{asked.envelope}",
            params={"invitation": asked.invitation, "key": asked.key, "suite": asked.suite},
            content=asked.body if body is None else body,
            headers=sent,
        )

    def state(self, invitation: InvitationSecret) -> httpx.Response:
        return self.get(f"{self.base}/invitations/{invitation.id}")

    def replies(self, draft: Draft) -> list[Reply]:
        answer = self.get(f"{self.base}/envelopes/{draft.envelope}")
        assert answer.is_success, answer.text
        return [
            open_reply(
                draft.reply_key,
                decode_base64url(one["sealed"]),
                root_public=self.root,
                community=self.community,
                envelope=draft.envelope,
                number=one["number"],
                now=now(),
            )
            for one in answer.json()["replies"]
        ]
