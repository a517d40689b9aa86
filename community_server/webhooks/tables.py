"""Webhooks and what is to be delivered to them."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Webhook(Base):
    """One address that is told of events. `kinds` has spaces between; empty for all.

    The address may hold a password of its own and is sealed, as the secret that signs is.
    """

    __tablename__ = "webhooks"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    url: Mapped[Sealed]
    secret: Mapped[Sealed]
    kinds: Mapped[str] = mapped_column(String(400))
    paused: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    created_at: Mapped[Seconds]


class Delivery(Base):
    """One event on its way to one webhook.

    `number` is the event's, 0 for a test. `state` is `waiting`, `delivered` or `given-up`;
    `answer` the HTTP status of the last attempt, 0 for none, and `trouble` why it failed.
    """

    __tablename__ = "deliveries"

    id: Mapped[int] = mapped_column(
        BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=True
    )
    webhook_id: Mapped[Id] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    number: Mapped[int] = mapped_column(BigInteger)
    event: Mapped[Id]
    kind: Mapped[str] = mapped_column(String(40))
    state: Mapped[str] = mapped_column(String(16))
    queued_at: Mapped[Seconds]
    due_at: Mapped[Seconds]
    attempts: Mapped[int] = mapped_column(default=0)
    tried_at: Mapped[Seconds] = mapped_column(default=0)
    answer: Mapped[int] = mapped_column(default=0)
    trouble: Mapped[str] = mapped_column(String(40), default="")


Index("ix_deliveries_state_due_at", Delivery.state, Delivery.due_at)
Index("ix_deliveries_webhook_id_id", Delivery.webhook_id, Delivery.id)
