"""Wrapped data keys."""

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Sealed


class DataKey(Base):
    """One owner's data key, wrapped by the erasure key of `generation`.

    Owners are `person:<id>`, `enrollment:<envelope>`, `key:<id>`, `outbox:<number>` and
    `server`, among others.
    """

    __tablename__ = "data_keys"

    owner: Mapped[str] = mapped_column(String(100), primary_key=True)
    generation: Mapped[int]
    wrapped: Mapped[Sealed]
