"""`GET /api/v1/metrics`: for Prometheus, which shows a token with the scope `see-metrics`."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Request, Response

from community_server.desk import EstateDep, reader
from community_server.metrics.readings import Readings
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_kit.metrics import CONTENT_TYPE, write_out

router = APIRouter(prefix="/api/v1/metrics", tags=["metrics"])

Reader = Annotated[SignedIn, reader(Permission.SEE_METRICS)]

_TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/plain": {"schema": {"type": "string"}}}}
}


@router.get("", response_class=Response, responses=_TEXT)
def read_metrics(request: Request, estate: EstateDep, staff: Reader) -> Response:
    """Answer with every metric in Prometheus' text format."""
    del staff
    readings: Readings = request.app.state.readings
    return Response(write_out(estate.meters.registry, readings), media_type=CONTENT_TYPE)
