"""How the backups are doing, and trying out the recovery kit."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.backups.making import find_note
from community_server.backups.recovery_key import read_kit
from community_server.change import Change
from community_server.database import now
from community_server.errors import BackupRefused, InputRefused
from community_server.keys.root import root_key
from community_server.settings import Settings
from community_server.setup.community import get_community
from tier_link.certificates import root_public_bytes

OVERDUE_S: Final = 2 * 24 * 3600
"""Seconds after which the last backup is old: one daily round was missed, and so was the next."""


@dataclass(frozen=True)
class BackupState:
    """How the backups are doing; times are Unix seconds, 0 for never.

    `folder` is where the server itself puts them daily, empty where it does not; `why` the code of
    what went wrong at the last try.
    """

    folder: str
    made_at: int
    file: str
    tried_at: int
    why: str
    overdue: bool
    kit_checked_at: int

    @property
    def fine(self) -> bool:
        """Whether nobody has to do anything."""
        return not self.overdue and bool(self.kit_checked_at)


def state_of(session: Session, settings: Settings) -> BackupState:
    """Return how the backups are doing.

    Raises:
        NotSetUp: set-up has not been done.
    """
    community, note = get_community(session), find_note(session)
    made_at = note.made_at if note else 0
    return BackupState(
        folder=str(settings.backup_folder or ""),
        made_at=made_at,
        file=note.file if note else "",
        tried_at=note.tried_at if note else 0,
        why=note.why if note else "",
        overdue=now() - (made_at or community.created_at) > OVERDUE_S,
        kit_checked_at=community.kit_checked_at,
    )


def age_of_backup(session: Session) -> int:
    """Return the seconds since the last backup, or since set-up where there is none."""
    note = find_note(session)
    return now() - ((note.made_at if note else 0) or get_community(session).created_at)


def check_kit(change: Change, staff: str, secret: str) -> None:
    """Note that the recovery kit was found and can be read: set-up is complete by that.

    Raises:
        InputRefused: `kit-mistyped`, or `kit-foreign`: another community's.
        NotSetUp: set-up has not been done.
    """
    try:
        kit = read_kit(secret)
    except BackupRefused as refused:
        raise InputRefused(str(refused), field="secret", code=refused.code) from refused
    if kit.root_public != root_public_bytes(root_key(change.session, change.safe)):
        raise InputRefused(
            "the recovery kit of another community", field="secret", code="kit-foreign"
        )
    note_kit_checked(change.session, staff)


def note_kit_checked(session: Session, staff: str) -> None:
    """Note that the kit opened a backup, or was typed and right."""
    get_community(session).kit_checked_at = now()
    audit(session, staff, "check-kit")
