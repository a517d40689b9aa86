"""Openings by staff."""

import sqlalchemy as sa
from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Opening(Base):
    """One order of staff to one door, from before it was given: to open, or to refuse who rings.

    `entry` is the id of the entry that comes of it: of an opening the door's nonce. `call` is the
    call that it answers, empty for none; `refused` says that it answers by a refusal. `outcome` is
    empty until the door has answered, and stays so when this server stops in between; else a code
    of `community_server.openings.asking`. `note` is what staff wrote, sealed as the estate's own.
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
    call: Mapped[str] = mapped_column(String(32), default="", server_default="")
    refused: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


Index("ix_openings_door_id_asked_at", Opening.door_id, Opening.asked_at)
