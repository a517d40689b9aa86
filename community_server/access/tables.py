"""Access groups, the schedules they go by, and days that are unlike others."""

import sqlalchemy as sa
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Schedule(Base):
    """A named week. `on_holidays` is a rule of `access_rules.calendars.HolidayRule`."""

    __tablename__ = "schedules"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    on_holidays: Mapped[str] = mapped_column(String(16))
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[Seconds]


class ScheduleWindow(Base):
    """One weekly window of a schedule; see `access_rules.schedules.WeeklyWindow`."""

    __tablename__ = "schedule_windows"

    id: Mapped[int] = mapped_column(primary_key=True)
    schedule_id: Mapped[Id] = mapped_column(
        ForeignKey("schedules.id", ondelete="CASCADE"), index=True
    )
    weekdays: Mapped[int]
    start_minute: Mapped[int]
    end_minute: Mapped[int]


class AccessGroup(Base):
    """A named group: doors, and the hours in which its people may use them.

    The id is a number that is never given again, since doors' rosters hold it. The group that the
    estate begins with has no name; pages give it one in their language.
    """

    __tablename__ = "access_groups"
    __table_args__ = ({"sqlite_autoincrement": True},)

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    every_door: Mapped[bool] = mapped_column(default=False)
    """Every door there is and will be, whatever `group_doors` says."""
    schedule_id: Mapped[str | None] = mapped_column(
        String(32), ForeignKey("schedules.id"), index=True
    )
    """None for any hour of any day."""
    is_default: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether it is of everybody who has neither groups nor doors of their own; one at most."""
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[Seconds]


class GroupDoor(Base):
    """A door of a group."""

    __tablename__ = "group_doors"

    group_id: Mapped[int] = mapped_column(
        ForeignKey("access_groups.id", ondelete="CASCADE"), primary_key=True
    )
    door_id: Mapped[Id] = mapped_column(
        ForeignKey("doors.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class PersonGroup(Base):
    """That somebody is in a group; see `AccessGroup.is_default` for who is in none."""

    __tablename__ = "person_groups"

    person_id: Mapped[Id] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[int] = mapped_column(
        ForeignKey("access_groups.id"), primary_key=True, index=True
    )


class Holiday(Base):
    """A day that is unlike others: a holiday, or one that counts as a weekday."""

    __tablename__ = "holidays"

    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    """YYYY-MM-DD."""
    name: Mapped[str] = mapped_column(String(64))
    counts_as: Mapped[str] = mapped_column(String(16))
    """`holiday`, or a weekday's name."""
