"""A desk at a real server, and a door that answers as a test wants."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import sqlalchemy as sa

from gatehouse.local_estate import wait_for
from tests.community_server.bench import PASSWORD
from tests.community_server.doubles import DoorDouble
from tests.community_server.server_process import Desk, Server


@dataclass
class Opening:
    """A desk, and a door that answers as a test wants."""

    desk: Desk
    terminal: DoorDouble
    door: str
    database: str

    def ask(self, **more: Any) -> httpx.Response:
        body = {"password": PASSWORD, "reason": "visitor"} | more
        return self.desk.http.post(f"/api/v1/doors/{self.door}/open", json=body)

    def audit(self) -> list[tuple[str, str]]:
        """Return what the audit log says of this door."""
        engine = sa.create_engine(self.database)
        with engine.connect() as connection:
            query = sa.text(
                "SELECT action, detail FROM audit WHERE subject = :door "
                "AND (action LIKE 'open-door%' OR action LIKE 'refuse-call%') ORDER BY number"
            )
            rows = [
                (row.action, row.detail) for row in connection.execute(query, {"door": self.door})
            ]
        engine.dispose()
        return rows

    def openings(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.desk.call("GET", f"/api/v1/openings?door={self.door}")
        return found


@contextlib.contextmanager
def connected(server: Server, database: str, folder: Path) -> Iterator[Opening]:
    desk = Desk(server)
    desk.sign_in()
    door = desk.call("POST", "/api/v1/doors", {"name": "North gate"})["door"]
    code = desk.call("POST", f"/api/v1/doors/{door}/pairing")["code"]
    with DoorDouble(folder / "door", server.url) as terminal:
        terminal.pair(code)
        terminal.connect()
        wait_for("the configuration", lambda: terminal.configuration)
        database = database or f"sqlite:///{server.data / 'server.sqlite'}"
        yield Opening(desk, terminal, door, database)
    desk.close()


def code(response: httpx.Response) -> str:
    assert not response.is_success
    said: str = response.json()["error"]["code"]
    return said
