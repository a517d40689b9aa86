"""Doors and a cloud that keep the ledger, by their own code, at the end of links without wires."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.change import CLOUD
from community_server.doors.hub import server_identity
from community_server.estate import Estate
from community_server.setup.community import get_community
from door_terminal.database import open_door_database
from door_terminal.uplink import Uplink
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.database import Database
from enrollment_cloud.records import CommunityRecords
from tier_link.channel import LiveLink
from tier_link.errors import RequestFailed, RequestRefused
from tier_link.ledger import LedgerWritten
from tier_link.relay_messages import RELAY, ProfilePublished
from tier_link.store import bring_up_to_date, open_database


@dataclass
class Copy:
    """Whoever keeps a copy: what it is told, and what it answers."""

    engine: Engine
    peer: str
    """What the server calls it."""
    server: str
    """What it calls the server."""
    handler: Any

    def hear(self, estate: Estate) -> None:
        """Take what waits for it in the server's outbox, as its link would."""
        wanted = {RELAY.kind(LedgerWritten), RELAY.kind(ProfilePublished)}
        with Session(self.engine) as session, session.begin():
            for record in estate.links.pending(self.peer, 0, limit=10_000):
                if record.kind in wanted:
                    self.handler.apply(session, self.server, record.kind, record.body)

    def link(self) -> LiveLink:
        """Return a link over which it answers at once."""
        return _Link(self)  # type: ignore[return-value]  # as far as asking goes


@dataclass
class _Link:
    copy: Copy

    def request(self, kind: str, body: bytes, deadline: float) -> bytes:
        try:
            answer: bytes = self.copy.handler.answer(self.copy.server, kind, body, deadline)
        except RequestRefused as refused:
            raise RequestFailed(str(refused), code=refused.code) from refused
        return answer

    def wake(self) -> None:
        """Nothing waits."""


@contextmanager
def door_copy(folder: Path, estate: Estate, door: str) -> Iterator[Copy]:
    """Open a door's end: its own database, and the handler of its link."""
    engine = open_door_database(f"sqlite:///{folder / f'{door}.sqlite'}")
    with estate.reading() as session:
        root = estate.configurer._pass_rules(session)
    wire = SimpleNamespace(passes=root)
    fake: Any = SimpleNamespace(current=SimpleNamespace(wire=wire))
    rest: Any = None
    uplink = Uplink(
        engine=engine,
        configuration=fake,
        roster=rest,
        clock=rest,
        lockdown=rest,
        audit=rest,
        end_fire=rest,
        openings=rest,
        key=rest,
        custody=rest,
        calls=rest,
        addresses=rest,
    )
    yield Copy(engine, door, server_identity(estate.secrets.link_key).node, uplink)
    engine.dispose()


@contextmanager
def cloud_copy(folder: Path, estate: Estate) -> Iterator[Copy]:
    """Open the cloud's end: its own database, and the handler of communities' links."""
    engine = open_database(f"sqlite:///{folder / 'cloud.sqlite'}")
    bring_up_to_date(engine, "cloud")
    database = Database.of(engine)
    with estate.reading() as session:
        slug = get_community(session).slug
    with database.write.begin() as session:
        session.add(Community(id=slug, name="Sunny Court", created_at=0))
    deposits: Any = SimpleNamespace(database=database)
    yield Copy(engine, CLOUD, slug, CommunityRecords(deposits))
    engine.dispose()
