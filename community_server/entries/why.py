"""Why was somebody not let in? Their last refusals, what else the doors saw, and how they stand.

Nobody's way is followed here: refusals alone, of the last day and a half, so no reason is asked
for. Each look at a person is in the audit log all the same.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from access_rules.calendars import Admission
from access_rules.decision import DecisionReason
from access_rules.people import Credential
from community_server.alarms.rules import offline_after_s
from community_server.alarms.tables import Alarm
from community_server.doors.routes import ListedDoor
from community_server.entries.service import Namer, ShownEntry, show_entries
from community_server.entries.tables import Entry
from community_server.people.routes import ListedPerson

GRANTING: Final = frozenset(
    {
        DecisionReason.WITHIN_RULES,
        DecisionReason.LEASE_AGEING,
        DecisionReason.LEASE_ENDING,
        DecisionReason.OPENED_REMOTELY,
        DecisionReason.EXIT_BUTTON,
        DecisionReason.FIRE_RELEASE,
    }
)
"""Reasons of openings; every other one keeps a door shut, and has its advice."""

BACK: Final = 36 * 3600
"""Seconds before the time stated that refusals are looked for, and ..."""
AHEAD: Final = 3600
"""... after it: people are not sure when it was."""
AROUND: Final = 1800
"""Seconds before and after in which somebody whom a door did not know may have been them."""
RECENT: Final = 48 * 3600
"""What is longer ago than this takes a stated reason, in the log."""
MOST: Final = 20
"""Refusals that are shown, the newest."""
_CLOSED: Final = {Admission.OUTSIDE: "outside-hours", Admission.HOLIDAY: "on-holiday"}
LATE: Final = 120
"""Seconds after which an entry shows that its door had been cut off."""


@dataclass(frozen=True)
class Evidence:
    """What else is known of a refusal, as a code with what its sentence needs."""

    code: str
    minutes: int = 0
    at: int = 0


@dataclass(frozen=True)
class Explained:
    """One refusal and what is known about it."""

    entry: ShownEntry
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True)
class Obstacle:
    """What stands in somebody's way now, as a code, and at which door; empty for every door."""

    code: str
    door: str = ""


@dataclass(frozen=True)
class Standing:
    """How a person's access looks now: which doors, and what stands in the way."""

    person: ListedPerson = field(repr=False)
    doors: list[str]
    every_door: bool
    obstacles: list[Obstacle]


def refusals_of(
    session: Session, name_of: Namer, person: ListedPerson, near: int
) -> list[Explained]:
    """Return a person's refusals about a time (Unix seconds), the newest first."""
    span = (near - BACK, near + AHEAD)
    found = _refused(session, name_of, Entry.person_id == person.person, span)
    return [explain(session, entry, person) for entry in found]


def unknown_near(session: Session, name_of: Namer, near: int, door: str) -> list[Explained]:
    """Return who was refused without being known about a time, at one door or at all."""
    unknown = (Entry.person_id == "") & (Entry.credential != Credential.NONE.value)
    if door:
        unknown &= Entry.door_id == door
    found = _refused(session, name_of, unknown, (near - AROUND, near + AROUND))
    return [explain(session, entry) for entry in found]


def explain(session: Session, entry: ShownEntry, person: ListedPerson | None = None) -> Explained:
    """Return what else is known about a refusal, and of the person if it is one's."""
    found: list[Evidence] = []
    late = entry.received_at - entry.at // 1000
    if entry.time_known and late > LATE:
        found.append(Evidence("arrived-late", minutes=late // 60))
    elif _was_offline(session, entry):
        found.append(Evidence("door-offline"))
    if person is not None and person.has_face and person.face_since * 1000 > entry.at:
        found.append(Evidence("face-since", at=person.face_since))
    return Explained(entry, tuple(found))


def standing(
    person: ListedPerson,
    limited: frozenset[str] | None,
    hours: Mapping[str, Admission],
    doors: Sequence[ListedDoor],
    now: int,
    door: str,
) -> Standing:
    """Say how a person's access looks now.

    Args:
        person: as lists show them.
        limited: the doors they may use at some hour or other; None for every door.
        hours: whether it is their hour now at each of those.
        doors: all doors.
        now: Unix seconds.
        door: the one that it is about; empty for all.
    """
    usable = [one for one in doors if limited is None or one.door in limited]
    found = [Obstacle(code) for code in _own_obstacles(person, now)]
    if limited is not None and not usable:
        found.append(Obstacle("no-door"))
    found += _closed(usable, hours, door)
    for one in doors:
        if one.door == door and one not in usable:
            found.append(Obstacle("not-this-door", one.name))
        elif one.paired and (one.door == door or (not door and one in usable)):
            found += (Obstacle(code, one.name) for code in _door_obstacles(one))
    return Standing(person, [one.name for one in usable], limited is None, found)


def _closed(
    usable: Sequence[ListedDoor], hours: Mapping[str, Admission], door: str
) -> Iterator[Obstacle]:
    """Say where it is not their hour; where that is so at every door, once."""
    closed = [one for one in usable if hours.get(one.door, Admission.OPEN) in _CLOSED]
    if not door and len(closed) > 1 and len(closed) == len(usable):
        holiday = all(hours[one.door] is Admission.HOLIDAY for one in closed)
        yield Obstacle("holiday-everywhere" if holiday else "hours-everywhere")
        return
    for one in closed:
        if door in {"", one.door}:
            yield Obstacle(_CLOSED[hours[one.door]], one.name)


def _own_obstacles(person: ListedPerson, now: int) -> list[str]:
    second = person.second_credential and person.has_face
    stands = {
        "suspended": person.suspended or person.company_suspended,
        "not-yet-valid": person.valid_from > now,
        "validity-over": 0 < person.valid_until <= now,
        "waiting": person.waiting,
        _without_face(person, now): not person.has_face,
        "face-fading": person.face_fading,
        "one-photo": person.has_face and person.face_photos == 1 and not person.face_fading,
        "needs-pin": second and person.has_pin,
        "needs-pin-none": second and not person.has_pin,
    }
    return [code for code, so in stands.items() if code and so]


def _without_face(person: ListedPerson, now: int) -> str:
    """Say why the doors cannot recognise somebody; empty while the desk has to decide first."""
    if person.face_outdated:
        return "face-outdated"
    if person.has_pin or person.has_pass or person.cards:
        return "no-face"
    if person.waiting:
        return ""
    if person.invited_until:
        return "invited" if person.invited_until > now else "link-over"
    return "nothing-to-show"


def _door_obstacles(door: ListedDoor) -> list[str]:
    if not door.connected:
        return ["door-not-connected"]
    return [] if door.in_step else ["door-not-in-step"]


def _refused(
    session: Session, name_of: Namer, whose: ColumnElement[bool], span: tuple[int, int]
) -> list[ShownEntry]:
    query = (
        select(Entry.number)
        .where(
            whose,
            ~Entry.granted,
            Entry.at >= span[0] * 1000,
            Entry.at < span[1] * 1000,
        )
        .order_by(Entry.at.desc(), Entry.number.desc())
        .limit(MOST)
    )
    return show_entries(session, name_of, session.scalars(query).all())


def _was_offline(session: Session, entry: ShownEntry) -> bool:
    found = session.scalar(
        select(Alarm.alarm).where(
            Alarm.door_id == entry.door,
            Alarm.kind == AlarmKind.DOOR_OFFLINE.value,
            Alarm.raised_at - offline_after_s(session) * 1000 <= entry.at,
            or_(Alarm.cleared_at == 0, Alarm.cleared_at >= entry.at),
        )
    )
    return found is not None
