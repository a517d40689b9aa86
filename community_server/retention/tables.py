"""What the estate has set about its schedule, and what came of it."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Seconds


class RetentionSetting(Base):
    """For how long one kind is kept, in the kind's unit; a kind without a row is as by default."""

    __tablename__ = "retention_settings"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    keep: Mapped[int]


class RetentionRun(Base):
    """When one kind was last looked through, give or take an hour; how much went since ever."""

    __tablename__ = "retention_runs"

    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    looked_at: Mapped[Seconds]
    forgotten: Mapped[int] = mapped_column(BigInteger)
