"""The operators' page: sign in with a key, see communities, register, pair and revoke them.

Plain forms, no script. A session's cookie goes to this site alone (`SameSite=Strict`), and every
form of a session carries a token that is made from it.
"""

import hmac
import logging
from typing import Annotated, Any, Final
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.concurrency import run_in_threadpool

from enrollment_cloud.clock import unix_now
from enrollment_cloud.context import Cloud, CloudDependency, spend_read, spend_sign_in
from enrollment_cloud.operators import accounts, service
from enrollment_cloud.operators.accounts import SESSION_SECONDS, SignedIn
from enrollment_cloud.operators.overview import PAGE_SIZE, see_communities
from enrollment_cloud.refusals import keep_language, reader_language
from tier_kit.forms.errors import Malformed
from tier_kit.forms.identifiers import community_id
from tier_kit.forms.limits import paced


class SignInNeeded(Exception):
    """Only somebody who is signed in may do that."""


COOKIE: Final = "gatehouse-operator"
MAX_FORM_BYTES: Final = 4096
"""A name of a hundred characters, a key or an id, and a token."""
MAX_FIELDS: Final = 8

_HOME: Final = "/operator"
_log = logging.getLogger(__name__)
router = APIRouter(prefix=_HOME, include_in_schema=False)


async def read_small_form(request: Request) -> dict[str, str]:
    """Read a form's fields, the first of each name.

    Raises:
        TooLarge, TooSlow: as `paced` says.
        Malformed: not a form (`form-malformed`).
    """
    body = b"".join([chunk async for chunk in paced(request.stream(), MAX_FORM_BYTES)])
    try:
        fields = parse_qs(body.decode(), strict_parsing=bool(body), max_num_fields=MAX_FIELDS)
    except ValueError as error:
        raise Malformed("form-malformed") from error
    return {name: values[0] for name, values in fields.items()}


def signed_in(request: Request, cloud: CloudDependency) -> SignedIn | None:
    """Return who is signed in, if anybody is."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    with cloud.database.read() as session:
        return accounts.find_session(session, token, unix_now())


Who = Annotated[SignedIn | None, Depends(signed_in)]


async def proven_form(request: Request, who: Who) -> dict[str, str]:
    """Return the fields of a form that this session's own page made.

    Raises:
        SignInNeeded: nobody is signed in, or the form is not this session's.
    """
    if who is None:
        raise SignInNeeded
    fields = await read_small_form(request)
    if not hmac.compare_digest(fields.get("csrf", "").encode(), who.csrf.encode()):
        raise SignInNeeded
    return fields


Fields = Annotated[dict[str, str], Depends(proven_form)]


@router.get("", dependencies=[Depends(spend_read)])
def show_communities(
    request: Request, cloud: CloudDependency, who: Who, find: str = "", after: str = ""
) -> Response:
    """Show the operator's communities, or ask for the key."""
    if who is None:
        return _page(request, cloud, "sign_in.html.jinja", wrong=False)
    now = unix_now()
    with cloud.database.read() as session:
        seen = see_communities(session, who.group, now, find=find.strip(), after=after)
        group = accounts.find_group(session, who.group).name if who.group else ""
    last = seen[-1].id if len(seen) == PAGE_SIZE else ""
    return _page(
        request,
        cloud,
        "communities.html.jinja",
        who=who,
        group=group,
        seen=seen,
        find=find,
        last=last,
        now=now,
    )


@router.post("/sign-in", dependencies=[Depends(spend_sign_in)])
async def sign_in(request: Request, cloud: CloudDependency) -> Response:
    """Take the key; a session begins, or the page says that it is not right."""
    fields = await read_small_form(request)

    def enter() -> str | None:
        with cloud.database.write.begin() as session:
            return accounts.sign_in(session, fields.get("key", ""), unix_now())

    token = await run_in_threadpool(enter)
    if token is None:
        return _page(request, cloud, "sign_in.html.jinja", status=403, wrong=True)
    response = RedirectResponse(_HOME, 303)
    response.set_cookie(
        COOKIE,
        token,
        max_age=SESSION_SECONDS,
        path=_HOME,
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )
    return response


@router.post("/sign-out", dependencies=[Depends(spend_read)])
def sign_out(request: Request, cloud: CloudDependency, fields: Fields) -> Response:
    """End the session."""
    del fields
    with cloud.database.write.begin() as session:
        accounts.sign_out(session, request.cookies[COOKIE])
    response = RedirectResponse(_HOME, 303)
    response.delete_cookie(COOKIE, path=_HOME)
    return response


@router.post("/communities", dependencies=[Depends(spend_read)])
def register(request: Request, cloud: CloudDependency, who: Who, fields: Fields) -> Response:
    """Register a community and show its pairing code."""
    now, operator = unix_now(), _present(who)
    with cloud.database.write.begin() as session:
        community = service.register(session, operator, fields.get("name", ""), now)
        row, code = service.make_code(session, cloud.codes, operator, community.id, now)
        shown: dict[str, Any] = {"community": row.id, "name": row.name, "code": code.code}
    _log.info(
        "event=community-registered community=%s by=%s", shown["community"], operator.operator
    )
    return _page(request, cloud, "code.html.jinja", who=operator, **shown)


@router.post("/communities/{community}/code", dependencies=[Depends(spend_read)])
def make_code(
    community: str, request: Request, cloud: CloudDependency, who: Who, fields: Fields
) -> Response:
    """Show a new pairing code for a community."""
    del fields
    operator = _present(who)
    with cloud.database.write.begin() as session:
        row, code = service.make_code(
            session, cloud.codes, operator, community_id(community), unix_now()
        )
        shown: dict[str, Any] = {"community": row.id, "name": row.name, "code": code.code}
    return _page(request, cloud, "code.html.jinja", who=operator, **shown)


@router.post("/communities/{community}/revoke", dependencies=[Depends(spend_read)])
def revoke(community: str, cloud: CloudDependency, who: Who, fields: Fields) -> Response:
    """Close a community's link and pages for good."""
    operator = _present(who)
    with cloud.database.write.begin() as session:
        service.revoke(
            session, operator, community_id(community), fields.get("typed", ""), unix_now()
        )
    _log.info("event=community-revoked community=%s by=%s", community, operator.operator)
    return RedirectResponse(_HOME, 303)


async def ask_for_key(request: Request, error: Exception) -> Response:
    """Answer `SignInNeeded`: the page that asks for the key."""
    del request, error
    return RedirectResponse(_HOME, 303)


def _present(who: SignedIn | None) -> SignedIn:
    if who is None:
        raise SignInNeeded
    return who


def _page(
    request: Request, cloud: Cloud, template: str, *, status: int = 200, **values: Any
) -> Response:
    language = reader_language(request)
    page = cloud.operator_pages.render(template, language, **values)
    response = HTMLResponse(page, status, {"content-language": language})
    keep_language(request, response)
    return response
