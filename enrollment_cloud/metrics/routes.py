"""`GET /metrics`, for whoever shows the token that this cloud was given for it."""

import hmac
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request, Response

from enrollment_cloud.context import CloudDependency, spend_read
from enrollment_cloud.metrics.readings import Readings
from tier_kit.forms.errors import NotFound
from tier_kit.metrics import CONTENT_TYPE, write_out

router = APIRouter(include_in_schema=False)

_SCHEME = "bearer "


@router.get("/metrics", dependencies=[Depends(spend_read)])
def read_metrics(
    request: Request, cloud: CloudDependency, authorization: Annotated[str, Header()] = ""
) -> Response:
    """Answer with every metric in Prometheus' text format.

    Whoever has no token learns no more than that there is no such page.
    """
    wanted = cloud.settings.metrics_token
    given = authorization[len(_SCHEME) :].strip()
    if (
        wanted is None
        or not authorization.lower().startswith(_SCHEME)
        or not hmac.compare_digest(given.encode(), wanted.get_secret_value().encode())
    ):
        raise NotFound("page-unknown")
    readings: Readings = request.app.state.readings
    return Response(write_out(cloud.meters.registry, readings), media_type=CONTENT_TYPE)
