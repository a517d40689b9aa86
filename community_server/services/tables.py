"""Companies, their workers, and how long those stayed."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Company(Base):
    """A company whose workers come.

    `group_id` is the access group that its workers are put into: doors and hours; without one, the
    estate's default group is theirs. `contact` is sealed under the company's own data key.
    """

    __tablename__ = "companies"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    kind: Mapped[str] = mapped_column(String(16))
    group_id: Mapped[int | None] = mapped_column(ForeignKey("access_groups.id"), index=True)
    allowed_min: Mapped[int]
    """Minutes that a worker may stay."""
    retention_days: Mapped[int]
    """Days after the end of a worker's time until they are forgotten."""
    suspended: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    contact: Mapped[Sealed | None]
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True)
    created_at: Mapped[Seconds]


class Worker(Base):
    """For which company somebody comes."""

    __tablename__ = "workers"

    person_id: Mapped[Id] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    company_id: Mapped[Id] = mapped_column(ForeignKey("companies.id"), index=True)


class WorkerStay(Base):
    """One stay of one worker, see `services.passings.Stay`; times are Unix milliseconds.

    It refers to nobody by a key that the database watches: links write it under their own locks.
    It goes with its worker.
    """

    __tablename__ = "worker_stays"

    key: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id]
    company_id: Mapped[Id]
    door_id: Mapped[Id]
    begins: Mapped[int] = mapped_column(BigInteger)
    last_seen: Mapped[int] = mapped_column(BigInteger, index=True)
    ends: Mapped[int] = mapped_column(BigInteger)
    ended_by: Mapped[str] = mapped_column(String(8))


Index("ix_worker_stays_person_id_begins", WorkerStay.person_id, WorkerStay.begins)


class Departure(Base):
    """That a member of staff said that somebody has left; `at` is Unix milliseconds."""

    __tablename__ = "departures"

    key: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(index=True)
    at: Mapped[int] = mapped_column(BigInteger)
    staff_id: Mapped[Id]


class StayCount(Base):
    """How many stays of a company's workers began on a day and lasted so long; it names nobody.

    `day` is of the estate's clock, `2026-11-25`. `minutes` counts where the end was seen; where it
    was not (`seen` false), it is 0.
    """

    __tablename__ = "stay_counts"

    company_id: Mapped[Id] = mapped_column(primary_key=True)
    day: Mapped[str] = mapped_column(String(10), primary_key=True)
    seen: Mapped[bool] = mapped_column(primary_key=True)
    minutes: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]
