"""The events there are. Ids and codes alone: no name, phone, plate or note ever stands in one.

The classes grow as messages do: a new field goes last and has a default; what a field means never
changes.
"""

from dataclasses import asdict, dataclass
from typing import ClassVar


@dataclass(frozen=True)
class EventBody:
    """Base of all events; `kind` is stable and part of MQTT's topics."""

    kind: ClassVar[str] = ""

    def as_json(self) -> dict[str, object]:
        """Return the fields as they are sent."""
        return asdict(self)


@dataclass(frozen=True)
class EntryMade(EventBody):
    """A decision at a door; fields as of the entry log. `at` is Unix milliseconds, 0 unknown."""

    kind: ClassVar = "entry"

    number: int
    entry: str
    door: str
    at: int
    direction: str
    person: str
    category: str
    credential: str
    granted: bool
    reason: str


@dataclass(frozen=True)
class AlarmEvent(EventBody):
    """What all news of one alarm says; `door` is empty for this server's own."""

    alarm: str
    door: str
    what: str
    severity: str


@dataclass(frozen=True)
class AlarmRaised(AlarmEvent):
    """An alarm has begun."""

    kind: ClassVar = "alarm-raised"


@dataclass(frozen=True)
class AlarmEnded(AlarmEvent):
    """The cause of an alarm is gone; `by` is the member of staff whose word ended it, or empty."""

    kind: ClassVar = "alarm-ended"

    by: str = ""


@dataclass(frozen=True)
class AlarmAcknowledged(AlarmEvent):
    """A member of staff has seen an alarm."""

    kind: ClassVar = "alarm-acknowledged"

    by: str = ""


@dataclass(frozen=True)
class AlarmEscalated(AlarmEvent):
    """Nobody has taken notice of an alarm in time: by the first step's, or the second's."""

    kind: ClassVar = "alarm-escalated"

    step: int = 1


@dataclass(frozen=True)
class RosterChanged(EventBody):
    """A door was told whom it lets in: `people` are new or changed there, `removed` are gone.

    `replaced` says that the door got a whole roster instead; no ids are listed then.
    """

    kind: ClassVar = "roster-changed"

    door: str
    version: int
    people: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    replaced: bool = False


@dataclass(frozen=True)
class Tried(EventBody):
    """Nothing has happened: staff have asked for a test of one webhook."""

    kind: ClassVar = "test"


KINDS = (
    EntryMade.kind,
    AlarmRaised.kind,
    AlarmEnded.kind,
    AlarmAcknowledged.kind,
    AlarmEscalated.kind,
    RosterChanged.kind,
)
"""Every kind that can be asked for, in the order pages list them."""
