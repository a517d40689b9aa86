"""Entries."""

from sqlalchemy import BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Entry(Base):
    """One decision at one door; people by id only, names are resolved in memory.

    `number` is this server's own order of arrival; `at` is the door's time in Unix
    milliseconds, 0 where the door did not know it.
    """

    __tablename__ = "entries"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    entry: Mapped[Id] = mapped_column(unique=True)
    door_id: Mapped[Id] = mapped_column(ForeignKey("doors.id"), index=True)
    door_sequence: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    time_known: Mapped[bool]
    received_at: Mapped[Seconds]
    direction: Mapped[str] = mapped_column(String(8))
    person_id: Mapped[str] = mapped_column(String(32), index=True)
    category: Mapped[str] = mapped_column(String(16))
    credential: Mapped[str] = mapped_column(String(8))
    granted: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(40))
    matched: Mapped[str] = mapped_column(String(8))
    took_ms: Mapped[int]
    frames: Mapped[int]
    liveness: Mapped[str] = mapped_column(String(24), default="")
    remarks: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """Codes of what was noticed about it, with spaces between."""
    first: Mapped[str] = mapped_column(String(8), default="", server_default="")
    """The other credential of the same person, shown a moment before; empty for none."""
    staff_id: Mapped[str] = mapped_column(String(32), default="", server_default="")
    """The member of staff who had the door opened; empty for anything else."""
