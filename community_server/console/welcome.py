"""The page that a new member of staff sees first: the password is set, by a link, once."""

from fastapi import APIRouter, Request, Response

from community_server.console.frame import Text, bare_page, go_to, problem_of, status_of
from community_server.desk import EstateDep, address_of, check_origin
from community_server.errors import InputRefused, ServerError
from community_server.estate import Estate
from community_server.setup.community import get_community
from community_server.staff.account_routes import follow_link
from community_server.staff.passwords import MIN_PASSWORD

router = APIRouter(prefix="/welcome")


@router.get("/{secret}")
def show_welcome(request: Request, secret: str, estate: EstateDep) -> Response:
    """Ask for the password to be; whether the link still counts is said once it is used."""
    return _page(request, estate, secret)


@router.post("/{secret}")
def set_password(
    request: Request, secret: str, estate: EstateDep, new_password: Text = ""
) -> Response:
    """Set the password, and lead on to the sign-in."""
    check_origin(request)
    try:
        follow_link(estate, secret, new_password, address_of(request))
    except InputRefused as refusal:
        return _page(request, estate, secret, refusal)
    return go_to("/login?done=password-set")


def _page(
    request: Request, estate: Estate, secret: str, refusal: ServerError | None = None
) -> Response:
    with estate.reading() as session:
        name = get_community(session).name
    return bare_page(
        request,
        "welcome.html.jinja",
        status=status_of(refusal) if refusal else 200,
        estate_name=name,
        secret=secret,
        least=MIN_PASSWORD,
        problem=problem_of(refusal) if refusal else None,
    )
