"""An estate's server as a door sees it: the real link over TLS with a throwaway authority."""

import asyncio
import contextlib
import datetime as dt
import ipaddress
import secrets
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.x509.oid import NameOID
from sqlalchemy.orm import Session
from websockets.asyncio.server import ServerConnection, serve

from tests.support.link_nodes import AcceptedSocket, IdleHandler
from tier_link.channel import LinkHub, LiveLink, NodeIdentity, accept_pairing
from tier_link.errors import RequestRefused
from tier_link.estate_messages import (
    ESTATE,
    AlarmChanged,
    CallRinging,
    DoorConfigured,
    DoorKey,
    DoorKeyWanted,
    DoorPresence,
    EntryRecorded,
    EntryRemarked,
    EstateMessage,
    MatchAnswer,
    MatchRequest,
    RosterDelta,
    RosterPerson,
    RosterSnapshot,
    ServerNews,
    roster_hash,
)
from tier_link.pairing import PairingConfiguration, PairStart
from tier_link.store import LinkBase, LinkStore, PairingCodes, open_database
from tier_link.store.codes import OpenCode

SERVER = "sunny-court-4f2a"
DOOR = "0d" * 16
NEWS_S = 0.2


def eventually(condition: Callable[[], object], *, within: float = 20.0) -> None:
    """Wait until something holds; fail when it does not come about."""
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        threading.Event().wait(0.02)


