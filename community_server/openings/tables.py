"""Openings by staff."""

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Opening(Base):
    """One order to open one door, from before it was given.

    `entry` is the door's nonce, which is the entry's id if the door opens. `outcome` is empty until
    the door has answered, and stays so when this server stops in between; else a code of
    `community_server.openings.service`. `note` is what staff wrote, sealed as the estate's own.
    """

    __tablename__ = "openings"

    entry: Mapped[Id] = mapped_column(primary_key=True)
    door_id: Mapped[Id] = mapped_column(ForeignKey("doors.id"))
    staff_id: Mapped[Id]
    reason: Mapped[str] = mapped_column(String(40))
    note: Mapped[Sealed | None]
    asked_at: Mapped[Seconds]
    outcome: Mapped[str] = mapped_column(String(40), default="")
    ended_at: Mapped[Seconds] = mapped_column(default=0)


Index("ix_openings_door_id_asked_at", Opening.door_id, Opening.asked_at)
