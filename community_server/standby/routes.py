"""Where the estate's other server asks; nobody signs in, the letters are signed."""

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from community_server.desk import EstateDep
from community_server.standby.giving import give_keys, state_epoch
from community_server.standby.letters import MEDIA_TYPE

router = APIRouter(prefix="/api/v1/standby", include_in_schema=False)


@router.post("/keys")
async def give(request: Request, estate: EstateDep) -> Response:
    """Give a standby the erasure keys; see `letters.KeysWanted`."""
    answer = await run_in_threadpool(give_keys, estate, await request.body())
    return Response(answer, media_type=MEDIA_TYPE)


@router.post("/epoch")
async def state(request: Request, estate: EstateDep) -> Response:
    """Say in which epoch this server is; see `letters.EpochWanted`."""
    answer = await run_in_threadpool(state_epoch, estate, await request.body())
    return Response(answer, media_type=MEDIA_TYPE)
