"""Where the server's own ledger ends, and the wait for what it lacks after a restore."""

from sqlalchemy import BigInteger, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Seconds


class LedgerEnd(Base):
    """One row: how many rows there are and the head of the last; locked by whoever adds some."""

    __tablename__ = "ledger_end"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    count: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[bytes] = mapped_column(LargeBinary(32))


class LedgerWait(Base):
    """One row from a restore on until every door and the cloud have handed back what they hold.

    `state` is `waiting`, or `open` once the server serves again; `after` how many rows the backup
    had, `since` when it was put back. `pending`, JSON, is what the restore itself removed: rows are
    written of it only once those of before are here, so that no branch begins.
    """

    __tablename__ = "ledger_wait"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    state: Mapped[str] = mapped_column(String(16))
    after: Mapped[int] = mapped_column(BigInteger)
    since: Mapped[Seconds]
    pending: Mapped[str] = mapped_column(Text)
