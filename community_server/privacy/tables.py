"""Who answers for the data here, and the impact assessments that were signed."""

from sqlalchemy import String, Text
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id, Seconds


class PrivacyDetails(Base):
    """One row, once the officer has written it: who answers for the data, and how to reach them.

    `other_faces` is how many people's faces the same operator holds at its other estates.
    """

    __tablename__ = "privacy_details"

    id: Mapped[int] = mapped_column(primary_key=True)
    controller: Mapped[str] = mapped_column(String(100))
    contact: Mapped[str] = mapped_column(String(200))
    other_faces: Mapped[int]


class Assessment(Base):
    """One impact assessment as it was signed; it stays.

    `document` is JSON, see `privacy.assessment`; `sha256` is the hash of its bytes, which stands in
    the audit log as well. `name` is what whoever signed wrote as their own.
    """

    __tablename__ = "assessments"

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=True)
    signed_at: Mapped[Seconds]
    staff_id: Mapped[Id]
    name: Mapped[str] = mapped_column(String(100))
    document: Mapped[str] = mapped_column(Text)
    sha256: Mapped[str] = mapped_column(String(64))
