"""What the server in service knows of its standby."""

from sqlalchemy import BigInteger, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Seconds


class Standby(Base):
    """One row, once a standby was admitted.

    `node` is the standby's id, empty where none stands by: after a promotion, until the next comes.
    `serving_address` and `address` are where doors reach this server and its standby. `asked_at`
    is the time of the last request as the standby gave it, in Unix milliseconds, which only grows;
    `heard_at` when it came. `newest` and `oldest` are the generations of the erasure key that it
    holds, `behind_s` the age of what its replica has last replayed.
    """

    __tablename__ = "standby"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    node: Mapped[str] = mapped_column(String(32))
    serving_address: Mapped[str] = mapped_column(String(255))
    address: Mapped[str] = mapped_column(String(255))
    asked_at: Mapped[int] = mapped_column(BigInteger)
    heard_at: Mapped[Seconds]
    newest: Mapped[int]
    oldest: Mapped[int]
    behind_s: Mapped[int] = mapped_column(BigInteger)
