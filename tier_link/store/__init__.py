"""What a link keeps in a tier's database: the outbox, the marks, the epoch, pairing codes.

The only part of `tier_link` that knows SQLAlchemy.
"""

from tier_link.store.codes import PairingCodes
from tier_link.store.database import NAMING_CONVENTION, open_database, reading, refuse_nul
from tier_link.store.erasing import TraceEraser
from tier_link.store.ledger import hand_back, keep_rows
from tier_link.store.migrating import bring_up_to_date, is_known_revision, newest_revision
from tier_link.store.outbox import BodyCipher, LinkStore
from tier_link.store.tables import LinkBase

__all__ = [
    "NAMING_CONVENTION",
    "BodyCipher",
    "LinkBase",
    "LinkStore",
    "PairingCodes",
    "TraceEraser",
    "bring_up_to_date",
    "hand_back",
    "is_known_revision",
    "keep_rows",
    "newest_revision",
    "open_database",
    "reading",
    "refuse_nul",
]
