"""Rows about property groups, operators, their sessions and acts. Times are Unix seconds."""

from sqlalchemy import BigInteger, ForeignKey, Integer, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from enrollment_cloud.communities.tables import MAX_NAME, Community
from enrollment_cloud.database import CloudBase
from tier_kit.forms.identifiers import MAX_COMMUNITY_ID


class PropertyGroup(CloudBase):
    """A company that runs several communities."""

    __tablename__ = "property_groups"

    id: Mapped[str] = mapped_column(String(MAX_COMMUNITY_ID), primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    created_at: Mapped[int] = mapped_column(BigInteger)


class GroupCommunity(CloudBase):
    """Whose a community is; one without a row is the provider's own."""

    __tablename__ = "group_communities"

    community_id: Mapped[str] = mapped_column(
        ForeignKey(Community.id, ondelete="CASCADE"), primary_key=True
    )
    group_id: Mapped[str] = mapped_column(
        ForeignKey(PropertyGroup.id, ondelete="CASCADE"), index=True
    )


class Operator(CloudBase):
    """One member of staff; `group_id` is null for the provider's.

    `key_hash` is the SHA-256 of the key they sign in with, which has 160 random bits.
    """

    __tablename__ = "operators"

    id: Mapped[str] = mapped_column(String(16), primary_key=True)
    name: Mapped[str] = mapped_column(String(MAX_NAME))
    group_id: Mapped[str | None] = mapped_column(ForeignKey(PropertyGroup.id, ondelete="CASCADE"))
    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    created_at: Mapped[int] = mapped_column(BigInteger)
    revoked_at: Mapped[int | None] = mapped_column(BigInteger)


class OperatorSession(CloudBase):
    """One browser that is signed in, by the SHA-256 of its cookie."""

    __tablename__ = "operator_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    operator_id: Mapped[str] = mapped_column(ForeignKey(Operator.id, ondelete="CASCADE"))
    expires_at: Mapped[int] = mapped_column(BigInteger)


class OperatorAct(CloudBase):
    """What an operator did to a community: `registered`, `code-made` or `revoked`."""

    __tablename__ = "operator_acts"

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    at: Mapped[int] = mapped_column(BigInteger)
    operator_id: Mapped[str] = mapped_column(ForeignKey(Operator.id, ondelete="CASCADE"))
    community_id: Mapped[str] = mapped_column(String(MAX_COMMUNITY_ID))
    act: Mapped[str] = mapped_column(String(16))
