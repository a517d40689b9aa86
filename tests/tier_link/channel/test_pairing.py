"""Pairing over a real socket, with codes in a real database."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from tests.tier_link.channel.authorities import Authority
from tests.tier_link.channel.nodes import SERVER, Server
from tier_link.channel import MessageSocket, accept_pairing, dial_pairing, pairing_tls
from tier_link.errors import PairingRefused
from tier_link.pairing import Paired, PairingConfiguration, PairStart, new_code
from tier_link.store import PairingCodes
from tier_link.store.codes import CODE_TRIES, OpenCode

DOOR_KEY = Ed25519PrivateKey.generate()


class Desk:
    """A server's pairing: what a tier writes around `accept_pairing`."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.codes = PairingCodes(server.engine)
        self.paired: dict[str, bytes] = {}
        self.completion_fails = False

    def issue(self) -> str:
        with Session(self.server.engine) as session, session.begin():
            return self.codes.issue(session, role="door", subject="d00f").code

    def configure(self, code: OpenCode, _start: PairStart) -> PairingConfiguration:
        return PairingConfiguration(SERVER, code.subject, SERVER, "PEM")

    def complete(self, code: OpenCode, start: PairStart) -> None:
        with Session(self.server.engine) as session, session.begin():
            self.codes.spend(session, code)
            if self.completion_fails:
                raise RuntimeError("disk full")
            self.paired[code.subject] = start.public_key

    async def accept(self, socket: MessageSocket) -> None:
        await accept_pairing(
            socket, self.server.identity, self.codes, self.configure, self.complete
        )

    def pair(self, *codes: str, tls: Any = None, dial_tls: Any = None) -> list[Paired | str]:
        """Dial once with each code; return what each attempt came to."""

        async def attempt(url: str, code: str) -> Paired | str:
            try:
                return await dial_pairing(
                    url, code, role="door", private_key=DOOR_KEY, name="North", tls=dial_tls
                )
            except PairingRefused as refused:
                return refused.code

        async def scenario() -> list[Paired | str]:
            async with self.server.listening(tls=tls, accept=self.accept) as url:
                return [await attempt(url, code) for code in codes]

        return asyncio.run(scenario())


@pytest.fixture
def desk(server: Server) -> Desk:
    return Desk(server)


def test_a_right_code_pairs_over_tls_that_nobody_vouches_for(desk: Desk, tmp_path: Path) -> None:
    tls = Authority().server_tls(tmp_path)
    [paired] = desk.pair(desk.issue(), tls=tls, dial_tls=pairing_tls())
    configuration = PairingConfiguration(SERVER, "d00f", SERVER, "PEM")
    assert paired == Paired(configuration, desk.server.public_key.public_bytes_raw())
    assert desk.paired == {"d00f": DOOR_KEY.public_key().public_bytes_raw()}


def test_a_code_pairs_once(desk: Desk) -> None:
    code = desk.issue()
    first, second = desk.pair(code, code)
    assert isinstance(first, Paired)
    assert second == "pairing-code-unknown"


def test_five_guesses_close_every_open_code(desk: Desk) -> None:
    code = desk.issue()
    outcomes = desk.pair(*(new_code() for _ in range(CODE_TRIES)), code)
    assert outcomes == ["pairing-code-unknown"] * CODE_TRIES + ["pairing-code-used-up"]
    assert desk.paired == {}


def test_a_pairing_that_cannot_be_stored_did_not_happen(desk: Desk) -> None:
    code = desk.issue()
    desk.completion_fails = True
    assert desk.pair(code) == ["pairing-out-of-order"]
    desk.completion_fails = False
    [paired] = desk.pair(code)  # the code was not spent
    assert isinstance(paired, Paired)


def test_what_is_no_code_is_refused_before_dialing(desk: Desk) -> None:
    assert desk.pair("not a code") == ["pairing-code-malformed"]


class Meddler:
    """Sits on the line and swaps the server's key for its own."""

    def __init__(self, socket: MessageSocket, theirs: bytes) -> None:
        self._socket = socket
        self._theirs = theirs
        self._mine = Ed25519PrivateKey.generate().public_key().public_bytes_raw()

    async def send(self, data: bytes) -> None:
        await self._socket.send(data.replace(self._theirs, self._mine))

    async def recv(self) -> bytes:
        return await self._socket.recv()

    async def close(self, code: int, reason: str) -> None:
        await self._socket.close(code, reason)


def test_a_key_swapped_on_the_line_is_detected(desk: Desk) -> None:
    theirs = desk.server.public_key.public_bytes_raw()
    desk.server.wrap = lambda socket: Meddler(socket, theirs)
    assert desk.pair(desk.issue()) == ["pairing-proof-wrong"]
    assert desk.paired == {}
