"""The bundle of keys: the data keys of all living owners, read under one snapshot."""

from collections.abc import Iterator
from typing import Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.backups.records import End, Keys, Record
from community_server.errors import BackupRefused
from community_server.link_cipher import OWNER
from community_server.vault.master_key import KEY_SIZE
from community_server.vault.safe import Safe
from community_server.vault.tables import DataKey

_AT_ONCE: Final = 500
COUNT: Final = "keys"
"""The name of the count at a bundle's end."""


def bundle(session: Session, safe: Safe) -> Iterator[Record]:
    """Yield every owner's data key, but those of what waits for doors: no backup holds that.

    Raises:
        SafeBroken: a key does not open: the vault is another's.
    """
    columns = select(DataKey.owner, DataKey.generation, DataKey.wrapped)
    rows = session.execute(columns.where(~DataKey.owner.startswith(OWNER))).all()
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        yield Keys(tuple((one, safe.data_key(one, number, box)) for one, number, box in part))
    yield End({COUNT: len(rows)})


def read_bundle(records: Iterator[Record]) -> dict[str, bytes]:
    """Return the keys by owner.

    Raises:
        BackupRefused: `backup-damaged`.
    """
    found: dict[str, bytes] = {}
    for record in records:
        match record:
            case Keys():
                found.update(record.keys)
            case End() if record.counts == {COUNT: len(found)}:
                continue
            case _:
                raise BackupRefused("this is no bundle of keys", code="backup-damaged")
    if any(len(key) != KEY_SIZE for key in found.values()):
        raise BackupRefused("this bundle holds something that is no key", code="backup-damaged")
    return found
