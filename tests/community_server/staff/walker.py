"""Somebody of each role, and nobody, who calls every route that the written table names."""

import asyncio
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
from fastapi import FastAPI
from sqlalchemy.orm import Session

from community_server.database import new_id, now
from community_server.desk import COOKIE, CSRF_HEADER
from community_server.estate import Estate
from community_server.staff import passwords
from community_server.staff.permissions import Role
from community_server.staff.tables import StaffMember, StaffSession

HOST: Final = "gatehouse.test"
CSRF: Final = "csrf-of-the-test"
NOBODY: Final = ""
LETTERS: Final = dict(zip(Role, "GMOA", strict=True))
_LINE: Final = re.compile(
    r"^([A-Z]+) +(/\S*) +(public|door|[GMOA.](?: [GMOA.]){3})(?: +([\w-]+))?$"
)


@dataclass(frozen=True)
class Line:
    """One line of the table."""

    method: str
    path: str
    who: str
    scope: str = ""

    @property
    def public(self) -> bool:
        return self.who == "public"

    def allows(self, role: str) -> bool:
        return self.public or (role != NOBODY and LETTERS[Role(role)] in self.who.split())

    def address(self) -> str:
        """Return an address of this route about something that does not exist."""
        return self.path.replace("{number}", "0").replace("{", "").replace("}", "")

    def fits(self, method: str, path: str) -> bool:
        pattern = re.sub(r"\{\w+\}", "[^/]+", self.path)
        return method == self.method and re.fullmatch(pattern, path) is not None


def read_table() -> list[Line]:
    text = Path(__file__).with_name("who_may_what.txt").read_text("utf-8")
    found = [_LINE.match(line) for line in text.splitlines() if line and line[0] not in "# "]
    assert all(found)
    return [Line(*match.groups("")) for match in found if match]


TABLE: Final = read_table()
ROUTES: Final = [line for line in TABLE if line.method != "SOCKET" and line.path != "/static"]


@dataclass
class Walker:
    """An estate's application, and somebody of each role who is signed in at it."""

    app: FastAPI
    estate: Estate
    runner: asyncio.Runner
    staff: dict[str, str] = field(default_factory=dict)

    def hire(self, role: Role) -> None:
        with Session(self.estate.engine) as session, session.begin():
            row = StaffMember(
                id=new_id(),
                username=role,
                password_hash=passwords._NOBODYS_HASH,
                role=role,
                created_at=now(),
            )
            session.add(row)
            self.staff[role] = row.id

    def ask(self, line: Line, role: str, **more: Any) -> httpx.Response:
        """Call a route as somebody would who is signed in and sends what every write has to."""
        return self.call(line.method, line.address(), role, **more)

    def call(
        self,
        method: str,
        path: str,
        role: str,
        csrf: str = CSRF,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        sent = {"accept-language": "en"} | dict(headers or {})
        if role:
            sent["cookie"] = f"{COOKIE}={self._sign_in(role)}"
        form = None
        if method != "GET" and path.startswith("/api/"):
            sent[CSRF_HEADER] = csrf
        elif method != "GET":
            form = {"csrf": csrf}
        return self.runner.run(self._send(method, path, sent, form))

    async def _send(
        self, method: str, path: str, headers: dict[str, str], form: dict[str, str] | None
    ) -> httpx.Response:
        transport = httpx.ASGITransport(self.app)
        async with httpx.AsyncClient(transport=transport, base_url=f"https://{HOST}") as client:
            return await client.request(method, path, headers=headers, data=form)

    def _sign_in(self, role: str) -> str:
        """Return a session's cookie; routes that end sessions are among those walked."""
        token = f"token-of-{role}"
        digest = hashlib.sha256(token.encode()).digest()
        with Session(self.estate.engine) as session, session.begin():
            if session.get(StaffSession, digest) is None:
                session.add(
                    StaffSession(
                        token_hash=digest,
                        staff_id=self.staff[role],
                        csrf=CSRF,
                        created_at=now(),
                        seen_at=now(),
                        proven_at=now(),
                    )
                )
        return token
