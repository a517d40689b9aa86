"""The audit log, where its chain begins and ends, and the heads that were signed."""

from sqlalchemy import BigInteger, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Seconds


class AuditRow(Base):
    """One action: ids and codes, never names.

    `place` in the chain, from 1, and `head` are set when the transaction commits: see `chain`.
    """

    __tablename__ = "audit"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    at: Mapped[Seconds]
    staff_id: Mapped[str] = mapped_column(String(32), index=True)
    action: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(64), index=True)
    detail: Mapped[str] = mapped_column(String(200))
    place: Mapped[int | None] = mapped_column(BigInteger, index=True, unique=True)
    head: Mapped[bytes | None] = mapped_column(LargeBinary(32))


class AuditEnd(Base):
    """One row: how many the chain has and the head of the last; locked by whoever adds some."""

    __tablename__ = "audit_end"

    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[bytes] = mapped_column(LargeBinary(32))


class SignedHead(Base):
    """A count of rows and the head of the last of them, signed by the community's root key."""

    __tablename__ = "audit_heads"

    count: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    head: Mapped[bytes] = mapped_column(LargeBinary(32))
    signed_at: Mapped[Seconds]
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class AuditStart(Base):
    """One row, once any were forgotten: how many, the head of the last, and that this was due.

    `until` is when the newest of them was written; the signature is the community's root key's.
    """

    __tablename__ = "audit_start"

    id: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[bytes] = mapped_column(LargeBinary(32))
    until: Mapped[Seconds]
    signed_at: Mapped[Seconds]
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
