"""Who this door is and whom it trusts: made by pairing, kept in the data folder."""

from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from door_terminal.device_keys import Custody
from door_terminal.errors import StartRefused
from tier_kit.private_files import write_private
from tier_link.channel import NodeIdentity

_FILE: Final = "pairing.json"


class Pairing(msgspec.Struct, frozen=True):
    """What pairing leaves behind; the file is readable by the terminal's user alone.

    Keys are raw, base64 in the file.
    """

    server_url: str
    door: str
    server: str
    server_key: bytes
    link_key: bytes
    ca_pem: str
    custody: Custody = "available"

    def __repr__(self) -> str:
        """Show ids, never keys."""
        return f"Pairing(door={self.door!r}, server={self.server!r})"

    @property
    def identity(self) -> NodeIdentity:
        """This door on its link."""
        return NodeIdentity(self.door, Ed25519PrivateKey.from_private_bytes(self.link_key))

    @property
    def server_public(self) -> Ed25519PublicKey:
        """The server's link key."""
        return Ed25519PublicKey.from_public_bytes(self.server_key)

    @property
    def link_url(self) -> str:
        """Where the link is dialled."""
        return socket_url(self.server_url, "/link")


def socket_url(server_url: str, path: str) -> str:
    """Return the WebSocket address of a path on a server given by its `https://` address.

    Raises:
        StartRefused: not an http(s) address (`pairing-failed`).
    """
    parts = urlsplit(server_url)
    schemes = {"https": "wss", "http": "ws", "wss": "wss", "ws": "ws"}
    if parts.scheme not in schemes or not parts.netloc:
        raise StartRefused(
            f"'{server_url}' is not an address like https://server:8443", code="pairing-failed"
        )
    return urlunsplit((schemes[parts.scheme], parts.netloc, path, "", ""))


def load_pairing(folder: Path) -> Pairing:
    """Return what pairing left.

    Raises:
        StartRefused: this terminal is not paired (`not-paired`), or the file is damaged.
    """
    try:
        return msgspec.json.decode((folder / _FILE).read_bytes(), type=Pairing)
    except FileNotFoundError as missing:
        raise StartRefused(
            "this terminal is not paired yet; run 'gatehouse door pair' with a console's code"
        ) from missing
    except msgspec.DecodeError as error:
        raise StartRefused(f"{folder / _FILE} is damaged: {error}", code="data-unusable") from error


def save_pairing(folder: Path, pairing: Pairing) -> None:
    """Keep what pairing gave."""
    write_private(folder / _FILE, msgspec.json.encode(pairing))


def is_paired(folder: Path) -> bool:
    """Say whether this terminal is paired."""
    return (folder / _FILE).exists()
