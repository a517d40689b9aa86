"""Rows about communities and about the cloud's own link identity."""

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_cloud.database import CloudBase
from tier_kit.forms.identifiers import MAX_COMMUNITY_ID

MAX_NAME = 100
"""Characters of a community's name: a line on a phone's form."""


class Community(CloudBase):
    """One community. Times are Unix seconds.

    `link_key` (Ed25519, 32 bytes raw) is null until its server has paired; `profile` is the
    last `ProfilePublished` as it came over the link, null until the first one.
    """

    __tablename__ = "communities"
    __table_args__ = (Index(None, "paired_at"), Index(None, "revoked_at"))

    id: Mapped[str] = mapped_column(String(MAX_COMMUNITY_ID), primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    created_at: Mapped[int] = mapped_column(BigInteger)
    link_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    paired_at: Mapped[int | None] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)
    profile: Mapped[bytes | None] = mapped_column(LargeBinary)


class CommunityLink(CloudBase):
    """When a community's link was last known to be up, at whichever process."""

    __tablename__ = "community_links"

    community_id: Mapped[str] = mapped_column(
        ForeignKey(Community.id, ondelete="CASCADE"), primary_key=True
    )
    seen_at: Mapped[int] = mapped_column(BigInteger)


class AuditHead(CloudBase):
    """The longest audit log that a community's server has spoken of; see `AuditHeadSigned`."""

    __tablename__ = "audit_heads"

    community_id: Mapped[str] = mapped_column(
        ForeignKey(Community.id, ondelete="CASCADE"), primary_key=True
    )
    count: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[bytes] = mapped_column(LargeBinary)
    signed_at: Mapped[int] = mapped_column(BigInteger)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


class CloudIdentity(CloudBase):
    """The one row with the key by which communities know this cloud.

    It lives in the database, so that every replica is the same cloud and a replica that is
    started anew needs nothing but the database's address.
    """

    __tablename__ = "cloud_identity"
    __table_args__ = (CheckConstraint("id = 1", name="only_one"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    private_key: Mapped[bytes] = mapped_column(LargeBinary)
