"""Staff accounts, what they sign in with, their sessions, and programs' tokens."""

from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class StaffMember(Base):
    """One account of the property's staff.

    `state` is `active`, `disabled`, or `removed`: the logs go on naming who is gone.
    `password_hash` is empty until a password was set. `totp`, sealed, is the second factor's
    secret, in force since `totp_since` (0: not confirmed yet); `totp_step` is the last step of
    time whose code counted. `contact`, sealed, is where messages about alarms reach them.
    """

    __tablename__ = "staff"

    id: Mapped[Id] = mapped_column(primary_key=True)
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    role: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Seconds]
    state: Mapped[str] = mapped_column(String(16), default="active")
    totp: Mapped[Sealed | None]
    totp_since: Mapped[Seconds] = mapped_column(default=0)
    totp_step: Mapped[int] = mapped_column(BigInteger, default=0)
    contact: Mapped[Sealed | None]


class StaffSession(Base):
    """A sign-in, found by the hash of its cookie.

    `proven_at` is when whoever sits there last showed by password that it is them.
    """

    __tablename__ = "staff_sessions"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    staff_id: Mapped[Id] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    csrf: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[Seconds]
    seen_at: Mapped[Seconds]
    proven_at: Mapped[Seconds] = mapped_column(default=0)
    address: Mapped[str] = mapped_column(String(64), default="")


class StaffTicket(Base):
    """A secret that counts once, kept as its hash.

    `purpose` is `password`, a link by which a password is set, or `code`, a sign-in that still
    waits for the second factor.
    """

    __tablename__ = "staff_tickets"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    staff_id: Mapped[Id] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)
    purpose: Mapped[str] = mapped_column(String(16))
    expires_at: Mapped[Seconds]


class RecoveryCode(Base):
    """A code in place of the second factor's, once; kept as its hash."""

    __tablename__ = "staff_recovery_codes"

    code_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    staff_id: Mapped[Id] = mapped_column(ForeignKey("staff.id", ondelete="CASCADE"), index=True)


class KnownDevice(Base):
    """Somebody who signed in with a browser, which is found by the hash of its cookie."""

    __tablename__ = "staff_devices"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    staff_id: Mapped[Id] = mapped_column(
        ForeignKey("staff.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    seen_at: Mapped[Seconds]


class FailedAttempts(Base):
    """Failures in a row of one name, address or browser, by keyed hash.

    The next attempt counts from `wait_until` on.
    """

    __tablename__ = "staff_attempts"

    key_hash: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    failures: Mapped[int]
    failed_at: Mapped[Seconds] = mapped_column(index=True)
    wait_until: Mapped[Seconds]


class ApiToken(Base):
    """A program's token, found by its hash; `scopes` are permissions, with spaces between."""

    __tablename__ = "api_tokens"

    id: Mapped[Id] = mapped_column(primary_key=True)
    token_hash: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    name: Mapped[str] = mapped_column(String(64))
    scopes: Mapped[str] = mapped_column(String(400))
    made_at: Mapped[Seconds]
    expires_at: Mapped[Seconds]
    used_at: Mapped[Seconds] = mapped_column(default=0)
    revoked_at: Mapped[Seconds] = mapped_column(default=0)
