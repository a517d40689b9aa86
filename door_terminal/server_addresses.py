"""Where else the estate's server may be: told by the server, kept for when it does not answer."""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta

from door_terminal.identity import socket_url
from tier_kit.private_files import write_private
from tier_link.estate_messages import MOST_ADDRESSES, ServerAddress

_log = logging.getLogger(__name__)

_FILE: Final = "addresses.json"
_Kept = Annotated[tuple[ServerAddress, ...], Meta(max_length=MOST_ADDRESSES)]


class ServerAddresses:
    """The addresses that the server last told, beside the one of the pairing.

    They lie in a file of their own and in the clear: a door whose key is fetched at its start has
    to find a server first. Whoever answers there proves the server's key as ever.
    """

    def __init__(self, folder: Path) -> None:
        self._file = folder / _FILE
        self._known = self._read()

    def hear(self, addresses: tuple[str, ...]) -> None:
        """Take what the server says; nothing where it says nothing."""
        if not addresses or addresses == self._known:
            return
        self._known = addresses
        try:
            write_private(self._file, msgspec.json.encode(addresses))
        except OSError as error:  # it is told again in ten seconds, and held in memory till then
            _log.warning("addresses=unsaved reason=%s", error.strerror)

    @property
    def links(self) -> Sequence[str]:
        """Where the link is dialled."""
        return [socket_url(one, "/link") for one in self._known]

    def _read(self) -> tuple[str, ...]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=_Kept)
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.DecodeError) as error:
            _log.warning("addresses=unread reason=%s", type(error).__name__)
            return ()
