"""Invitations."""

from typing import Literal, TypeAlias

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds

Origin: TypeAlias = Literal["cloud", "estate", "desk"]
"""Where an invitation's form opens: at the cloud and here, on the estate's own network alone, or
before the desk's own camera while staff stand by."""


class Invitation(Base):
    """One link, of which only the derived id and the sealed `auth` are kept.

    `state` is `open`, `used` or `withdrawn`; `used_by` the envelope that used it.
    `origin` is one of `Origin`: the cloud hears of its own alone.
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
    origin: Mapped[str] = mapped_column(String(8), default="cloud", server_default="cloud")
