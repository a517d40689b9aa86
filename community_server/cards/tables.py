"""Cards that people have."""

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Card(Base):
    """One card's number: as doors know it, and sealed under its holder's data key for the desk."""

    __tablename__ = "cards"

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    tag: Mapped[bytes] = mapped_column(LargeBinary(16), unique=True)
    """See `tier_link.cards.card_tag`."""
    number: Mapped[Sealed]
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    """What another system calls this card."""
    given_at: Mapped[Seconds]
