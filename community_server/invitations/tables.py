"""Invitations."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Invitation(Base):
    """One link, of which only the derived id and the sealed `auth` are kept.

    `state` is `open`, `used` or `withdrawn`; `used_by` the envelope that used it.
    """

    __tablename__ = "invitations"

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    auth: Mapped[Sealed]
    state: Mapped[str] = mapped_column(String(16))
    used_by: Mapped[str | None] = mapped_column(String(32))
    expires_at: Mapped[Seconds]
    created_at: Mapped[Seconds]
