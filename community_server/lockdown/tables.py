"""What was declared, and by whom."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Declaration(Base):
    """One word for the whole estate; the one with the highest number counts."""

    __tablename__ = "lockdown_declarations"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    active: Mapped[bool]
    reason: Mapped[Sealed | None]
    """In staff's own words, sealed: they may name people."""
    staff_id: Mapped[str] = mapped_column(String(32), default="")
    """Who declared it; empty where the server kept a lockdown in force by itself."""
    door_id: Mapped[Id] = mapped_column(default="")
    """The door whose newer word made the server do so; empty where staff declared it."""
    at: Mapped[Seconds]
