"""Doors and what each holds."""

import sqlalchemy as sa
from sqlalchemy import BigInteger, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class Door(Base):
    """One door. `state` is `new`, `paired` or `revoked`; `public_key` proves the terminal."""

    __tablename__ = "doors"

    id: Mapped[Id] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(64))
    direction: Mapped[str] = mapped_column(String(8))
    mode: Mapped[str] = mapped_column(String(8), default="auto")
    state: Mapped[str] = mapped_column(String(16), default="new")
    public_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    frames: Mapped[int] = mapped_column(default=2)
    gate_open_s: Mapped[float] = mapped_column(default=5.0)
    pin_allowed: Mapped[bool] = mapped_column(default=True)
    pass_allowed: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    card_allowed: Mapped[bool] = mapped_column(default=True, server_default=sa.true())
    min_face_px: Mapped[int] = mapped_column(default=40)
    dwell_ms: Mapped[int] = mapped_column(default=300)
    max_yaw_deg: Mapped[float] = mapped_column(default=35.0)
    cooldown_s: Mapped[float] = mapped_column(default=5.0)
    face_needs_second: Mapped[bool] = mapped_column(default=False)
    """Staff's word: a face alone does not open this door, it needs a second credential."""
    face_needs_presence: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Staff's word: a face counts only once somebody has pressed the button, or stepped up."""
    snapshots: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Staff's word: a small picture of each face that is refused is kept for a while."""
    liveness: Mapped[str] = mapped_column(String(16), default="off")
    """What is made of faces that may be pictures; see `tier_link.estate_messages`."""
    held_open_s: Mapped[float] = mapped_column(default=30.0, server_default="30")
    """After how long standing open is an alarm."""
    pair: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """What the readers of one way in and out have in common; empty for a door on its own."""
    looks_from: Mapped[int] = mapped_column(default=0, server_default="0")
    """Minute of each day from which faces are looked for as ever, until `looks_until`, on the next
    day where that is earlier; the same for always."""
    looks_until: Mapped[int] = mapped_column(default=0, server_default="0")
    looks_outside: Mapped[str] = mapped_column(String(8), default="slow", server_default="slow")
    """What becomes of looking at other hours: `slow` or `off`."""
    looks_rate: Mapped[float] = mapped_column(default=30.0, server_default="30")
    """Pictures a second that are looked at, at most."""
    reset_pin: Mapped[str] = mapped_column(String(200), default="", server_default="")
    """Hash of the PIN by which staff end a fire release at the door; empty for none."""
    threshold: Mapped[float] = mapped_column(default=0.0)
    """The threshold last told; it follows the gallery's size and the estate's own scores."""
    second_told: Mapped[bool] = mapped_column(default=False)
    """Whether the terminal was last told that a face alone is not enough."""
    spaces_told: Mapped[str] = mapped_column(String(260), default="", server_default="")
    """The template spaces, present and former, that the terminal's roster was last told in."""
    passes_told: Mapped[str] = mapped_column(String(64), default="", server_default="")
    """Digest of what the terminal was last told of pass keys and revoked passes, of the model pack,
    of the consent to renew a face, of access groups and of special days."""
    lockdown: Mapped[int] = mapped_column(BigInteger, default=0, server_default="0")
    """Number of the word for a lockdown that the terminal last showed; see `lockdown.service`."""
    locked_down: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    """Whether that word locks."""
    roster_version: Mapped[int] = mapped_column(BigInteger, default=0)
    created_at: Mapped[Seconds]
    paired_at: Mapped[Seconds] = mapped_column(default=0)
    heard_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")
    """When the terminal was last connected, give or take minutes; 0 for never."""


class RosterMember(Base):
    """That a door's roster holds a person: what was last told to the door.

    No foreign key to people: an erased person's row stays until the door has been told.
    """

    __tablename__ = "roster_members"

    door_id: Mapped[Id] = mapped_column(
        ForeignKey("doors.id", ondelete="CASCADE"), primary_key=True
    )
    person_id: Mapped[Id] = mapped_column(primary_key=True, index=True)
