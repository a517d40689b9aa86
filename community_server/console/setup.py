"""First run: the set-up code, the estate's name, the first account; then the recovery kit, once."""

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, bare_page, go_to, problem_of, status_of
from community_server.desk import EstateDep, address_of, check_origin
from community_server.errors import Conflict, ServerError
from community_server.estate import Estate
from community_server.setup.community import find_community
from community_server.setup.routes import SetupRequest, perform
from community_server.staff.passwords import MIN_PASSWORD

router = APIRouter()


def is_set_up(estate: Estate) -> bool:
    """Say whether first-run set-up has been done."""
    with estate.reading() as session:
        return find_community(session) is not None


@router.get("/setup")
def show_setup(request: Request, estate: EstateDep) -> Response:
    """Show the first page that anybody sees."""
    return go_to("/login") if is_set_up(estate) else _form(request)


@router.post("/setup")
def do_setup(
    request: Request,
    estate: EstateDep,
    code: Text = "",
    community_name: Text = "",
    username: Text = "",
    password: Text = "",
) -> Response:
    """Set up, and show the recovery kit in the only answer that ever holds it."""
    check_origin(request)
    wanted = SetupRequest(
        code=code[:200],
        community_name=community_name[:200],
        username=username[:200],
        password=password,
    )
    try:
        kit = perform(estate, wanted, address_of(request))
    except Conflict:
        return go_to("/login")
    except ServerError as refusal:
        return _form(request, wanted, refusal)
    return bare_page(request, "recovery_kit.html.jinja", status=201, kit=kit)


def _form(
    request: Request, given: SetupRequest | None = None, refusal: ServerError | None = None
) -> Response:
    return bare_page(
        request,
        "setup.html.jinja",
        status=status_of(refusal) if refusal else 200,
        code=given.code if given else "",
        community_name=given.community_name if given else "",
        username=given.username if given else "",
        least=MIN_PASSWORD,
        problem=problem_of(refusal) if refusal else None,
    )
