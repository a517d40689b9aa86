"""The outbox."""

from typing import Final

from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Message:
    """One message.

    `state` is `queued`, `sent` or `failed`; `why` the code of what went wrong last. `sealed` is
    address and text, and goes as soon as nothing is to be sent.
    """

    id: Mapped[Id] = mapped_column(primary_key=True)
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


class OutgoingMessage(Message, Base):
    """A message to a person, sealed under their own key."""

    __tablename__ = "outgoing_messages"

    person_id: Mapped[Id] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)


class StaffMessage(Message, Base):
    """A message to a member of staff about an alarm, sealed as the estate's own."""

    __tablename__ = "staff_messages"

    staff_id: Mapped[Id] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)


MESSAGES: Final = (StaffMessage, OutgoingMessage)
"""All that wait for a gateway, in the order of their turn: no alarm waits for a building's letters.
"""
