"""Rows about invitations."""

from sqlalchemy import BigInteger, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_cloud.communities.tables import Community
from enrollment_cloud.database import CloudBase


class Invitation(CloudBase):
    """One derived id that the community published. Times are Unix seconds.

    A closed invitation keeps its row until it would have expired, so that the person is told
    what `closing` says, "used" or "withdrawn", rather than "unknown".
    """

    __tablename__ = "invitations"
    __table_args__ = (Index(None, "expires_at"),)

    community: Mapped[str] = mapped_column(
        ForeignKey(Community.id, ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    kind: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[int] = mapped_column(BigInteger)
    withdrawn_at: Mapped[int | None] = mapped_column(BigInteger)
    closing: Mapped[str] = mapped_column(String(16), default="used", server_default="used")
