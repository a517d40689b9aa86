import asyncio
import ssl
from pathlib import Path

import pytest

from tests.tier_link.channel.authorities import Authority
from tests.tier_link.channel.nodes import SERVER, Node, Server, running, until
from tier_link.channel import Dialer, pairing_tls, pinned_tls, public_tls
from tier_link.channel.websocket import DialedSocket, check_address
from tier_link.errors import UnsafeAddress


def link_state(
    server: Server, door: Node, listening: ssl.SSLContext, pinned: ssl.SSLContext
) -> str:
    """Say what becomes of a door that dials: `connected`, or why it is refused."""

    async def scenario() -> str:
        async with (
            server.listening(tls=listening) as url,
            running(server.dialer(door, url, tls=pinned)) as dialer,
        ):
            assert url.startswith("wss://")
            await until(lambda: dialer.state.phase == "connected" or dialer.state.why)
            return dialer.state.why or dialer.state.phase

    return asyncio.run(scenario())


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
@pytest.mark.parametrize("age_days", [1, 300, -30])
def test_a_pinned_authority_is_trusted_whatever_the_date(
    server: Server, door: Node, tmp_path: Path, age_days: int
) -> None:
    authority = Authority()
    listening = authority.server_tls(tmp_path, age_days=age_days)
    assert link_state(server, door, listening, pinned_tls(authority.pem)) == "connected"


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_another_authority_is_refused(server: Server, door: Node, tmp_path: Path) -> None:
    listening = Authority().server_tls(tmp_path)
    assert link_state(server, door, listening, pinned_tls(Authority().pem)) == "tls-refused"
    assert link_state(server, door, listening, public_tls()) == "tls-refused"


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_tls_before_1_3_is_refused(server: Server, door: Node, tmp_path: Path) -> None:
    authority = Authority()
    old = authority.server_tls(tmp_path, maximum=ssl.TLSVersion.TLSv1_2)
    assert link_state(server, door, old, pinned_tls(authority.pem)) == "unreachable"


def test_every_context_is_tls_1_3_and_only_pairing_trusts_anyone() -> None:
    contexts = {
        "pinned": pinned_tls(Authority().pem),
        "public": public_tls(),
        "pairing": pairing_tls(),
    }
    for context in contexts.values():
        assert context.minimum_version == ssl.TLSVersion.TLSv1_3
    verified = {name for name, one in contexts.items() if one.verify_mode == ssl.CERT_REQUIRED}
    assert verified == {"pinned", "public"}
    assert contexts["public"].check_hostname


@pytest.mark.parametrize(
    "url",
    [
        "ws://192.168.1.10/link",
        "ws://cloud.example/link",
        "ws://127.0.0.1.example/link",
        "ws://localhost.example/link",
        "http://127.0.0.1/link",
        "wss:///link",
        "wss://[/link",
        "wss://host:port/link",
        "",
    ],
)
def test_unsafe_addresses_are_refused_before_anything_is_dialed(url: str) -> None:
    for refuse in (check_address, lambda url: DialedSocket(url, None)):
        with pytest.raises(UnsafeAddress) as refused:
            refuse(url)
        assert refused.value.code == "unsafe-address"


@pytest.mark.parametrize("url", ["wss://cloud.example/link", "ws://127.0.0.1:1/x", "ws://[::1]/x"])
def test_safe_addresses_are_taken(url: str) -> None:
    check_address(url)


@pytest.mark.parametrize("server", ["sqlite"], indirect=True)
def test_a_dialer_refuses_an_unsafe_address_at_once(server: Server, door: Node) -> None:
    with pytest.raises(UnsafeAddress):
        Dialer(
            "ws://cloud.example/link",
            door.identity,
            SERVER,
            server.public_key,
            door.store,
            door.handler,
        )
