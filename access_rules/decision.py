"""May this person pass this door now? One pure function, with a reason for every answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum

from access_rules.calendars import Admission, Hours, SpecialDays, admission
from access_rules.leases import USUAL_LEASES, LeasePolicy, LeaseState
from access_rules.people import Category, Credential, Direction, Person
from access_rules.schedules import within


class DecisionReason(StrEnum):
    """Why a door opened or stayed shut; stable codes that the log and the pages show."""

    # A grant says how sure the roster behind it was.
    WITHIN_RULES = "within-rules"
    LEASE_AGEING = "lease-ageing"
    LEASE_ENDING = "lease-ending"

    # Somebody of the staff answers for whoever stands there.
    OPENED_REMOTELY = "opened-remotely"
    REFUSED_BY_STAFF = "refused-by-staff"

    # Nobody asked to be let in: the way out is never kept from anybody.
    EXIT_BUTTON = "exit-button"
    FIRE_RELEASE = "fire-release"

    # The estate lets nobody in, whoever it is.
    LOCKED_DOWN = "locked-down"

    # What was shown did not tell who is there.
    NOT_RECOGNIZED = "not-recognized"
    FACE_UNCLEAR = "face-unclear"
    PIN_WRONG = "pin-wrong"
    PIN_LOCKED = "pin-locked"
    CREDENTIAL_UNKNOWN = "credential-unknown"
    CREDENTIAL_NOT_ACCEPTED = "credential-not-accepted"
    CREDENTIALS_DISAGREE = "credentials-disagree"
    SECOND_CREDENTIAL_NEEDED = "second-credential-needed"
    MATCHING_UNAVAILABLE = "matching-unavailable"
    CARDS_LOCKED = "cards-locked"
    PASS_MALFORMED = "pass-malformed"  # noqa: S105 - a code
    PASS_FOREIGN = "pass-foreign"  # noqa: S105 - a code
    PASS_FORGED = "pass-forged"  # noqa: S105 - a code
    PASS_STALE = "pass-stale"  # noqa: S105 - a code
    SPOOF_SUSPECTED = "spoof-suspected"
    LIVENESS_UNPROVEN = "liveness-unproven"

    # Who is there is known, and may not pass.
    PASS_REVOKED = "pass-revoked"  # noqa: S105 - a code
    PASS_USED_UP = "pass-used-up"  # noqa: S105 - a code
    NOT_FOR_THIS_DOOR = "not-for-this-door"
    SUSPENDED = "suspended"
    WRONG_DIRECTION = "wrong-direction"
    NOT_YET_VALID = "not-yet-valid"
    VALIDITY_OVER = "validity-over"
    OUTSIDE_SCHEDULE = "outside-schedule"
    CLOSED_ON_HOLIDAY = "closed-on-holiday"
    TIME_UNKNOWN = "time-unknown"
    LEASE_OVER = "lease-over"

    # The door cannot keep the record that an opening needs, knows nobody until the server has given
    # it its key, or is too late to open for anyone.
    NOT_RECORDABLE = "not-recordable"
    KEY_AWAITED = "key-awaited"
    TOO_LATE = "too-late"


class Liveness(StrEnum):
    """What the door saw: a face, or a picture of one."""

    UNASKED = ""
    LIVE = "live"
    SPOOF = "spoof"
    UNDECIDED = "not-enough-evidence"


class LivenessPolicy(StrEnum):
    """What a door makes of it.

    From `OPEN` on pictures are refused; the value says what not enough evidence leads to.
    """

    OFF = "off"
    OBSERVE = "observe"
    OPEN = "open"
    CHALLENGE = "challenge"
    SECOND = "second"

    @property
    def required(self) -> bool:
        """Whether it bears on decisions."""
        return self not in {LivenessPolicy.OFF, LivenessPolicy.OBSERVE}


@dataclass(frozen=True, slots=True)
class Granted:
    """The door may open, once."""

    reason: DecisionReason


@dataclass(frozen=True, slots=True)
class Denied:
    """The door stays shut."""

    reason: DecisionReason


Decision = Granted | Denied


@dataclass(frozen=True, slots=True)
class PassUse:
    """What is to be counted of a pass when it opens.

    Attributes:
        pass_id: The pass, 16 hex characters.
        uses: How often it opens this door; 0 is any number.
        step: Of a code that changes, its number; each opens a door once. 0 for any other.
    """

    pass_id: str
    uses: int = 0
    step: int = 0


@dataclass(frozen=True, slots=True)
class Shown:
    """One credential as shown, and whom it names.

    Attributes:
        credential: What was shown.
        person: Whom it names at this door; None when it names nobody.
        problem: With `person` None, a more exact reason than the credential's usual one.
        liveness: Of a face.
        use: Of a pass that the estate made.
    """

    credential: Credential
    person: Person | None
    problem: DecisionReason | None = None
    liveness: Liveness = Liveness.UNASKED
    use: PassUse | None = None


@dataclass(frozen=True, slots=True)
class DoorRules:
    """What this door accepts.

    Attributes:
        zone: The estate's time zone, for weekly windows.
        direction: Which way the door lets people through.
        accepts: Credentials that count here.
        leases: How long the roster may be trusted.
        face_needs_second: A face alone is not enough here; other credentials are.
        liveness: What is asked of a face.
        locked_down: The estate is locked down: nothing that is shown opens.
        groups: Hours of the groups that name this door, by the group's number.
        days: Days that are unlike others.
    """

    zone: tzinfo
    direction: Direction = Direction.BOTH
    accepts: frozenset[Credential] = frozenset({Credential.FACE, Credential.PIN})
    leases: LeasePolicy = USUAL_LEASES
    face_needs_second: bool = False
    liveness: LivenessPolicy = LivenessPolicy.OFF
    locked_down: bool = False
    groups: Mapping[int, Hours] = field(default_factory=dict)
    days: SpecialDays = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Moment:
    """What the door knows about now.

    Attributes:
        unix: Effective time in seconds since 1970; None when the door cannot know it.
        floor: It is certainly not earlier than this.
        news_age: Seconds since the server's last word (powered seconds while the time is unknown);
            None when there never was one.
    """

    unix: int | None
    floor: int
    news_age: int | None


_GRANTED_BY = {
    LeaseState.AGEING: DecisionReason.LEASE_AGEING,
    LeaseState.ENDING: DecisionReason.LEASE_ENDING,
}
_OUTSIDE = {
    Admission.OUTSIDE: DecisionReason.OUTSIDE_SCHEDULE,
    Admission.HOLIDAY: DecisionReason.CLOSED_ON_HOLIDAY,
}
_UNNAMED = {
    Credential.FACE: DecisionReason.NOT_RECOGNIZED,
    Credential.PIN: DecisionReason.PIN_WRONG,
    Credential.PASS: DecisionReason.CREDENTIAL_UNKNOWN,
    Credential.CARD: DecisionReason.CREDENTIAL_UNKNOWN,
    Credential.NONE: DecisionReason.CREDENTIAL_UNKNOWN,
}


def decide(
    shown: tuple[Shown, ...], rules: DoorRules, moment: Moment, direction: Direction
) -> Decision:
    """Decide whether what was shown opens this door now.

    Args:
        shown: The credentials of one attempt, oldest first; at least one.
        rules: The door's rules.
        moment: What the door knows about now.
        direction: Which way the person wants through.

    Raises:
        ValueError: Nothing was shown.
    """
    if not shown:
        raise ValueError("an attempt shows at least one credential")
    if rules.locked_down:
        return Denied(DecisionReason.LOCKED_DOWN)
    refusal = _refused_credentials(shown, rules)
    person = shown[-1].person
    if refusal is not None or person is None:
        return Denied(refusal or _UNNAMED[shown[-1].credential])
    refusal = _refused_liveness(shown, rules) or _refused_person(person, rules, moment, direction)
    if refusal is not None:
        return Denied(refusal)
    kinds = {one.credential for one in shown}
    faces_need_second = rules.face_needs_second or (
        rules.liveness is LivenessPolicy.SECOND and _unproven(shown)
    )
    one_only = person.second_credential or (faces_need_second and Credential.FACE in kinds)
    if one_only and len(kinds) == 1:
        return Denied(DecisionReason.SECOND_CREDENTIAL_NEEDED)
    lease = rules.leases.state(person.category, moment.news_age)
    return Granted(_GRANTED_BY.get(lease, DecisionReason.WITHIN_RULES))


def _refused_credentials(shown: tuple[Shown, ...], rules: DoorRules) -> DecisionReason | None:
    """Find what is wrong with the credentials themselves; the newest speaks first."""
    for one in reversed(shown):
        if one.credential not in rules.accepts:
            return DecisionReason.CREDENTIAL_NOT_ACCEPTED
        if one.person is None:
            return one.problem or _UNNAMED[one.credential]
    if len({one.person.person for one in shown if one.person is not None}) > 1:
        return DecisionReason.CREDENTIALS_DISAGREE
    return None


def _unproven(shown: tuple[Shown, ...]) -> bool:
    """Say whether a face was shown of which it is not known that it is one."""
    return any(
        one.credential is Credential.FACE and one.liveness is not Liveness.LIVE for one in shown
    )


def _refused_liveness(shown: tuple[Shown, ...], rules: DoorRules) -> DecisionReason | None:
    """Refuse pictures before anything is said about the person whom they show."""
    if not rules.liveness.required:
        return None
    if any(one.liveness is Liveness.SPOOF for one in shown):
        return DecisionReason.SPOOF_SUSPECTED
    if rules.liveness is LivenessPolicy.CHALLENGE and _unproven(shown):
        return DecisionReason.LIVENESS_UNPROVEN
    return None


def _refused_person(  # noqa: PLR0911 - one line per rule, in their order
    person: Person, rules: DoorRules, moment: Moment, direction: Direction
) -> DecisionReason | None:
    """Find what keeps a known person out, the most lasting reason first."""
    if person.suspended:
        return DecisionReason.SUSPENDED
    if not rules.direction.covers(direction):
        return DecisionReason.WRONG_DIRECTION
    if person.validity.is_over(moment.floor if moment.unix is None else moment.unix):
        return DecisionReason.VALIDITY_OVER
    if rules.leases.state(person.category, moment.news_age) is LeaseState.OVER:
        return DecisionReason.LEASE_OVER
    hours = [rules.groups[one] for one in person.groups if one in rules.groups]
    if person.groups and not hours:
        return DecisionReason.NOT_FOR_THIS_DOOR
    if moment.unix is None:
        limited = bool(hours) and all(one.windows for one in hours)
        needs_time = limited or _needs_time(person, moment.floor)
        return DecisionReason.TIME_UNKNOWN if needs_time else None
    if not person.validity.has_begun(moment.unix):
        return DecisionReason.NOT_YET_VALID
    if not within(person.windows, moment.unix, rules.zone):
        return DecisionReason.OUTSIDE_SCHEDULE
    if hours:
        return _OUTSIDE.get(admission(hours, moment.unix, rules.zone, rules.days))
    return None


def _needs_time(person: Person, floor: int) -> bool:
    """Say whether this person cannot be judged by a door that only knows a lower bound of time."""
    return (
        person.category is not Category.RESIDENT
        or bool(person.windows)
        or person.validity.ends != 0
        or not person.validity.has_begun(floor)
    )
