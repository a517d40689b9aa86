"""Rounds in which people are asked to consent anew."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class ConsentRound(Base):
    """One round: who has not agreed to the texts of `version` by `ends_at` goes on without a face.

    `begun_by` is the member of staff. `ended_at` is 0 while it runs; `asked` is how many were, and
    `stopped` of how many the face was erased at its end.
    """

    __tablename__ = "consent_rounds"

    id: Mapped[Id] = mapped_column(primary_key=True)
    version: Mapped[str] = mapped_column(String(32))
    begun_at: Mapped[Seconds] = mapped_column(index=True)
    begun_by: Mapped[str] = mapped_column(String(32))
    ends_at: Mapped[Seconds]
    ended_at: Mapped[Seconds] = mapped_column(default=0)
    asked: Mapped[int]
    stopped: Mapped[int] = mapped_column(default=0)
