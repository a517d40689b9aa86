"""Entries, what is counted of them by the hour, and who looked at whose."""

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Entry(Base):
    """One decision at one door; people by id only, names are resolved in memory.

    `number` is this server's own order of arrival; `at` is the door's time in Unix
    milliseconds, of arrival where the door did not know it.
    """

    __tablename__ = "entries"

    number: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    entry: Mapped[Id] = mapped_column(unique=True)
    door_id: Mapped[Id] = mapped_column(ForeignKey("doors.id"))
    door_sequence: Mapped[int] = mapped_column(BigInteger)
    at: Mapped[int] = mapped_column(BigInteger, index=True)
    time_known: Mapped[bool]
    received_at: Mapped[Seconds]
    direction: Mapped[str] = mapped_column(String(8))
    person_id: Mapped[str] = mapped_column(String(32))
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


REMARKED = text("remarks <> ''")
"""As the index has it: with a value bound in its place, SQLite would not use the index."""

Index("ix_entries_person_id_at", Entry.person_id, Entry.at)
Index("ix_entries_remarked", Entry.at, sqlite_where=REMARKED, postgresql_where=REMARKED)


class EntryKind(Base):
    """What entries that are counted together have in common: some hundred kinds at an estate."""

    __tablename__ = "entry_kinds"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    door_id: Mapped[Id]
    direction: Mapped[str] = mapped_column(String(8))
    category: Mapped[str] = mapped_column(String(16))
    credential: Mapped[str] = mapped_column(String(8))
    granted: Mapped[bool]
    reason: Mapped[str] = mapped_column(String(40))
    matched: Mapped[str] = mapped_column(String(8))


Index(
    "ix_entry_kinds_all",
    EntryKind.door_id,
    EntryKind.direction,
    EntryKind.category,
    EntryKind.credential,
    EntryKind.granted,
    EntryKind.reason,
    EntryKind.matched,
    unique=True,
)


class EntryHour(Base):
    """How many entries of one kind an hour had; nobody can be told from it, and it outlives them.

    `hour` is its beginning by the estate's clock, in Unix seconds. Written with each entry, in
    the same transaction. The search reads here in which hours to look.
    """

    __tablename__ = "entry_hours"
    __table_args__ = (
        # With the count in it, so that a kind is summed up along the index alone.
        Index("ix_entry_hours_kind_id_hour_count", "kind_id", "hour", "count"),
        {"sqlite_with_rowid": False},
    )

    hour: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    kind_id: Mapped[int] = mapped_column(ForeignKey("entry_kinds.id"), primary_key=True)
    count: Mapped[int]


class EntryMark(Base):
    """How far a door's entries were forgotten: see `entries.forgetting`.

    `sequence` is the highest `door_sequence` that went, of the terminal that is there now; `until`
    the Unix millisecond before which entries were forgotten last.
    """

    __tablename__ = "entry_marks"

    door_id: Mapped[Id] = mapped_column(
        ForeignKey("doors.id", ondelete="CASCADE"), primary_key=True
    )
    sequence: Mapped[int] = mapped_column(BigInteger)
    until: Mapped[int] = mapped_column(BigInteger)


class EntryLook(Base):
    """That a member of staff said why they look at somebody's entries; it holds for an hour.

    `people` is a digest of the ids it is about, `note` what they wrote, sealed as the estate's
    own: it may name people.
    """

    __tablename__ = "entry_looks"

    id: Mapped[Id] = mapped_column(primary_key=True)
    staff_id: Mapped[Id]
    people: Mapped[str] = mapped_column(String(64))
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[Sealed | None]
    at: Mapped[Seconds]
