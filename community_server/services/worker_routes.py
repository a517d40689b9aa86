"""How often one worker came: counts by month, for the worker's own page and for programs."""

from dataclasses import asdict
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter

from community_server.desk import EstateDep, reader
from community_server.errors import NotFound
from community_server.estate import Estate
from community_server.services.figures import Visits, months_of_worker
from community_server.services.queries import employers, get_company
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn

router = APIRouter(prefix="/api/v1/workers", tags=["service workers"])

Reader = Annotated[SignedIn, reader(Permission.SEE_PEOPLE)]


@router.get("/{person}/visits")
def show_visits(person: str, estate: EstateDep, staff: Reader) -> dict[str, dict[str, object]]:
    """Sum up by month how often a worker came for their company and for how long.

    As `/companies/{company}/visits` counts, for as long as single stays are kept. When and where
    somebody came is in the entries, which ask for a reason.
    """
    del staff
    return {month: asdict(visits) for month, visits in visits_of_worker(estate, person).items()}


def visits_of_worker(estate: Estate, person: str) -> dict[str, Visits]:
    """Return a worker's visits by month, the newest first.

    Raises:
        NotFound: `person-unknown`, nobody who comes for a company has this id.
    """
    with estate.reading() as session:
        employer = employers(session, [person]).get(person)
        if employer is None:
            raise NotFound("no worker has this id", code="person-unknown")
        company = get_company(session, employer.company)
        return months_of_worker(session, company, person, ZoneInfo(estate.settings.time_zone))
