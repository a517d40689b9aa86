"""Erasures, and which doors have to be heard before each is complete: ids alone, no names."""

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Erasure(Base):
    """That a person, or their face, was erased here at `begun_at`.

    `person_id` leads to nobody any more, or to somebody without a face. `kept` is what was erased:
    `person` or `face`; `category` grades the doors' leases. `settled_at` is when the last door was
    heard or given up, 0 until then; `receipt` is the signed block from then on. `envelope`,
    `reply_key` and `number` say where the receipt is sent; they go once it was.
    """

    __tablename__ = "erasures"

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(index=True)
    kept: Mapped[str] = mapped_column(String(8))
    category: Mapped[str] = mapped_column(String(16))
    template_space: Mapped[str] = mapped_column(String(128), default="")
    begun_at: Mapped[Seconds] = mapped_column(index=True)
    settled_at: Mapped[Seconds] = mapped_column(default=0, index=True)
    receipt: Mapped[str] = mapped_column(Text, default="")
    envelope: Mapped[str] = mapped_column(String(32), default="")
    reply_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    number: Mapped[int] = mapped_column(default=0)


class ErasureDoor(Base):
    """That a door held what was erased, or may have.

    It has to prove a roster of `roster_version` or a later one, by the same `terminal` (a digest
    of its key): another one that was paired in its place says nothing about the first. `state` is
    `waiting`, `confirmed` or `lease-ended`, the last two since `at`.
    """

    __tablename__ = "erasure_doors"
    __table_args__ = (Index("ix_erasure_doors_waiting", "state", "door_id"),)

    erasure_id: Mapped[Id] = mapped_column(
        ForeignKey("erasures.id", ondelete="CASCADE"), primary_key=True
    )
    door_id: Mapped[Id] = mapped_column(
        ForeignKey("doors.id", ondelete="CASCADE"), primary_key=True
    )
    roster_version: Mapped[int] = mapped_column(BigInteger)
    terminal: Mapped[str] = mapped_column(String(64))
    state: Mapped[str] = mapped_column(String(16), default="waiting")
    at: Mapped[Seconds] = mapped_column(default=0)
