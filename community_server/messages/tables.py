"""The outbox."""

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class OutgoingMessage(Base):
    """One message to one person.

    `state` is `queued`, `sent` or `failed`; `why` the code of what went wrong last. `sealed` is
    address and text, under the person's own key, and goes as soon as nothing is to be sent.
    """

    __tablename__ = "outgoing_messages"

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    channel: Mapped[str] = mapped_column(String(8))
    """`mail` or `sms`."""
    state: Mapped[str] = mapped_column(String(8), index=True)
    why: Mapped[str] = mapped_column(String(40), default="", server_default="")
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    due_at: Mapped[Seconds] = mapped_column(index=True)
    expires_at: Mapped[Seconds]
    """After that it would be of no use any more."""
    sealed: Mapped[Sealed | None]
    created_at: Mapped[Seconds]
    ended_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")
    """When it was sent, or given up."""
