"""What somebody has agreed to, and how it was given."""

from dataclasses import dataclass, field

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from community_server.intake.holding import open_guardian
from community_server.intake.tables import ConsentGiven, Enrollment
from community_server.people.tables import Template
from community_server.receipts.tables import Erasure
from community_server.vault.safe import Safe


@dataclass(frozen=True)
class ShownConsent:
    """One consent; times are Unix seconds, `withdrawn_at` 0 while it stands.

    `origin` is where it was given (`cloud`, `estate`, `desk`, `door`), `sealed_by` who sealed the
    photos, `withdrawn_how` where it was withdrawn (`page`, `desk`, `round`).
    `given_by` is the `person` or a
    `guardian`, whose name is the last field.
    """

    consent: str
    version: str
    language: str
    sha256: str
    given_at: int
    origin: str
    sealed_by: str
    enrollment: str
    withdrawn_at: int
    withdrawn_how: str
    given_by: str = "person"
    guardian: str = field(default="", repr=False)


def list_consents(session: Session, safe: Safe, person: str) -> list[ShownConsent]:
    """Return somebody's consents, the newest first."""
    rows = session.execute(
        _of(person)
        .add_columns(Enrollment)
        .order_by(ConsentGiven.given_at.desc(), ConsentGiven.consent)
    )
    return [
        ShownConsent(
            consent=row.consent,
            version=row.version,
            language=row.language,
            sha256=row.sha256,
            given_at=row.given_at,
            origin=row.origin,
            sealed_by=row.sealed_by,
            enrollment=row.enrollment_id,
            withdrawn_at=row.withdrawn_at,
            withdrawn_how=row.withdrawn_how,
            given_by=row.given_by,
            guardian=open_guardian(session, safe, enrollment),
        )
        for row, enrollment in rows
    ]


def standing_consents(session: Session, person: str) -> list[ConsentGiven]:
    """Return the rows of somebody's consents that were not withdrawn."""
    return list(session.scalars(_of(person).where(ConsentGiven.withdrawn_at == 0)))


def has_face(session: Session, person: str) -> bool:
    """Say whether a face of somebody's is kept, or waits for the desk."""
    waits = select(Enrollment.id).where(
        Enrollment.person_id == person,
        Enrollment.state == "waiting",
        Enrollment.template.is_not(None),
    )
    return session.get(Template, person) is not None or session.scalar(waits) is not None


def newest_face_receipt(session: Session, person: str) -> str:
    """Return the signed block for the face that somebody had erased last, empty for none yet."""
    return (
        session.scalar(
            select(Erasure.receipt)
            .where(Erasure.person_id == person, Erasure.kept == "face")
            .order_by(Erasure.begun_at.desc(), Erasure.id)
            .limit(1)
        )
        or ""
    )


def _of(person: str) -> Select[ConsentGiven]:
    return (
        select(ConsentGiven)
        .join(Enrollment, Enrollment.id == ConsentGiven.enrollment_id)
        .where(Enrollment.person_id == person)
    )
