"""Keys and named secrets, all sealed."""

from sqlalchemy import LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class NamedSecret(Base):
    """One of the estate's own secrets, for instance the matrix or the CA's private key."""

    __tablename__ = "named_secrets"

    name: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[Sealed]


class CertifiedKey(Base):
    """A short-lived key that the root certified; the private part goes at `destroy_after`.

    `retired_at` is the moment from which on it does not count, before its time; 0 for most.
    """

    __tablename__ = "certified_keys"

    id: Mapped[Id] = mapped_column(primary_key=True)
    purpose: Mapped[str] = mapped_column(String(16))
    not_before: Mapped[Seconds]
    not_after: Mapped[Seconds]
    destroy_after: Mapped[Seconds]
    retired_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")
    private: Mapped[Sealed | None]
    certificate: Mapped[bytes] = mapped_column(LargeBinary)
    signature: Mapped[bytes] = mapped_column(LargeBinary)
