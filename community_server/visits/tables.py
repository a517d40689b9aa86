"""Visits, the links by which they come about, and what was asked through those."""

import sqlalchemy as sa
from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds


class VisitLink(Base):
    """A resident's link to their own page, or the one on a door's poster.

    Of a link only the derived id and the sealed `auth` are kept. `kind` is `home`, of a person, or
    `poster`, of a door; `state` is `open` or `withdrawn`.
    """

    __tablename__ = "visit_links"

    id: Mapped[Id] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(String(8))
    person_id: Mapped[Id | None] = mapped_column(
        ForeignKey("people.id", ondelete="CASCADE"), index=True
    )
    door_id: Mapped[Id | None] = mapped_column(
        ForeignKey("doors.id", ondelete="CASCADE"), index=True
    )
    auth: Mapped[Sealed]
    state: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[Seconds]


class Visit(Base):
    """One visit, from the wish to its end; then the row goes, and its data key before it.

    `state` is `asked`, `approved` or `declined`. `decided_how` is `host` or `desk`, and
    `decided_by` the resident's id or that of the member of staff. `door_id` is where somebody asked
    at a poster, with `request_id`, the envelope that is answered. `unit` is one that exists, or
    empty; whatever somebody wrote is in `details`, sealed. `entries` counts how often the visitor
    came in.
    """

    __tablename__ = "visits"

    id: Mapped[Id] = mapped_column(primary_key=True)
    host_id: Mapped[Id | None] = mapped_column(
        ForeignKey("people.id", ondelete="SET NULL"), index=True
    )
    unit: Mapped[str] = mapped_column(String(64), index=True)
    door_id: Mapped[Id | None] = mapped_column(ForeignKey("doors.id", ondelete="SET NULL"))
    request_id: Mapped[str] = mapped_column(String(32), default="", server_default="")
    courier: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    state: Mapped[str] = mapped_column(String(16), index=True)
    valid_from: Mapped[Seconds] = mapped_column(default=0)
    valid_until: Mapped[Seconds]
    hours: Mapped[int] = mapped_column(default=0, server_default="0")
    """For how long somebody asked at a poster, from the approval on."""
    uses: Mapped[int] = mapped_column(default=0, server_default="0")
    entries: Mapped[int] = mapped_column(default=0, server_default="0")
    credential: Mapped[str] = mapped_column(String(8))
    details: Mapped[Sealed]
    decided_how: Mapped[str] = mapped_column(String(8), default="", server_default="")
    decided_by: Mapped[str] = mapped_column(String(32), default="", server_default="")
    decided_at: Mapped[Seconds] = mapped_column(default=0)
    person_id: Mapped[Id | None] = mapped_column(
        ForeignKey("people.id", ondelete="SET NULL"), unique=True
    )
    """The visitor, once there is one."""
    created_at: Mapped[Seconds] = mapped_column(index=True)

    @property
    def vouched_for(self) -> bool:
        """Whether somebody stands for who comes.

        A resident invited them, or they asked at a poster and were let in. For whom the desk
        invites there is only the link, which may be forwarded.
        """
        return self.host_id is not None or self.request_id != ""


class VisitRequest(Base):
    """One envelope that came by such a link and took effect; it never does so twice.

    `last_answer` is kept, sealed to its reader as it is, to be sent again should it be lost. With
    the `origin` `estate` it came over the estate's own network, and its reader asks for it here.
    """

    __tablename__ = "visit_requests"

    id: Mapped[Id] = mapped_column(primary_key=True)
    link_id: Mapped[Id] = mapped_column(
        ForeignKey("visit_links.id", ondelete="CASCADE"), index=True
    )
    asked: Mapped[str] = mapped_column(String(16))
    received_at: Mapped[Seconds] = mapped_column(index=True)
    reply_key: Mapped[bytes] = mapped_column(LargeBinary)
    answers: Mapped[int] = mapped_column(default=0)
    last_answer: Mapped[bytes | None] = mapped_column(LargeBinary)
    origin: Mapped[str] = mapped_column(String(8), default="cloud", server_default="cloud")


class VisitCount(Base):
    """How many visitors a unit had in a month (`2026-11`); names nobody, and stays."""

    __tablename__ = "visit_counts"

    unit: Mapped[str] = mapped_column(String(64), primary_key=True)
    month: Mapped[str] = mapped_column(String(7), primary_key=True)
    visitors: Mapped[int]
