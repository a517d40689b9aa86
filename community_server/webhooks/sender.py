"""One attempt: signed as https://www.standardwebhooks.com says, and sent without detours.

An attempt fails with one of the codes `name-unknown`, `address-internal`, `unreachable`,
`tls-refused`, `timed-out`, `redirected` and `answer-refused`.
"""

import base64
import hashlib
import hmac
import json
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Final

import httpcore
import httpx

from community_server.errors import InputRefused
from community_server.events.service import ShownEvent
from community_server.webhooks.addresses import GuardedBackend, Network, Undelivered

SECRET_PREFIX: Final = "whsec_"  # noqa: S105 -- what every secret begins with
SECRET_SIZE: Final = 32
"""Bytes."""
LONGEST_URL: Final = 500
PORTS: Final = 65536
ATTEMPT_S: Final = 15.0
"""For everything: looking the name up aside, connecting, sending and the answer's head."""

Headers = list[tuple[bytes | str, bytes | str]]


@dataclass(frozen=True)
class Sender:
    """Sends events.

    `networks` are the internal networks that may be sent to; `authority` a PEM file of a further
    authority that certifies the receivers, or None.
    """

    networks: Sequence[Network]
    authority: Path | None = None

    def send(self, url: str, secret: bytes, event: ShownEvent, moment: int) -> int:
        """Send an event once; return the status of the answer, which says that it was taken.

        Raises:
            Undelivered: with one of the codes above.
            Refused: the answer's status says that it was not taken.
        """
        place = parse_url(url)
        body = json.dumps(event.as_json(), separators=(",", ":")).encode()
        headers: Headers = [
            ("host", place.netloc),
            ("content-type", "application/json"),
            ("user-agent", "gatehouse"),
            ("webhook-id", event.event),
            ("webhook-timestamp", str(moment)),
            ("webhook-signature", sign(secret, event.event, moment, body)),
        ]
        status = self._post(place, headers, body)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            raise Refused(status, code="redirected")
        if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
            raise Refused(status, code="answer-refused")
        return status

    def _post(self, place: httpx.URL, headers: Headers, body: bytes) -> int:
        context = ssl.create_default_context()
        if self.authority is not None:
            context.load_verify_locations(self.authority)
        backend = GuardedBackend(self.networks, plain=place.scheme == "http", seconds=ATTEMPT_S)
        url = httpcore.URL(
            scheme=place.raw_scheme, host=place.raw_host, port=place.port, target=place.raw_path
        )
        try:
            with (
                httpcore.ConnectionPool(ssl_context=context, network_backend=backend) as pool,
                pool.stream("POST", url, headers=headers, content=body) as answer,
            ):
                return answer.status
        except httpcore.TimeoutException as error:
            raise Undelivered("no answer in time", code="timed-out") from error
        except (httpcore.NetworkError, httpcore.ProtocolError, OSError) as error:
            raise Undelivered("the connection failed") from error


class Refused(Undelivered):
    """The other side answered, and did not take it; `status` is what it answered."""

    code = "answer-refused"

    def __init__(self, status: int, *, code: str) -> None:
        """Take the HTTP status and the code."""
        super().__init__(f"answered {status}", code=code)
        self.status = status


def parse_url(url: str) -> httpx.URL:
    """Return an address that events can be sent to.

    Raises:
        InputRefused: `webhook-url-unusable`.
    """
    refused = InputRefused("not an address", field="url", code="webhook-url-unusable")
    if len(url) > LONGEST_URL:
        raise refused
    try:
        place = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise refused from error
    if place.scheme not in {"https", "http"} or not place.host or place.userinfo or place.fragment:
        raise refused
    if place.port is not None and not 0 < place.port < PORTS:
        raise refused
    return place


def sign(secret: bytes, event: str, moment: int, body: bytes) -> str:
    """Return the signature over id, time and body."""
    signed = f"{event}.{moment}.".encode() + body
    digest = hmac.new(secret, signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def show_secret(secret: bytes) -> str:
    """Return a secret as receivers' libraries take it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()
