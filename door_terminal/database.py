"""The door's own tables; the link's stand beside them in the same file, for one transaction."""

from collections.abc import Callable

from sqlalchemy import BigInteger, Engine, LargeBinary, MetaData, String, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import (
    DeclarativeBase,
    Mapped,
    Session,
    SessionTransaction,
    mapped_column,
)

from door_terminal.errors import StartRefused
from tier_link.store import NAMING_CONVENTION, bring_up_to_date, open_database

THE_ONLY_ROW = 1


class DoorBase(DeclarativeBase):
    """Base of the door's tables."""

    metadata = MetaData(naming_convention=NAMING_CONVENTION)


class EntryRow(DoorBase):
    """One decision. The outbox holds the same as its message."""

    __tablename__ = "entries"

    door_sequence: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    entry: Mapped[str] = mapped_column(String(32), unique=True)
    link_sequence: Mapped[int] = mapped_column(BigInteger, index=True)
    body: Mapped[bytes] = mapped_column(LargeBinary)


class ClockRow(DoorBase):
    """What the clock must know after a power cut; see `clock.ClockRecord`."""

    __tablename__ = "clock"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    boot_id: Mapped[str] = mapped_column(String(64))
    since_boot: Mapped[float]
    floor: Mapped[int] = mapped_column(BigInteger)
    powered_s: Mapped[float]
    news_unix: Mapped[int] = mapped_column(BigInteger)
    news_boot_id: Mapped[str] = mapped_column(String(64))
    news_since_boot: Mapped[float]
    news_powered_s: Mapped[float]
    starts_since_news: Mapped[int]


class ConfigurationRow(DoorBase):
    """The server's last `DoorConfigured`, sealed: it holds the community's matrix."""

    __tablename__ = "configuration"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class RosterRow(DoorBase):
    """Which version of the roster the door holds."""

    __tablename__ = "roster"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)


class RosterPersonRow(DoorBase):
    """One person of the roster, sealed to this door, the person and the template space."""

    __tablename__ = "roster_people"

    person: Mapped[str] = mapped_column(String(32), primary_key=True)
    space: Mapped[str] = mapped_column(String(128))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class RosterPartRow(DoorBase):
    """A part of a snapshot that is still arriving, sealed."""

    __tablename__ = "roster_parts"

    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    version: Mapped[int] = mapped_column(BigInteger)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class CountedScoresRow(DoorBase):
    """The best scores of others at accepted sightings; see `decisions.other_scores`.

    `counts` are whole numbers in 32 bits, little-endian, one per bin.
    """

    __tablename__ = "counted_scores"

    space: Mapped[str] = mapped_column(String(128), primary_key=True)
    counts: Mapped[bytes] = mapped_column(LargeBinary)
    compared: Mapped[int] = mapped_column(BigInteger)


class MarginsRow(DoorBase):
    """How well a person is recognised here, sealed; see `decisions.margins`."""

    __tablename__ = "margins"

    person: Mapped[str] = mapped_column(String(32), primary_key=True)
    template: Mapped[str] = mapped_column(String(16))
    sealed: Mapped[bytes] = mapped_column(LargeBinary)


class PinBackoffRow(DoorBase):
    """Wrong PINs of a unit, or of the whole door (`scope` empty), since the last right one."""

    __tablename__ = "pin_backoff"

    scope: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int]
    locked_until_powered_s: Mapped[float]


class PassUseRow(DoorBase):
    """How often a pass has opened this door, and the last number of a code that changes.

    `noted_at` is the door's time of the last one, Unix seconds.
    """

    __tablename__ = "pass_uses"

    pass_id: Mapped[str] = mapped_column(String(16), primary_key=True)
    uses: Mapped[int]
    step: Mapped[int] = mapped_column(BigInteger)
    noted_at: Mapped[int] = mapped_column(BigInteger)


class AlarmRow(DoorBase):
    """An alarm that is active; see `alarms`."""

    __tablename__ = "alarms"

    kind: Mapped[str] = mapped_column(String(40), primary_key=True)
    alarm: Mapped[str] = mapped_column(String(32))


class LockdownRow(DoorBase):
    """The estate's newest word for a lockdown, and whose it is; see `lockdown`."""

    __tablename__ = "lockdown"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    server: Mapped[str] = mapped_column(String(64), default="", server_default="")
    number: Mapped[int] = mapped_column(BigInteger)
    active: Mapped[bool]


class AuditCopyRow(DoorBase):
    """The longest log that the server has spoken of; see `audit_copy`."""

    __tablename__ = "audit_copy"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    server: Mapped[str] = mapped_column(String(64))
    count: Mapped[int] = mapped_column(BigInteger)
    head: Mapped[bytes] = mapped_column(LargeBinary(32))


class VisionPlanRow(DoorBase):
    """What vision last worked with; see `vision.trial`."""

    __tablename__ = "vision_plan"

    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    body: Mapped[bytes] = mapped_column(LargeBinary)


def open_door_database(url: str) -> Engine:
    """Open the door's database, brought up to this version's tables.

    Raises:
        StartRefused: it cannot be opened or migrated (`data-unusable`).
    """
    engine = open_database(url)
    try:
        bring_up_to_date(engine, "door")
    except DatabaseError as error:
        raise StartRefused(
            f"the database cannot be used: {error.orig}", code="data-unusable"
        ) from error
    return engine


_ENDINGS = "door-endings"


def once_ended(session: Session, call: Callable[[], None]) -> None:
    """Have something done once the session's transaction has ended, committed or not.

    Records of a link are applied in savepoints; only the end of the whole decides what stands.
    Asking for the same thing twice has it done once.
    """
    calls: list[Callable[[], None]] = session.info.setdefault(_ENDINGS, [])
    if not calls:
        event.listen(session, "after_transaction_end", _ended)
    if call not in calls:
        calls.append(call)


def _ended(session: Session, transaction: SessionTransaction) -> None:
    if transaction.parent is None:
        calls = list(session.info[_ENDINGS])
        session.info[_ENDINGS].clear()
        for call in calls:
            call()
