"""What a door may call for help about; stable codes that the wire, the log and the pages show."""

from enum import StrEnum


class AlarmKind(StrEnum):
    """Kinds of alarm. One of a kind at a time at each door or the server, or about each person."""

    FIRE = "fire"
    FORCED_OPEN = "forced-open"
    HELD_OPEN = "held-open"
    CASE_TAMPER = "case-tamper"
    INPUT_LOST = "input-lost"
    ENTRIES_FILLING = "entries-filling"
    DISK_LOW = "disk-low"
    CAMERA_LOST = "camera-lost"
    CAMERA_BLIND = "camera-blind"
    """It sends pictures on which there is nothing."""
    CARD_READER_LOST = "card-reader-lost"
    DOOR_OFFLINE = "door-offline"
    CALL_MISSED = "call-missed"
    STRANGERS = "strangers"
    """Nobody that is known, refused again and again."""
    OVERSTAY = "overstay"
    """A service worker is inside for longer than allowed."""
    ROSTER_BEHIND = "roster-behind"
    LEASE_ENDING = "lease-ending"
    CLOCK_UNKNOWN = "clock-unknown"
    SERVER_DISK_LOW = "server-disk-low"
    NEWS_UNDELIVERED = "news-undelivered"
    """Another system has not taken what it was to be told."""
    BACKUP_OLD = "backup-old"
    """The server's own backups do not succeed any more."""
    FILING_NEAR = "filing-near"
    """So many people's faces are stored that filing with the authority comes near."""
    ASSESSMENT_MISSING = "assessment-missing"
    """Faces are in use, and nobody has signed an impact assessment."""
    ASSESSMENT_CHANGED = "assessment-changed"
    """The configuration is another than the one that was signed last."""


class EntryRemark(StrEnum):
    """What was noticed about an entry after it was made: a note, not a refusal."""

    NOT_PASSED = "not-passed"
    TAILGATING = "tailgating"
    PASSBACK = "passback"
