"""Companies and their workers."""

import sqlalchemy as sa
from sqlalchemy import ForeignKey, String
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
