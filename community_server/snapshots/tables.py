"""Pictures of refused faces."""

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Snapshot(Base):
    """What a door saw of the face that it refused in one entry, sealed under a key of its own.

    No foreign key to the entry: that travels in another lane, and may come later.
    """

    __tablename__ = "snapshots"

    entry: Mapped[Id] = mapped_column(primary_key=True)
    door_id: Mapped[Id] = mapped_column(ForeignKey("doors.id", ondelete="CASCADE"), index=True)
    sealed: Mapped[Sealed]
    taken_at: Mapped[Seconds] = mapped_column(index=True)
