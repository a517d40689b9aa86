"""Where the estate's own scores are kept: counts in bins, nothing of whom or when."""

from sqlalchemy import BigInteger, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from community_server.database import Base, Id


class CountedScores(Base):
    """One histogram of one template space; see `face_engine.self_calibration`.

    `door` is a door's id, or empty for the scores between the estate's own people. `counted_by`
    is `server` or `door`: a door's own count replaces the one it sent before. `counts` are
    whole numbers in 32 bits, little-endian, one per bin.
    """

    __tablename__ = "counted_scores"

    door: Mapped[Id] = mapped_column(primary_key=True)
    space: Mapped[str] = mapped_column(String(128), primary_key=True)
    counted_by: Mapped[str] = mapped_column(String(8), primary_key=True)
    counts: Mapped[bytes] = mapped_column(LargeBinary)
    compared: Mapped[int] = mapped_column(BigInteger)
