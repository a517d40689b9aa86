"""The link's tables. They live in each tier's own database, beside its own tables."""

from sqlalchemy import BigInteger, CheckConstraint, Index, LargeBinary, MetaData, String
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from tier_link.store.database import NAMING_CONVENTION


class LinkBase(DeclarativeBase):
    """Base of the link's tables; a tier's migrations cover `LinkBase.metadata` too."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class LinkState(LinkBase):
    """One row: the epoch of this store."""

    __tablename__ = "link_state"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int] = mapped_column(BigInteger)


class LinkPeer(LinkBase):
    """One peer: where our log to it goes on, and how far its log has taken effect here.

    `seen_epoch` is the highest epoch in which the peer was ever met.
    """

    __tablename__ = "link_peers"

    peer: Mapped[str] = mapped_column(String(64), primary_key=True)
    next_sequence: Mapped[int] = mapped_column(BigInteger)
    seen_epoch: Mapped[int] = mapped_column(BigInteger)
    seen_sequence: Mapped[int] = mapped_column(BigInteger)


class LinkOutbox(LinkBase):
    """One durable record for a peer; kept until it is acknowledged, and a while longer.

    Times are Unix seconds.
    """

    __tablename__ = "link_outbox"

    peer: Mapped[str] = mapped_column(String(64), primary_key=True)
    sequence: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(40))
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[int] = mapped_column(BigInteger)
    acknowledged_at: Mapped[int | None] = mapped_column(BigInteger)


# Acknowledging looks only at the few rows still waiting, not at seven days of kept ones.
Index(
    "ix_link_outbox_waiting",
    LinkOutbox.peer,
    LinkOutbox.sequence,
    sqlite_where=LinkOutbox.acknowledged_at.is_(None),
    postgresql_where=LinkOutbox.acknowledged_at.is_(None),
)


class LinkLedger(LinkBase):
    """One row of a ledger, see `tier_link.ledger`; `owner` says whose, `previous` what it hangs on.

    Never changed or deleted: rows number a few hundred bytes each.
    """

    __tablename__ = "link_ledger"

    owner: Mapped[str] = mapped_column(String(64), primary_key=True)
    head: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(32))
    at: Mapped[int] = mapped_column(BigInteger)
    previous: Mapped[bytes] = mapped_column(LargeBinary(32))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


Index("ix_link_ledger_owner_number", LinkLedger.owner, LinkLedger.number)
Index("ix_link_ledger_owner_subject", LinkLedger.owner, LinkLedger.subject)


class LinkPairingCode(LinkBase):
    """One open pairing code: what is derived from it, never the code itself.

    `subject` says what the code is for (the door or community it was made for).
    """

    __tablename__ = "link_pairing_codes"

    locator: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[bytes] = mapped_column(LargeBinary)
    role: Mapped[str] = mapped_column(String(16))
    subject: Mapped[str] = mapped_column(String(64))
    expires_at: Mapped[int] = mapped_column(BigInteger)
    tries_left: Mapped[int]
