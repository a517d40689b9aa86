"""Events, and how far who is told of them has come."""

from sqlalchemy import BigInteger, Index, Integer, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Event(Base):
    """One event, written in the transaction of what it tells of.

    `number` is None until that has committed and the numbering has come by: so numbers are seen in
    their order, and who reads behind one of them misses nothing. `body` is JSON.
    """

    __tablename__ = "events"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    event: Mapped[Id]
    number: Mapped[int | None] = mapped_column(BigInteger)
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[Seconds]
    body: Mapped[str] = mapped_column(Text)


Index("ix_events_number", Event.number, unique=True)
Index("ix_events_at", Event.at)


class EventMark(Base):
    """How far a reader that this server itself feeds has come."""

    __tablename__ = "event_marks"

    reader: Mapped[str] = mapped_column(String(16), primary_key=True)
    number: Mapped[int] = mapped_column(BigInteger)
