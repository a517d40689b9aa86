"""Retiring keys before their time, because one may have leaked: another takes their place at once.

What each can and cannot undo: passes are refused by every door that has heard; browsers get another
envelope key with the next page, but whoever holds a leaked one reads what was sealed to it; a
receipt that was signed from a stated moment on is not believed by whoever has the list of retired
keys.
"""

from dataclasses import dataclass
from typing import Final, cast, get_args

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.change import Change
from community_server.cloud_news import publish_profile
from community_server.database import now
from community_server.errors import InputRefused, NotFound
from community_server.keys.certified import DAY, Use, destroy_private, has_newest, make_key
from community_server.keys.root import root_key
from community_server.keys.tables import CertifiedKey
from community_server.passes.service import take_pass_back
from community_server.passes.tables import Pass
from community_server.receipts.tables import Erasure
from community_server.setup.community import find_community, get_community
from tier_link.retired_keys import RetiredKey, RetiredKeys, sign_retired_keys
from tier_link.store import LinkStore

USES: Final[tuple[Use, ...]] = get_args(Use)
_PUBLISHED: Final = frozenset({"envelope", "reply"})


@dataclass(frozen=True)
class ShownKey:
    """One key that still counts, or was retired. Times are Unix seconds, 0 for never."""

    key: str
    use: str
    not_before: int
    not_after: int
    retired_at: int


@dataclass(frozen=True)
class Retired:
    """How many keys were retired, and whose passes do not hold any more."""

    keys: int
    people: list[str]


def list_keys(session: Session) -> list[ShownKey]:
    """Return the keys whose certificates hold, and all that were retired, the newest first."""
    rows = session.scalars(
        select(CertifiedKey)
        .where(or_(CertifiedKey.not_after > now(), CertifiedKey.retired_at != 0))
        .order_by(CertifiedKey.purpose, CertifiedKey.not_before.desc(), CertifiedKey.id)
    )
    return [
        ShownKey(row.id, row.purpose, row.not_before, row.not_after, row.retired_at) for row in rows
    ]


def retire(
    change: Change, links: LinkStore, staff: str, use: str, *, since: int, unsealed_uploads: bool
) -> Retired:
    """Retire all keys of one use that held at `since` or later (Unix seconds; 0 is now).

    Raises:
        NotFound: `key-use-unknown`.
        InputRefused: `time-unreadable`, `since` lies ahead.
    """
    if use not in USES:
        raise NotFound("no such use of keys", code="key-use-unknown")
    session, moment = change.session, now()
    since = since or moment
    if since > moment:
        raise InputRefused("not in the future", field="since", code="time-unreadable")
    rows = session.scalars(
        select(CertifiedKey)
        .where(
            CertifiedKey.purpose == use,
            CertifiedKey.retired_at == 0,
            CertifiedKey.not_after > since,
        )
        .with_for_update()
    ).all()
    for row in rows:
        _end(change, row, since, moment)
    people = _take_fixed_passes_back(change, moment) if use == "pass" else []
    if use == "receipt":  # ours, too, would not be believed: they are signed anew
        _sign_anew(session, since)
    make_key(session, change.safe, use, get_community(session).slug, moment)
    audit(session, staff, "retire-keys", use, f"keys={len(rows)} since={since}")
    _tell(change, links, use, unsealed_uploads=unsealed_uploads)
    return Retired(len(rows), people)


def retire_again(change: Change, key: str, since: int) -> None:
    """Retire a key that had been retired before a backup was put back."""
    row = change.session.get(CertifiedKey, key, with_for_update=True)
    if row is None or row.retired_at:
        return
    _end(change, row, since, now())
    if row.purpose == "pass":
        _take_fixed_passes_back(change, since)
        change.reconfigure()
    use, community = cast("Use", row.purpose), find_community(change.session)
    if community is not None and not has_newest(change.session, use):
        make_key(change.session, change.safe, use, community.slug, now())


def signed_list(change: Change) -> str:
    """Return the list of retired receipt keys, signed by the root, as text."""
    session = change.session
    rows = session.scalars(
        select(CertifiedKey)
        .where(CertifiedKey.purpose == "receipt", CertifiedKey.retired_at != 0)
        .order_by(CertifiedKey.retired_at, CertifiedKey.id)
    )
    keys = tuple(RetiredKey(row.id, row.retired_at) for row in rows)
    stated = RetiredKeys(1, get_community(session).slug, now(), keys)
    return sign_retired_keys(stated, root_key(session, change.safe))


def _end(change: Change, row: CertifiedKey, since: int, moment: int) -> None:
    row.retired_at = since
    if row.purpose == "envelope":
        # For what was sealed to it and is on its way; a cloud keeps an envelope for a day.
        row.destroy_after = min(row.destroy_after, moment + DAY)
    elif row.private is not None:
        destroy_private(change.session, change.safe, row)
        change.wipe()
    change.record("key-retired", row.id, since)


def _take_fixed_passes_back(change: Change, moment: int) -> list[str]:
    """Take back the passes that such keys have signed; phones that change codes sign their own."""
    held = select(Pass.person_id).where(
        Pass.person_id.is_not(None),
        Pass.phone_key == b"",
        Pass.revoked_at == 0,
        Pass.ends > moment,
    )
    people = sorted({one for one in change.session.scalars(held) if one is not None})
    for person in people:
        take_pass_back(change, person)
    return people


def _sign_anew(session: Session, since: int) -> None:
    for row in session.scalars(select(Erasure).where(Erasure.settled_at >= since)):
        row.receipt, row.settled_at = "", 0


def _tell(change: Change, links: LinkStore, use: str, *, unsealed_uploads: bool) -> None:
    if use == "pass":
        change.reconfigure()
    elif use in _PUBLISHED and get_community(change.session).cloud_key is not None:
        publish_profile(change, links, unsealed_uploads=unsealed_uploads)
