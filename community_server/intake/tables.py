"""Enrollments, the photos that wait for the desk, and consents given."""

from typing import Final

from sqlalchemy import ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Sealed, Seconds

FACES_OFF: Final = "faces-off"
"""Held, and not looked at: nobody has signed an impact assessment yet."""
UNUSABLE: Final = "unusable"
"""Was held so, and its photos turned out to be none that a face can be taken from."""


class Enrollment(Base):
    """One envelope that was opened and whose sender held the invitation.

    Or a face that was renewed at a door: `sealed_by` is `door` then, and nobody is answered. Or
    consents that were given anew on a resident's own page, without any photo.
    `origin` is where it was written, and so where it is answered: by the `cloud`'s form, by this
    server's on the `estate`'s own network, at the `desk`, or on a `door`'s page.

    `state`: `waiting` (for the desk), `enrolled`, `declined`, `retake`, `refused`. `held_for`
    says why it waits: `desk`, `visitor`, `unsealed`, `no-face`, `resembles`, `differs`,
    `uncompared` (with faces known by a model before), `faces-off` or `unusable`. `resembles` names
    the person whom the face is too like, whatever it waits for. `particulars` is what the person
    wrote of themselves; it takes effect with the approval. `last_reply` is kept, sealed to its
    reader as it is, to be sent again should the envelope come a second time.
    """

    __tablename__ = "enrollments"

    id: Mapped[Id] = mapped_column(primary_key=True)
    person_id: Mapped[Id] = mapped_column(ForeignKey("people.id", ondelete="CASCADE"), index=True)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16), index=True)
    reason: Mapped[str] = mapped_column(String(40), default="")
    held_for: Mapped[str] = mapped_column(String(16), default="")
    resembles: Mapped[str | None] = mapped_column(String(32))
    sealed_by: Mapped[str] = mapped_column(String(16))
    language: Mapped[str] = mapped_column(String(8))
    received_at: Mapped[Seconds]
    decided_at: Mapped[Seconds] = mapped_column(default=0)
    decided_by: Mapped[str | None] = mapped_column(String(32))
    reply_key: Mapped[bytes] = mapped_column(LargeBinary)
    replies: Mapped[int] = mapped_column(default=0)
    last_reply: Mapped[bytes | None] = mapped_column(LargeBinary)
    template: Mapped[Sealed | None]
    template_space: Mapped[str] = mapped_column(String(128), default="")
    particulars: Mapped[Sealed | None]
    origin: Mapped[str] = mapped_column(String(8), default="cloud", server_default="cloud")
    guardian: Mapped[Sealed | None]
    """Who consented for somebody under 14, sealed under that person's data key."""


class KeptReply(Base):
    """A reply to what came over the estate's own network; its reader asks for it here.

    Sealed to the reader, as the cloud keeps those of its own form.
    """

    __tablename__ = "kept_replies"

    enrollment_id: Mapped[Id] = mapped_column(
        ForeignKey("enrollments.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
    stored_at: Mapped[Seconds] = mapped_column(index=True)


class PendingPhoto(Base):
    """A photo that waits for the desk, sealed under its enrollment's own data key."""

    __tablename__ = "pending_photos"

    enrollment_id: Mapped[Id] = mapped_column(
        ForeignKey("enrollments.id", ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(primary_key=True)
    pose: Mapped[str] = mapped_column(String(8))
    sealed: Mapped[Sealed]


class ConsentGiven(Base):
    """A consent: which text, the hash of what was shown, when, and through whom.

    `sealed_by` is who sealed the photos, and `door` where it was given on a door's page; `origin`
    is where it was given, as its enrollment's. `given_by` is the `person`, or the `guardian` of
    somebody under 14, whom the enrollment names. `withdrawn_at` is 0 while it stands, and
    `withdrawn_how` where it was withdrawn: on the resident's own `page`, at the `desk`, or by a
    `round` of asking anew that ended without an answer.
    """

    __tablename__ = "consents_given"

    enrollment_id: Mapped[Id] = mapped_column(
        ForeignKey("enrollments.id", ondelete="CASCADE"), primary_key=True
    )
    consent: Mapped[str] = mapped_column(String(40), primary_key=True)
    version: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(8))
    sha256: Mapped[str] = mapped_column(String(64))
    given_at: Mapped[Seconds]
    sealed_by: Mapped[str] = mapped_column(String(16))
    origin: Mapped[str] = mapped_column(String(8), default="cloud", server_default="cloud")
    withdrawn_at: Mapped[Seconds] = mapped_column(default=0, server_default="0")
    withdrawn_how: Mapped[str] = mapped_column(String(8), default="", server_default="")
    given_by: Mapped[str] = mapped_column(String(8), default="person", server_default="person")
