"""What a door may call for help about; stable codes that the wire, the log and the pages show."""

from enum import StrEnum


class AlarmKind(StrEnum):
    """Kinds of alarm. One of a kind at a time at each door."""

    FIRE = "fire"
    FORCED_OPEN = "forced-open"
    HELD_OPEN = "held-open"
    CASE_TAMPER = "case-tamper"
    INPUT_LOST = "input-lost"
    ENTRIES_FILLING = "entries-filling"
    DISK_LOW = "disk-low"
    CAMERA_LOST = "camera-lost"
    CARD_READER_LOST = "card-reader-lost"
    DOOR_OFFLINE = "door-offline"
    CALL_MISSED = "call-missed"


class EntryRemark(StrEnum):
    """What was noticed about an entry after it was made: a note, not a refusal."""

    NOT_PASSED = "not-passed"
    TAILGATING = "tailgating"
    PASSBACK = "passback"
