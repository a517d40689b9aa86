"""A door keeps where else the estate's server may be."""

from pathlib import Path

import pytest

from door_terminal.server_addresses import ServerAddresses
from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE, ServerNews

FIRST, SECOND = "https://gate-a.example:8443", "https://[fd00::2]:8443"


def news(*addresses: str) -> ServerNews:
    return ServerNews(now=1, roster_version=0, roster_hash=bytes(32), addresses=addresses)


def test_what_the_server_told_outlasts_a_restart(tmp_path: Path) -> None:
    addresses = ServerAddresses(tmp_path)
    assert list(addresses.links) == []
    addresses.hear((FIRST, SECOND))
    wanted = ["wss://gate-a.example:8443/link", "wss://[fd00::2]:8443/link"]
    assert list(addresses.links) == wanted
    assert list(ServerAddresses(tmp_path).links) == wanted


def test_a_server_that_says_nothing_takes_nothing_away(tmp_path: Path) -> None:
    addresses = ServerAddresses(tmp_path)
    addresses.hear((FIRST,))
    addresses.hear(())
    assert len(addresses.links) == 1
    addresses.hear((SECOND,))
    assert list(addresses.links) == ["wss://[fd00::2]:8443/link"]


@pytest.mark.parametrize("kept", [b"", b"{", b'["ftp://x"]', b'["https://a/path"]', b"[1]"])
def test_a_damaged_file_costs_the_addresses_alone(tmp_path: Path, kept: bytes) -> None:
    (tmp_path / "addresses.json").write_bytes(kept)
    assert list(ServerAddresses(tmp_path).links) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://a:1",
        "https://",
        "https://a/b",
        "https://a:0",
        "https://a b",
        "https://u@h",
        "wss://a",
    ],
)
def test_what_is_no_address_of_a_server_is_refused_at_the_gate(address: str) -> None:
    body = ESTATE.encode(news(address))
    with pytest.raises(MalformedMessage):
        ESTATE.decode("server-news", body)
    assert ESTATE.decode("server-news", ESTATE.encode(news(FIRST, SECOND))) == news(FIRST, SECOND)
