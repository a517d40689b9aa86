"""A cloud and a door that speak the real link, each on a thread's event loop of its own."""

import asyncio
import secrets
import threading
from datetime import timedelta
from pathlib import Path
from typing import Any, Self

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy.orm import Session
from websockets.asyncio.server import ServerConnection, serve

from tests.support.link_nodes import AcceptedSocket, IdleHandler, OwnLoop
from tier_link.channel import (
    Dialer,
    LinkHub,
    NodeIdentity,
    accept_pairing,
    dial_pairing,
    pairing_tls,
    pinned_tls,
)
from tier_link.errors import RequestRefused
from tier_link.estate_messages import (
    ESTATE,
    CallRefused,
    CallRinging,
    DoorConfigured,
    DoorPresence,
    EstateMessage,
    FireReset,
    LockdownDeclared,
    OpeningAnswer,
    OpeningNonce,
    OpeningWanted,
    RemoteOpening,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    ServerNews,
    roster_hash,
)
from tier_link.pairing import Paired, PairingConfiguration, PairStart
from tier_link.relay_messages import (
    RELAY,
    EnvelopeDeposited,
    InvitationsPublished,
    InvitationsWithdrawn,
    ProfilePublished,
    ReplySealed,
)
from tier_link.store import LinkBase, LinkStore, PairingCodes, open_database
from tier_link.store.codes import OpenCode

COMMUNITY = "sunny-court-beef"


