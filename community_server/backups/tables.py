"""What is known of the backups that were made."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Seconds


class BackupNote(Base):
    """One row, once a backup was tried: when the last was made, and why the last try failed.

    `file` is the data backup's name, without its folder; `why` is empty after a success.
    """

    __tablename__ = "backup_note"

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    made_at: Mapped[Seconds] = mapped_column(default=0)
    file: Mapped[str] = mapped_column(String(100), default="")
    tried_at: Mapped[Seconds] = mapped_column(default=0)
    why: Mapped[str] = mapped_column(String(40), default="")
