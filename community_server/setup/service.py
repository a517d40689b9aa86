"""First-run set-up: name, root key, first account."""

import re
import secrets
from typing import Final

from community_server.audit.log import audit
from community_server.change import Change
from community_server.database import now
from community_server.errors import Conflict, InputRefused
from community_server.keys.certified import recertify, renew_keys
from community_server.keys.root import RecoveryKit, make_recovery_kit, root_key
from community_server.setup.community import find_community, get_community
from community_server.setup.tables import Community
from community_server.staff.accounts import add_staff
from community_server.staff.passwords import hash_password
from community_server.staff.permissions import Role

MAX_NAME: Final = 100
MAX_SLUG_WORDS: Final = 40
_NOT_SLUG: Final = re.compile(r"[^a-z0-9]+")


def set_up(change: Change, *, name: str, username: str, password: str) -> RecoveryKit:
    """Make the community: its row, keys and first account; return the recovery kit, once.

    Raises:
        Conflict: `already-set-up`.
        InputRefused: `name-missing` and what `add_staff` and `hash_password` refuse.
    """
    session, safe, moment = change.session, change.safe, now()
    if find_community(session) is not None:
        raise Conflict("this server was set up already", code="already-set-up")
    named = name.strip()
    if not named or len(named) > MAX_NAME:
        raise InputRefused("the estate has a name", field="community_name", code="name-missing")
    slug = make_slug(named)
    session.add(Community(id=1, name=named, slug=slug, created_at=moment))
    session.flush()
    staff = add_staff(session, username, hash_password(password), Role.ADMINISTRATOR)
    renew_keys(session, safe, slug, moment)
    audit(session, staff, "set-up", slug)
    return make_recovery_kit(root_key(session, safe), named, moment)


def adopt_slug(change: Change, slug: str) -> None:
    """Take the public id that a cloud gave us; certificates name it, so they are made anew."""
    session = change.session
    community = get_community(session)
    if community.slug == slug:
        return
    community.slug = slug
    recertify(session, change.safe, slug, now())


def make_slug(name: str) -> str:
    """Return a public id made from a name: `sunny-court-4f2a`."""
    words = _NOT_SLUG.sub("-", name.lower()).strip("-")[:MAX_SLUG_WORDS].strip("-")
    return f"{words or 'community'}-{secrets.token_hex(2)}"
