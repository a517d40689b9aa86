"""Two files in the data folder: this server stands by, or another has taken over from it.

Files, not rows: neither is the database's, which PostgreSQL replicates.
"""

from pathlib import Path
from typing import Final, TypeVar

import msgspec

from community_server.errors import StartRefused
from community_server.standby.letters import Node
from tier_kit.private_files import sync_folder, write_private
from tier_link.estate_messages import ServerAddress


class StandsBy(msgspec.Struct, frozen=True):
    """This server stands by, for the one that is in service at `serving_address`.

    `node` is drawn at its admission; doors reach this one at `address`.
    """

    node: Node
    serving_address: ServerAddress
    address: ServerAddress


class Superseded(msgspec.Struct, frozen=True):
    """Another server serves, in a later epoch; `at` is when it was noticed (Unix seconds).

    `address` is that server's, empty where doors or the cloud have said so; `epoch` is 0 then.
    """

    at: int
    epoch: int = 0
    address: str = ""


Note = TypeVar("Note", StandsBy, Superseded)
_FILES: Final = {StandsBy: "standby.json", Superseded: "superseded.json"}


def find_note(folder: Path, kind: type[Note]) -> Note | None:
    """Return a note, None where there is none.

    Raises:
        StartRefused: `data-unusable`: it cannot be read.
    """
    file = folder / _FILES[kind]
    try:
        return msgspec.json.decode(file.read_bytes(), type=kind)
    except FileNotFoundError:
        return None
    except (OSError, msgspec.MsgspecError) as error:
        raise StartRefused(f"{file} cannot be read: {error}", code="data-unusable") from error


def keep_note(folder: Path, note: StandsBy | Superseded) -> None:
    """Write a note down, for good until it is taken away."""
    write_private(folder / _FILES[type(note)], msgspec.json.encode(note))


def drop_note(folder: Path, kind: type[StandsBy] | type[Superseded]) -> None:
    """Take a note away, for good."""
    (folder / _FILES[kind]).unlink(missing_ok=True)
    sync_folder(folder)
