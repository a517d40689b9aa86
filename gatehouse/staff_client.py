"""The estate server's JSON API, as the demo and the tests use it."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Self, cast

import httpx


class StaffCallFailed(Exception):
    """The server refused a call; `code` is its stable reason."""

    def __init__(self, message: str, code: str, status: int) -> None:
        super().__init__(f"{message} ({code}, HTTP {status})")
        self.code = code
        self.status = status


@dataclass
class StaffClient:
    """One signed-in member of staff. Use as a context manager."""

    http: httpx.Client
    csrf: str = field(default="", repr=False)

    @classmethod
    def connect(cls, address: str, *, authority_pem: str) -> Self:
        """Open a client of the server at `address` that trusts the community's CA alone."""
        context = ssl.create_default_context(cadata=authority_pem)
        return cls(
            httpx.Client(
                base_url=address,
                verify=context,
                timeout=30.0,
                trust_env=False,
                headers={"Accept-Language": "en"},
                # Given up before the server does so: a request must not meet its closing.
                limits=httpx.Limits(keepalive_expiry=2.0),
            )
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.http.close()

    def sign_in(self, username: str, password: str) -> None:
        """Open a session.

        Raises:
            StaffCallFailed: wrong name or password, or too many attempts.
        """
        answer = self.call("POST", "session", {"username": username, "password": password})
        self.csrf = answer["csrf"]

    def call(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """Call `/api/v1/{path}` and return the JSON answer, or None where there is none.

        Raises:
            StaffCallFailed: with the server's code.
        """
        response = self.http.request(
            method,
            f"/api/v1/{path}",
            json=body,
            headers={"X-CSRF-Token": self.csrf} if self.csrf else {},
        )
        if response.is_success:
            return response.json() if response.content else None
        try:
            error = cast("Mapping[str, Any]", response.json()["error"])
            raise StaffCallFailed(error["message"], error["code"], response.status_code)
        except (ValueError, KeyError, TypeError) as unreadable:
            raise StaffCallFailed(response.text[:200], "http", response.status_code) from unreadable
