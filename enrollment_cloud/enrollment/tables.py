"""Rows about envelopes and replies. The sealed envelope itself is in the relay alone."""

from sqlalchemy import BigInteger, ForeignKey, ForeignKeyConstraint, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_cloud.communities.tables import Community
from enrollment_cloud.database import CloudBase


class Envelope(CloudBase):
    """What is known of one envelope without its body. Times are Unix seconds.

    `digest` is the SHA-256 of the sealed bytes, by which a repeated upload is known for the
    same; for an unsealed upload, of what was uploaded. `sequence` names the body in the relay.
    """

    __tablename__ = "envelopes"
    __table_args__ = (
        Index(None, "community", "invitation", "received_at"),
        Index(None, "community", "sequence", unique=True),
        Index(None, "expires_at"),
    )

    community: Mapped[str] = mapped_column(
        ForeignKey(Community.id, ondelete="CASCADE"), primary_key=True
    )
    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    invitation: Mapped[str] = mapped_column(String(32))
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    size: Mapped[int]
    sequence: Mapped[int] = mapped_column(BigInteger)
    received_at: Mapped[int] = mapped_column(BigInteger)
    expires_at: Mapped[int] = mapped_column(BigInteger)
    collected_at: Mapped[int | None] = mapped_column(BigInteger)


class SealedReply(CloudBase):
    """One reply of a community, sealed to the person who enrolled."""

    __tablename__ = "sealed_replies"
    __table_args__ = (
        ForeignKeyConstraint(
            ["community", "envelope"],
            [Envelope.community, Envelope.id],
            ondelete="CASCADE",
        ),
    )

    community: Mapped[str] = mapped_column(String(64), primary_key=True)
    envelope: Mapped[str] = mapped_column(String(32), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    stored_at: Mapped[int] = mapped_column(BigInteger)