class CloudDouble(IdleHandler):
    """Takes one community's pairing and link; keeps what it is told."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.engine = open_database(database or f"sqlite:///{folder / 'cloud.sqlite'}")
        LinkBase.metadata.create_all(self.engine)
        self.store = LinkStore(self.engine, keep_acknowledged=timedelta(0))
        self.codes = PairingCodes(self.engine)
        self.profile: ProfilePublished | None = None
        self.open: set[str] = set()
        self.replies: list[ReplySealed] = []
        self._server_key: Ed25519PublicKey | None = None
        self._identity = NodeIdentity("cloud", Ed25519PrivateKey.generate())
        self._own = OwnLoop()
        self.hub = LinkHub(self._identity, self.store, self, lambda _: self._server_key)
        self._server = self._own.run(self._listen())
        port = next(iter(self._server.sockets)).getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    async def _listen(self) -> Any:
        return await serve(self._accept, "127.0.0.1", 0)

    async def _accept(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        if connection.request.path == "/link":
            await self.hub.accept(AcceptedSocket(connection))
        else:
            await accept_pairing(
                AcceptedSocket(connection),
                self._identity,
                self.codes,
                self._configure,
                self._complete,
            )

    def _configure(self, code: OpenCode, start: PairStart) -> PairingConfiguration:
        del code, start
        return PairingConfiguration(COMMUNITY, COMMUNITY, "cloud", "")

    def _complete(self, code: OpenCode, start: PairStart) -> None:
        with Session(self.engine) as session, session.begin():
            self.codes.spend(session, code)
        self._server_key = Ed25519PublicKey.from_public_bytes(start.public_key)

    def issue_code(self) -> str:
        with Session(self.engine) as session, session.begin():
            return self.codes.issue(session, role="server", subject=COMMUNITY).code

    def deposit(self, deposit: EnvelopeDeposited) -> None:
        with Session(self.engine) as session, session.begin():
            self.store.put(session, COMMUNITY, RELAY.kind(deposit), RELAY.encode(deposit))
        link = self.hub.link(COMMUNITY)
        if link is not None:
            link.wake()

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        del session, peer
        match RELAY.decode(kind, body):
            case ProfilePublished() as profile:
                self.profile = profile
            case InvitationsPublished() as published:
                self.open |= {one.id for one in published.invitations}
            case InvitationsWithdrawn() as withdrawn:
                self.open -= set(withdrawn.ids)
            case ReplySealed() as reply:
                self.replies.append(reply)

    def close(self) -> None:
        async def end() -> None:
            self._server.close()
            await self._server.wait_closed()

        self._own.run(end())
        self._own.stop()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class DoorDouble(IdleHandler):
    """Pairs as a door does, keeps its roster, proves it, and sends what a test wants."""

    def __init__(self, folder: Path, url: str) -> None:
        folder.mkdir()
        self.engine = open_database(f"sqlite:///{folder / 'door.sqlite'}")
        LinkBase.metadata.create_all(self.engine)
        self.store = LinkStore(self.engine, keep_acknowledged=timedelta(days=7))
        self.key = Ed25519PrivateKey.generate()
        self.url = url.replace("https:", "wss:")
        self.people: dict[str, RosterPerson] = {}
        self.version = 0
        self.configuration: DoorConfigured | None = None
        self.news: ServerNews | None = None
        self.lockdown: LockdownDeclared | None = None
        self.snapshots = 0
        self.resets: list[str] = []
        self.burning = False
        self.nonces = 0
        self.orders: list[RemoteOpening] = []
        self.refusals: list[CallRefused] = []
        self.refusal = ""
        self.gate = ""
        self.mute = threading.Event()
        self.mute.set()
        self.paired: Paired | None = None
        self.dialer: Dialer | None = None
        self._own = OwnLoop()

    def pair(self, code: str) -> None:
        self.paired = self._own.run(
            dial_pairing(
                f"{self.url}/pair",
                code,
                role="door",
                private_key=self.key,
                name="Main gate",
                tls=pairing_tls(),
            )
        )

    def connect(self) -> None:
        assert self.paired is not None
        given = self.paired.configuration
        self.dialer = Dialer(
            f"{self.url}/link",
            NodeIdentity(given.node, self.key),
            given.peer,
            Ed25519PublicKey.from_public_bytes(self.paired.peer_key),
            self.store,
            self,
            pinned_tls(given.ca_pem),
        )
        asyncio.run_coroutine_threadsafe(self.dialer.run(), self._own.loop)

    def send(self, message: EstateMessage) -> None:
        """Put a durable record into the outbox."""
        assert self.paired is not None
        with Session(self.engine) as session, session.begin():
            peer = self.paired.configuration.peer
            self.store.put(session, peer, ESTATE.kind(message), ESTATE.encode(message))
        if self.dialer and self.dialer.link:
            self.dialer.link.wake()

    def ask(self, message: EstateMessage) -> bytes:
        assert self.dialer is not None
        assert self.dialer.link is not None
        return self.dialer.link.request(ESTATE.kind(message), ESTATE.encode(message), 20.0)

    def ring(self, call: str, still: bytes = b"", rung_ms: int = 0) -> None:
        """Publish who rings, as a door does about once a second."""
        assert self.dialer is not None
        assert self.dialer.link is not None
        news = CallRinging(call, rung_ms, still)
        self.dialer.link.publish(ESTATE.kind(news), ESTATE.encode(news))

    def show_presence(self) -> None:
        assert self.dialer is not None
        assert self.dialer.link is not None
        presence = DoorPresence(
            roster_version=self.version,
            roster_hash=roster_hash(self.people.values()),
            mode="remote",
            template_space=self.configuration.template_space if self.configuration else "",
            software="test",
            camera="",
            uptime_s=1,
            queue=0,
            detect_ms=1,
            encode_ms=1,
            time_known=True,
            gate="gate-unreachable",
            vision="vision-down",
            lockdown=self.lockdown.number if self.lockdown else 0,
            locked_down=bool(self.lockdown and self.lockdown.active),
        )
        self.dialer.link.publish(ESTATE.kind(presence), ESTATE.encode(presence))

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        del session, peer
        match ESTATE.decode(kind, body):
            case RosterSnapshot() as snapshot:
                if snapshot.part == 0:
                    self.people = {}
                self.people |= {one.person: one for one in snapshot.people}
                self.version = snapshot.version
                self.snapshots += 1
            case RosterDelta() as delta:
                assert delta.version == self.version + 1
                self.people |= {one.person: one for one in delta.upserts}
                for person in delta.removed:
                    self.people.pop(person, None)
                self.version = delta.version
            case DoorConfigured() as configuration:
                self.configuration = configuration
            case LockdownDeclared() as declared:
                self.lockdown = declared

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        del peer, deadline
        match ESTATE.decode(kind, body):
            case FireReset(staff=staff):
                self.resets.append(staff)
                if self.burning:
                    raise RequestRefused("it still burns", code="fire-still-active")
                return b""
            case OpeningWanted():
                self.nonces += 1
                return ESTATE.encode(OpeningNonce(secrets.token_hex(16)))
            case RemoteOpening() as order:
                self.orders.append(order)
                self.mute.wait()
                if self.refusal:
                    raise RequestRefused("not now", code=self.refusal)
                return ESTATE.encode(OpeningAnswer(self.gate))
            case CallRefused() as refusal:
                self.refusals.append(refusal)
                if self.refusal:
                    raise RequestRefused("not now", code=self.refusal)
                return b""
        raise AssertionError(kind)

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        del peer
        message = ESTATE.decode(kind, body)
        if isinstance(message, ServerNews):
            self.news = message

    def close(self) -> None:
        self.mute.set()
        self._own.stop()
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
