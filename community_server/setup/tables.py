"""The one community this server serves."""

from sqlalchemy import LargeBinary, String, false
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Seconds


class Community(Base):
    """One row, written at set-up.

    `slug` is the community's public id, drawn here, replaced by the cloud's at pairing.
    """

    __tablename__ = "community"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    slug: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Seconds]
    cloud_url: Mapped[str] = mapped_column(String(400), default="")
    cloud_node: Mapped[str] = mapped_column(String(64), default="")
    cloud_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    kit_checked_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")
    """When somebody last typed the recovery kit's secret and it was right; 0 for never."""
    faces_unsigned: Mapped[bool] = mapped_column(default=False, server_default=false())
    """Faces were in use before a signed assessment was asked for, and so stay in use without."""
