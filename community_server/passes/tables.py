"""Passes that were given."""

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Pass(Base):
    """One pass; what is shown of it, its text or the phone's secret, is not kept.

    A pass that a phone shows as changing codes has the phone's public key and `ends` 0. A row
    outlives its person until the pass would have ended: doors are told that it does not hold.
    """

    __tablename__ = "passes"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    person_id: Mapped[Id | None] = mapped_column(
        ForeignKey("people.id", ondelete="SET NULL"), index=True
    )
    begins: Mapped[Seconds]
    ends: Mapped[Seconds] = mapped_column(default=0)
    uses: Mapped[int] = mapped_column(default=0)
    alone: Mapped[bool] = mapped_column(default=False)
    """Doors take it without having heard of its bearer."""
    phone_key: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    revoked_at: Mapped[Seconds] = mapped_column(default=0)
