"""Alarms."""

from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Alarm(Base):
    """One alarm of one door, from its beginning to its end.

    `raised_at` and `cleared_at` are the door's time in Unix milliseconds, of arrival where the
    door did not know it; `cleared_at` is 0 while the alarm is active. `cleared_by` is the member
    of staff whose word ended it, `acknowledged_by` whoever has seen it; empty for nobody.
    """

    __tablename__ = "alarms"

    alarm: Mapped[Id] = mapped_column(primary_key=True)
    door_id: Mapped[Id] = mapped_column(ForeignKey("doors.id"))
    kind: Mapped[str] = mapped_column(String(40))
    raised_at: Mapped[int] = mapped_column(BigInteger)
    cleared_at: Mapped[int] = mapped_column(BigInteger, default=0)
    cleared_by: Mapped[str] = mapped_column(String(32), default="")
    time_known: Mapped[bool]
    received_at: Mapped[Seconds]
    acknowledged_at: Mapped[Seconds] = mapped_column(default=0)
    acknowledged_by: Mapped[str] = mapped_column(String(32), default="")


# Every page asks for the few that are open, among years of others.
_OPEN = text("cleared_at = 0 OR acknowledged_at = 0")
Index("ix_alarms_open", Alarm.door_id, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_alarms_raised_at", Alarm.raised_at)
