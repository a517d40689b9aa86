"""Alarms, and what the estate has set about them."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Alarm(Base):
    """One alarm of one door, or of this server, from its beginning to its end.

    `door_id` is None for the server's own; `subject` is the person whom one of these is about, or
    empty. `raised_at` and `cleared_at` are the door's time in
    Unix milliseconds, of arrival where the door did not know it; `cleared_at` is 0 while the alarm
    is active. `cleared_by` is the member of staff whose word ended it, `acknowledged_by` whoever
    has seen it, with their `note`, sealed as the estate's own; empty for nobody. `severity` is what
    it was when it was raised; `escalated_at` is 0 unless nobody took notice in time, and
    `escalated_again_at` unless still nobody had by the second step's.
    """

    __tablename__ = "alarms"

    alarm: Mapped[Id] = mapped_column(primary_key=True)
    door_id: Mapped[str | None] = mapped_column(String(32), ForeignKey("doors.id"))
    kind: Mapped[str] = mapped_column(String(40))
    subject: Mapped[str] = mapped_column(String(32), default="", server_default="")
    severity: Mapped[str] = mapped_column(String(16), default="warning", server_default="warning")
    raised_at: Mapped[int] = mapped_column(BigInteger)
    cleared_at: Mapped[int] = mapped_column(BigInteger, default=0)
    cleared_by: Mapped[str] = mapped_column(String(32), default="")
    time_known: Mapped[bool]
    received_at: Mapped[Seconds]
    acknowledged_at: Mapped[Seconds] = mapped_column(default=0)
    acknowledged_by: Mapped[str] = mapped_column(String(32), default="")
    note: Mapped[Sealed | None]
    escalated_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")
    escalated_again_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")


# Every page asks for the few that are open, among years of others.
_OPEN = text("cleared_at = 0 OR acknowledged_at = 0")
Index("ix_alarms_open", Alarm.door_id, sqlite_where=_OPEN, postgresql_where=_OPEN)
Index("ix_alarms_raised_at", Alarm.raised_at)


class AlarmSetting(Base):
    """What the estate has set for one kind of alarm; a kind without a row is as by default.

    `after_min` in minutes and `most` as the kind means them, 0 where it knows no such number.
    """

    __tablename__ = "alarm_settings"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    severity: Mapped[str] = mapped_column(String(16))
    after_min: Mapped[int] = mapped_column(default=0, server_default="0")
    most: Mapped[int] = mapped_column(default=0, server_default="0")


class EscalationSetting(Base):
    """After how many minutes unseen alarms of one severity are escalated, 0 for never.

    `tells` is a role of staff, or empty for nobody beside the console and other systems.
    """

    __tablename__ = "escalation_settings"

    severity: Mapped[str] = mapped_column(String(16), primary_key=True)
    after_min: Mapped[int] = mapped_column(sa.Integer)
    tells: Mapped[str] = mapped_column(String(16), default="", server_default="")
    second_after_min: Mapped[int] = mapped_column(default=0, server_default="0")
    second_tells: Mapped[str] = mapped_column(String(16), default="", server_default="")
