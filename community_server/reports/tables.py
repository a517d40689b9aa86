"""Daily reports that were signed."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class DailyReport(Base):
    """One day (`2026-11-25` by the estate's clock), signed: its figures stay as they were.

    `figures` is JSON, see `reports.figures.Figures`: counts and doors' names, nobody's.
    """

    __tablename__ = "daily_reports"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    figures: Mapped[str] = mapped_column(Text)
    staff_id: Mapped[Id]
    note: Mapped[Sealed | None]
    """What whoever signed wrote, sealed as the estate's own: it may name people."""
    signed_at: Mapped[Seconds]
