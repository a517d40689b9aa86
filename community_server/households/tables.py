"""Units and who lives in them."""

import sqlalchemy as sa
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Household(Base):
    """One unit. `unit` is both together, as it is entered with a PIN."""

    __tablename__ = "households"

    id: Mapped[Id] = mapped_column(primary_key=True)
    building: Mapped[str] = mapped_column(String(32), index=True)
    number: Mapped[str] = mapped_column(String(32))
    unit: Mapped[str] = mapped_column(String(64), unique=True)
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[Seconds]


class Residence(Base):
    """That somebody lives in a unit, from when and until when.

    `moves_out` (0: not planned) is also the end of the person's time. At that moment `erased` says
    whether they are erased, or kept without a home.
    """

    __tablename__ = "residences"

    person_id: Mapped[Id] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    household_id: Mapped[Id] = mapped_column(ForeignKey("households.id"), index=True)
    moved_in: Mapped[Seconds]
    moves_out: Mapped[Seconds] = mapped_column(default=0, server_default="0", index=True)
    erased: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
