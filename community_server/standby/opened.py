"""What a server that does not serve needs of its vault and database: to say so over HTTPS."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from community_server.instance_lock import InstanceLock
from community_server.keys.authority import Authority, open_authority
from community_server.keys.root import root_key
from community_server.settings import Settings
from community_server.standby.keeping import check_keys
from community_server.standby.promotion import open_vault
from community_server.vault.erasure_key import ErasureKeys
from community_server.vault.safe import Safe
from tier_link.store import LinkStore, open_database, reading


@dataclass(frozen=True)
class Opened:
    """A vault and a database that are read alone."""

    settings: Settings
    engine: Engine
    keys: ErasureKeys = field(repr=False)
    authority: Authority = field(repr=False)

    @property
    def links(self) -> LinkStore:
        """The store's end of the links: of its epoch."""
        return LinkStore(self.engine, keep_acknowledged=timedelta(0))

    def root(self) -> Ed25519PrivateKey:
        """The community's root key."""
        with Session(reading(self.engine)) as session:
            return root_key(session, Safe(self.keys))


@contextmanager
def opened(settings: Settings) -> Iterator[Opened]:
    """Open what is here, holding the data folder against another server.

    Raises:
        StartRefused: another server runs here, or keys are missing.
    """
    lock = InstanceLock(settings.data)
    engine = open_database(settings.database_url)
    try:
        keys = open_vault(settings)
        check_keys(engine, keys)
        with Session(reading(engine)) as session:
            authority = open_authority(session, Safe(keys))
        yield Opened(settings, engine, keys, authority)
    finally:
        engine.dispose()
        lock.release()
