"""Set-up, the cloud and the estate's state, for programs."""

from dataclasses import asdict
from typing import Annotated

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from community_server.desk import EstateDep, address_of, check_origin, reader, writer
from community_server.errors import Conflict, SignInRefused
from community_server.estate import Estate
from community_server.keys.root import RecoveryKit, root_key
from community_server.setup.community import find_community, get_community
from community_server.setup.service import set_up
from community_server.staff.permissions import Permission
from community_server.staff.sessions import SignedIn
from tier_link.base64url import encode_base64url
from tier_link.certificates import root_fingerprint, root_public_bytes

router = APIRouter(prefix="/api/v1", tags=["estate"])

Reader = Annotated[SignedIn, reader(Permission.SEE_ESTATE)]
Pairer = Annotated[SignedIn, writer(Permission.PAIR, proven=True)]

Name = Annotated[str, Field(max_length=200)]


class SetupRequest(BaseModel):
    """First-run set-up."""

    code: Name = Field(repr=False)
    community_name: Name
    username: Name
    password: Annotated[str, Field(max_length=1000)] = Field(repr=False)


class SetupDone(BaseModel):
    """The recovery kit, shown this once: print it and keep it off every computer."""

    community_name: str
    fingerprint: str
    made_on: str
    recovery_secret: str = Field(repr=False)


class CloudRequest(BaseModel):
    """A cloud's address and the code it showed."""

    url: Annotated[str, Field(max_length=500)]
    code: Annotated[str, Field(max_length=100)] = Field(repr=False)


class CloudPaired(BaseModel):
    """The community's public id."""

    community: str


@router.post("/setup", status_code=201)
def do_set_up(body: SetupRequest, request: Request, estate: EstateDep) -> SetupDone:
    """Set this server up; needs the code that its console and data folder show."""
    check_origin(request)
    kit = perform(estate, body, address_of(request))
    return SetupDone(
        community_name=kit.community,
        fingerprint=kit.fingerprint,
        made_on=kit.made_on,
        recovery_secret=kit.secret,
    )


def perform(estate: Estate, body: SetupRequest, address: str) -> RecoveryKit:
    """Set up once, for whoever knows the code.

    Raises:
        Conflict: `already-set-up`.
        SignInRefused: `setup-code-wrong`.
        TooManyAttempts: too many wrong codes.
        InputRefused: a value that cannot be used.
    """
    with estate.reading() as session:
        if find_community(session) is not None:
            raise Conflict("this server was set up already", code="already-set-up")
    key = f"setup:{address}"
    estate.backoff.check(key)
    try:
        estate.setup_code.check(body.code)
    except SignInRefused:
        estate.backoff.fail(key)
        raise
    with estate.changer.change() as change:
        kit = set_up(
            change, name=body.community_name, username=body.username, password=body.password
        )
    estate.setup_code.discard()
    return kit


@router.post("/cloud", status_code=201)
def pair_cloud(body: CloudRequest, estate: EstateDep, staff: Pairer) -> CloudPaired:
    """Pair with a cloud."""
    return CloudPaired(community=estate.cloud.pair(body.url, body.code, staff.staff))


@router.get("/status")
def show_status(estate: EstateDep, staff: Reader) -> dict[str, object]:
    """Say how the estate is doing."""
    del staff
    return status_of(estate)


def status_of(estate: Estate) -> dict[str, object]:
    """Return how the estate is doing, for status pages."""
    with estate.reading() as session:
        community = get_community(session)
        name, slug = community.name, community.slug
    return {
        "community": slug,
        "name": name,
        "cloud": asdict(estate.cloud.state()),
        "faces": len(estate.gallery),
        "template_space": estate.pack.template_space,
        "first_opening": estate.settings.first_opening,
        "waiting_for_cloud": estate.links.waiting("cloud"),
    }


@router.get("/keys")
def show_keys(estate: EstateDep) -> dict[str, str]:
    """Return the community's public keys: nothing here is secret."""
    with estate.reading() as session:
        community = get_community(session)
        public = root_public_bytes(root_key(session, estate.safe))
        return {
            "community": community.slug,
            "root_public": encode_base64url(public),
            "fingerprint": root_fingerprint(public).hex(),
            "ca_pem": estate.secrets.authority.pem.decode("ascii"),
        }
