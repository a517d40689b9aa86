"""People, their doors and their templates."""

import sqlalchemy as sa
from sqlalchemy import ForeignKey, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class Person(Base):
    """One person; everything that names them is sealed under their own data key.

    `state` is `invited` (no credential yet) or `active`. `valid_until` 0 is open.
    """

    __tablename__ = "people"

    id: Mapped[Id] = mapped_column(primary_key=True)
    category: Mapped[str] = mapped_column(String(16))
    unit: Mapped[str] = mapped_column(String(64), index=True)
    state: Mapped[str] = mapped_column(String(16))
    suspended: Mapped[bool] = mapped_column(default=False)
    particulars: Mapped[Sealed]
    phone_hash: Mapped[str | None] = mapped_column(String(64), index=True)
    """Of release 0.1, and empty since: a keyed hash in some copy of the database could be tried out
    for as long as its key lives."""
    valid_from: Mapped[Seconds] = mapped_column(default=0)
    valid_until: Mapped[Seconds] = mapped_column(default=0, index=True)
    pin_hash: Mapped[str] = mapped_column(String(200), default="")
    """Sealed, see `sealed_pins`; empty for no PIN."""
    second_credential: Mapped[bool] = mapped_column(default=False)
    """The face alone does not open yet: the PIN is asked for as well."""
    external_id: Mapped[str | None] = mapped_column(String(64), unique=True, index=True)
    """What another system calls this person."""
    created_at: Mapped[Seconds]


class PersonDoor(Base):
    """A door of a person's own, at any hour; whoever has any needs no access group."""

    __tablename__ = "person_doors"

    person_id: Mapped[Id] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    door_id: Mapped[Id] = mapped_column(
        ForeignKey("doors.id", ondelete="CASCADE"), primary_key=True, index=True
    )


class Template(Base):
    """A person's template: float32 little-endian, turned, then sealed; fused from `photos`."""

    __tablename__ = "templates"

    person_id: Mapped[Id] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), primary_key=True
    )
    space: Mapped[str] = mapped_column(String(128))
    sealed: Mapped[Sealed]
    photos: Mapped[int] = mapped_column(default=0, server_default="0")
    """How many photos it rests on; 0 when that was not noted."""
    margins: Mapped[Sealed | None]
    """How well it fits, see `face_engine.fading`; of the matches made here."""
    faded: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether those say that it had better be renewed."""
    declined_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")
    """When its person last declined to have it renewed at a door; 0 for never."""
    created_at: Mapped[Seconds]


class FaceMonth(Base):
    """How many faces were held when a month (`2026-11`) was first noted, and came in it."""

    __tablename__ = "face_months"

    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    held: Mapped[int]
    added: Mapped[int]
