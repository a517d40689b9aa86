"""How strict the doors are and why, for programs and for the console's pages."""

from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter

from community_server.desk import EstateDep, reader
from community_server.doors.service import list_doors
from community_server.doors.tables import Door
from community_server.estate import Estate
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from community_server.thresholds.scores import PEOPLE
from face_engine.self_calibration import LEAST_SCORES

router = APIRouter(prefix="/api/v1/thresholds", tags=["doors"])

Reader = Annotated[SignedIn, reader(Permission.SEE_DOORS)]


@dataclass(frozen=True)
class Strictness:
    """What a door's threshold rests on; never the threshold, or any score.

    Attributes:
        door: its id.
        name: of the door.
        basis: whose scores decide: `public`, `people` (between the estate's own), `sightings`
            (at this door).
        people: of the estate who were compared with one another; 0 while they are too few.
        sightings: accepted at this door that count; 0 while they are too few.
        supported: whether scores were measured that can show that the budget is kept.
        supported_budget: the fewest wrong openings a month, over all doors, that they can show.
        refused: share of first attempts of enrolled people expected to fail; None: not measured.
        second: whether a face alone is not enough here.
        doubles: whether people are so alike that they may be enrolled twice.
    """

    door: str
    name: str
    basis: str
    people: int
    sightings: int
    supported: bool
    supported_budget: float
    refused: float | None
    second: bool
    doubles: bool


@router.get("")
def show_thresholds(estate: EstateDep, staff: Reader) -> dict[str, object]:
    """Say how strict each door is, by which data, and whether that carries the budget."""
    del staff
    with estate.reading() as session:
        doors = list_doors(session)
    return {
        "faces": len(estate.gallery),
        "wrong_openings_per_month": estate.settings.wrong_openings_per_month,
        "strangers_per_day": estate.settings.strangers_per_day,
        "unsupported_budget": estate.settings.unsupported_budget,
        "doors": [asdict(strictness(estate, door)) for door in doors],
    }


def strictness(estate: Estate, door: Door) -> Strictness:
    """Return how strict a door is, and why."""
    scores = estate.thresholds.scores
    people, sightings = scores.of(PEOPLE), scores.of(door.id)
    explained = estate.thresholds.explain(door.id, door.frames)
    return Strictness(
        door=door.id,
        name=door.name,
        basis=explained.threshold.basis,
        people=people.total if people.independent >= LEAST_SCORES else 0,
        sightings=sightings.total if sightings.independent >= LEAST_SCORES else 0,
        supported=explained.threshold.supported,
        supported_budget=explained.supported_budget,
        refused=explained.refusal.rate if explained.refusal else None,
        second=estate.configurer.demands_second(door),
        doubles=explained.threshold.bounded,
    )