@dataclass(frozen=True)
class Authority:
    """A certificate authority with one certificate, long expired: doors do not check dates."""

    ca_pem: str
    server_tls: ssl.SSLContext

    @classmethod
    def make(cls, folder: Path, *, days: int = 0) -> "Authority":
        """Make one whose certificates, with `days`, hold that long yet."""
        ca_key, key = (
            ec.generate_private_key(ec.SECP256R1()),
            ec.generate_private_key(ec.SECP256R1()),
        )
        ca_name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Sunny Court CA")])
        begin = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
        end = dt.datetime.now(dt.UTC) + dt.timedelta(days) if days else begin + dt.timedelta(1)

        def build(name: x509.Name, public: Any, *, is_ca: bool) -> x509.Certificate:
            return (
                x509.CertificateBuilder()
                .subject_name(name)
                .issuer_name(ca_name)
                .public_key(public)
                .serial_number(x509.random_serial_number())
                .not_valid_before(begin)
                .not_valid_after(end)
                .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
                .add_extension(
                    x509.SubjectAlternativeName(
                        [x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
                    ),
                    critical=False,
                )
                .sign(ca_key, hashes.SHA256())
            )

        ca = build(ca_name, ca_key.public_key(), is_ca=True)
        leaf = build(
            x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "server")]),
            key.public_key(),
            is_ca=False,
        )
        pem = folder / "server.pem"
        pem.write_bytes(
            leaf.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(pem)
        return cls(ca.public_bytes(serialization.Encoding.PEM).decode(), context)


@dataclass
class Estate(IdleHandler):
    """One server with one door; `up()` and `down()` as often as a test likes."""

    folder: Path
    plain: bool = False
    """Without TLS, so that what goes over the line can be read."""
    answer_match: Callable[[MatchRequest], MatchAnswer | None] = lambda _: None
    time: Callable[[], float] = time.time
    entries: list[EntryRecorded] = field(default_factory=list)
    alarms: list[AlarmChanged] = field(default_factory=list)
    remarks: list[EntryRemarked] = field(default_factory=list)
    calls: list[CallRinging] = field(default_factory=list)
    presences: list[DoorPresence] = field(default_factory=list)
    roster: dict[str, RosterPerson] = field(default_factory=dict)
    roster_version: int = 0
    device_key: bytes = b""
    """What a confidential door is given; empty for a server that knows no such thing."""
    port: int = 0

    def __post_init__(self) -> None:
        self.authority = Authority.make(self.folder)
        self.engine = open_database(f"sqlite:///{self.folder / 'server.sqlite'}")
        LinkBase.metadata.create_all(self.engine)
        self.store = LinkStore(self.engine, keep_acknowledged=dt.timedelta(0))
        self.codes = PairingCodes(self.engine)
        self.identity = NodeIdentity(SERVER, Ed25519PrivateKey.generate())
        self.door_key: Ed25519PublicKey | None = None
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stop: asyncio.Event | None = None
        self.link: LiveLink | None = None

    @property
    def url(self) -> str:
        return f"{'http' if self.plain else 'https'}://127.0.0.1:{self.port}"

    def up(self) -> None:
        serving = threading.Event()
        self._thread = threading.Thread(
            target=lambda: asyncio.run(self._serve(serving)), daemon=True
        )
        self._thread.start()
        assert serving.wait(10)

    def down(self) -> None:
        if self._thread is not None and self._loop is not None and self._stop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)
            self._thread.join(10)
            self._thread = None

    def code(self) -> str:
        with Session(self.engine) as session, session.begin():
            return self.codes.issue(session, role="door", subject=DOOR).code

    def configure(self, wire: DoorConfigured) -> None:
        self._put(wire)

    def enroll(self, *people: RosterPerson) -> None:
        self.roster.update({one.person: one for one in people})
        self.roster_version += 1
        self._put(RosterDelta(self.roster_version, people))

    def erase(self, *people: str) -> None:
        for one in people:
            del self.roster[one]
        self.roster_version += 1
        self._put(RosterDelta(self.roster_version, (), people))

    def snapshot(self, parts: Sequence[Sequence[RosterPerson]]) -> None:
        self.roster = {one.person: one for part in parts for one in part}
        self.roster_version += 1
        for number, part in enumerate(parts):
            self._put(RosterSnapshot(self.roster_version, number, len(parts), tuple(part)))

    def in_step(self) -> bool:
        """Say whether the door has proven that it holds exactly this roster."""
        return bool(self.presences) and self.presences[-1].roster_hash == roster_hash(
            self.roster.values()
        )

    def granted(self) -> list[EntryRecorded]:
        return [one for one in self.entries if one.granted]

    def _put(self, message: EstateMessage) -> None:
        with Session(self.engine) as session, session.begin():
            self.store.put(session, DOOR, ESTATE.kind(message), ESTATE.encode(message))
        link = self.link
        if link is not None:
            link.wake()

    # -- the link's handler ------------------------------------------------------------------

    def apply(self, session: Session, peer: str, kind: str, body: bytes) -> None:
        del session, peer
        match ESTATE.decode(kind, body):
            case AlarmChanged() as alarm:
                self.alarms.append(alarm)
            case EntryRemarked() as remark:
                self.remarks.append(remark)
            case message:
                assert isinstance(message, EntryRecorded)
                self.entries.append(message)

    def answer(self, peer: str, kind: str, body: bytes, deadline: float) -> bytes:
        del peer, deadline
        question = ESTATE.decode(kind, body)
        if isinstance(question, DoorKeyWanted):
            if not self.device_key:
                raise RequestRefused("what is that?", code="request-unknown")
            return ESTATE.encode(DoorKey(self.device_key))
        assert isinstance(question, MatchRequest)
        answer = self.answer_match(question)
        if answer is None:
            raise RequestRefused("not now", code="busy")
        return ESTATE.encode(answer)

    def take_latest(self, peer: str, kind: str, body: bytes) -> None:
        del peer
        message = ESTATE.decode(kind, body)
        match message:
            case DoorPresence():
                self.presences.append(message)
            case CallRinging():
                self.calls.append(message)

    def link_up(self, peer: str, link: LiveLink) -> None:
        del peer
        self.link = link

    def link_down(self, peer: str) -> None:
        del peer
        self.link = None

    # -- serving -----------------------------------------------------------------------------

    async def _serve(self, serving: threading.Event) -> None:
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        hub = LinkHub(self.identity, self.store, self, lambda _: self.door_key)

        async def accept(connection: ServerConnection) -> None:
            assert connection.request is not None
            if connection.request.path == "/pair":
                await accept_pairing(
                    AcceptedSocket(connection),
                    self.identity,
                    self.codes,
                    self._payload,
                    self._paired,
                )
            else:
                await hub.accept(AcceptedSocket(connection))

        tls = None if self.plain else self.authority.server_tls
        async with serve(accept, "127.0.0.1", self.port, ssl=tls, compression=None) as server:
            self.port = server.sockets[0].getsockname()[1]
            serving.set()
            news = asyncio.create_task(self._tell_news())
            await self._stop.wait()
            news.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await news

    async def _tell_news(self) -> None:
        while True:
            link = self.link
            if link is not None:
                news = ServerNews(
                    int(self.time()), self.roster_version, roster_hash(self.roster.values())
                )
                link.publish(ESTATE.kind(news), ESTATE.encode(news))
            await asyncio.sleep(NEWS_S)

    def _payload(self, code: OpenCode, start: PairStart) -> PairingConfiguration:
        del start
        authority = "" if self.plain else self.authority.ca_pem
        return PairingConfiguration(SERVER, code.subject, SERVER, authority)

    def _paired(self, code: OpenCode, start: PairStart) -> None:
        with Session(self.engine) as session, session.begin():
            self.codes.spend(session, code)
        self.door_key = Ed25519PublicKey.from_public_bytes(start.public_key)


def new_id() -> str:
    return secrets.token_hex(16)


@contextlib.contextmanager
def running_estate(folder: Path, *, plain: bool = False) -> Iterator[Estate]:
    folder.mkdir(parents=True, exist_ok=True)
    estate = Estate(folder, plain=plain)
    estate.up()
    try:
        yield estate
    finally:
        estate.down()
        estate.engine.dispose()
