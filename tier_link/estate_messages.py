"""What server and door tell each other, by lane.

Durable, server to door: roster, configuration, lockdown. Durable, door to server: entries, remarks
on them, alarms. Latest values: presence, scores, fading faces and who rings up, news down. Requests
up: a match for a door too weak to make its own, a face renewed from what a door has just seen, a
door's key; down: the end of a fire release, an opening at the word of staff, a call refused.
"""

import hashlib
from collections.abc import Iterable
from typing import Annotated, Literal, TypeAlias

import msgspec
from msgspec import Meta

from tier_link.cards import KEY_SIZE, MOST_CARDS, TAG_SIZE
from tier_link.envelopes import GivenConsent
from tier_link.ledger import LedgerPart, LedgerWanted, LedgerWritten
from tier_link.messages import Code, Count, HexId, Message, Sequence, UnixSeconds, Vocabulary
from tier_link.relay_messages import CarriedCertificate, ConsentText

PEOPLE_PER_PART = 500
"""People in one message: with 512-dimensional templates some 1 MiB, one short transaction."""
MOST_REMOVED = 10_000
"""People who leave a roster with one message."""
MAX_DIMENSION = 1024
"""Longest template in numbers; today's models give 128 and 512."""
MAX_CROPS = 4
"""Aligned faces in one match request."""
MAX_CROP = 14 * 1024
"""Bytes of one aligned face: JPEG of quality 95 at 112 x 112 needs 5 to 10 KiB, and
`MAX_CROPS` of them fit one frame."""
MOST_FADING = 500
"""Ids in one `FacesFading`: more than any desk could invite anew in a day."""
MOST_PASS_KEYS = 16
"""Pass keys that a door goes by: one a month, each for as long as its last pass."""
MOST_REVOKED = 20_000
"""Ids in one configuration: with it a record stays far below its 8 MiB."""
MOST_RENEWAL_TEXTS = 4
"""Languages of one text; today two."""
LEAST_RENEWAL_CROPS = 2
"""Pictures that a face is renewed from: one alone may be a lucky one, of somebody else even."""
MAX_CALL_STILL = 56 * 1024
"""Bytes of one picture of whoever rings: 480 pixels wide it needs half, and it fits one frame."""
MOST_ADDRESSES = 4
"""Of one estate's servers: the one that serves, its standby, and two for the time of a move."""
SCORE_BINS = 100
"""Bins of `ScoresCounted`."""

MOST_GROUPS = 500
"""Groups of one estate: a door may be told of all of them."""
MOST_GROUPS_EACH = 32
"""Groups of one person."""
MOST_WINDOWS = 64
"""Windows of one schedule: nine on each day."""
MOST_DAYS = 500
"""Days that are unlike others: a dozen years of China's holidays."""
MOST_LOOKING_HOURS = 32
"""Windows of a week in which a door looks for faces: four on each day."""

Text64: TypeAlias = Annotated[str, Meta(max_length=64)]
PersonId: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]
"""A person's id, 32 hex characters; empty where nobody was recognised."""
CallId: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{32})?\Z")]
"""A call's id, drawn by the door; empty for none."""
PassId: TypeAlias = Annotated[str, Meta(pattern=r"^([0-9a-f]{16})?\Z")]
"""A pass's id, 16 hex characters; empty where there is none."""
CardTag: TypeAlias = Annotated[bytes, Meta(min_length=TAG_SIZE, max_length=TAG_SIZE)]
"""A card's number, hashed under the estate's key: see `tier_link.cards`."""
GroupNumber: TypeAlias = Annotated[int, Meta(ge=1, le=2**31 - 1)]
"""Names an access group; never used again for another."""
Weekday: TypeAlias = Literal[
    "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"
]
HolidayRule: TypeAlias = Literal["usual", "closed"] | Weekday
"""What holds on a holiday: the hours of its weekday, none, or those of the weekday named."""
RosterVersion: TypeAlias = Count
LockdownNumber: TypeAlias = Count
"""Counts the estate's words for a lockdown and for its end; 0 before the first."""
Hash: TypeAlias = Annotated[bytes, Meta(min_length=32, max_length=32)]
TemplateBytes: TypeAlias = Annotated[bytes, Meta(max_length=4 * MAX_DIMENSION)]
TemplateSpace: TypeAlias = Annotated[str, Meta(max_length=128)]
Category: TypeAlias = Literal["resident", "visitor", "service"]
Direction: TypeAlias = Literal["in", "out", "both"]
Mode: TypeAlias = Literal["auto", "local", "remote", "hybrid"]
LivenessPolicy: TypeAlias = Literal["off", "observe", "open", "challenge", "second"]
ScoreCount: TypeAlias = Annotated[int, Meta(ge=0, le=1_000_000)]
Minute: TypeAlias = Annotated[int, Meta(ge=0, le=1440)]
Milliseconds: TypeAlias = Annotated[int, Meta(ge=0, le=3_600_000)]
LivenessSeen: TypeAlias = Annotated[str, Meta(pattern=r"^(live|spoof|not-enough-evidence)?\Z")]
"""What a door saw, a face or a picture of one; empty when it did not look."""
Crop: TypeAlias = Annotated[bytes, Meta(min_length=1, max_length=MAX_CROP)]
"""An aligned face, 112 x 112, JPEG or PNG."""
Lasted: TypeAlias = Annotated[float, Meta(ge=0, le=2**40)]
"""Seconds since something began. Bounded, as what follows: MessagePack has an infinity, and pages
that reckon with it do not."""
Took: TypeAlias = Annotated[float, Meta(ge=0, le=1e9)]
"""Milliseconds that something took."""
PictureRate: TypeAlias = Annotated[float, Meta(ge=2, le=60)]
"""Pictures a second: with fewer than two, a face is forgotten from one to the next."""
PackName: TypeAlias = Annotated[str, Meta(pattern=r"^[a-z0-9_-]{0,64}\Z")]
"""A model pack's name; never a path, since a door loads what this names."""


ServerAddress: TypeAlias = Annotated[
    str,
    Meta(pattern=r"^https://([A-Za-z0-9._-]{1,200}|\[[0-9A-Fa-f:.]{2,45}\])(:[1-9][0-9]{0,4})?\Z"),
]
"""Where an estate's server is reached: `https://server:8443`, without a path."""


class WeeklyWindow(Message, frozen=True):
    """A span of minutes of the local day, on the weekdays of the mask (bit 0 is Monday).

    The end is exclusive, 1440 is midnight. A span whose end is not after its start runs across
    midnight and belongs to the day on which it starts.
    """

    weekday_mask: Annotated[int, Meta(ge=1, le=127)]
    start_minute: Minute
    end_minute: Minute


class RosterPerson(Message, frozen=True):
    """One person as a door needs them.

    Times are Unix seconds, `valid_until` 0 is open; no windows means always. `template` is
    float32 little-endian, unit length, already turned by the community's matrix, or empty.
    `pin` is an argon2id hash in PHC form, or empty. `unit` is what is entered with a PIN.
    `pass_id` names the person's pass; `pass_key` is the public key (compressed P-256 point) of
    the phone that shows it as changing codes, or empty. `cards` are the person's card numbers.
    `groups` are the person's access groups, all of them: of those that `DoorConfigured` names, any
    one's hours are enough, within `windows`; empty where no group is needed.
    """

    person: HexId
    category: Category
    unit: Text64
    valid_from: UnixSeconds = 0
    valid_until: UnixSeconds = 0
    windows: Annotated[tuple[WeeklyWindow, ...], Meta(max_length=64)] = ()
    template: TemplateBytes = b""
    pin: Annotated[str, Meta(max_length=200)] = ""
    second_credential: bool = False
    suspended: bool = False
    pass_id: PassId = ""
    pass_key: Annotated[bytes, Meta(max_length=33)] = b""
    cards: Annotated[tuple[CardTag, ...], Meta(max_length=MOST_CARDS)] = ()
    groups: Annotated[tuple[GroupNumber, ...], Meta(max_length=MOST_GROUPS_EACH)] = ()


class RosterSnapshot(Message, frozen=True, tag="roster-snapshot"):
    """Server to door: part `part` (from 0) of `parts` of the whole roster at `version`.

    The door puts the parts together and takes the new roster in one transaction.
    """

    version: RosterVersion
    part: Annotated[int, Meta(ge=0, le=10_000)]
    parts: Annotated[int, Meta(ge=1, le=10_001)]
    people: Annotated[tuple[RosterPerson, ...], Meta(max_length=PEOPLE_PER_PART)]


class RosterDelta(Message, frozen=True, tag="roster-delta"):
    """Server to door: what leads from roster version `version - 1` to `version`."""

    version: RosterVersion
    upserts: Annotated[tuple[RosterPerson, ...], Meta(max_length=PEOPLE_PER_PART)]
    removed: Annotated[tuple[HexId, ...], Meta(max_length=MOST_REMOVED)] = ()


class LeaseHours(Message, frozen=True):
    """Hours for which a door trusts its roster without news, by category."""

    resident: Annotated[int, Meta(ge=1, le=24 * 31)] = 72
    visitor: Annotated[int, Meta(ge=1, le=24 * 31)] = 12
    service: Annotated[int, Meta(ge=1, le=24 * 31)] = 12


class Zone(Message, frozen=True):
    """How large, how long and how straight a face must be seen to count as wanting in."""

    min_face_px: Annotated[int, Meta(ge=8, le=4000)] = 60
    """Pixels between the eyes."""
    dwell_ms: Milliseconds = 300
    max_yaw_deg: Annotated[float, Meta(ge=0, le=90)] = 35.0
    cooldown_s: Annotated[float, Meta(ge=0, le=3600)] = 5.0


class Looking(Message, frozen=True):
    """When a door looks for faces, and how often.

    Within `hours` of the estate's week (none: always) at most `rate` pictures a second; outside of
    them at most `slow_rate` (`slow`), or no face is looked for (`off`). PINs and cards work at any
    hour, and passes are read at any hour.
    """

    hours: Annotated[tuple[WeeklyWindow, ...], Meta(max_length=MOST_LOOKING_HOURS)] = ()
    outside: Literal["slow", "off"] = "slow"
    rate: PictureRate = 30.0
    slow_rate: PictureRate = 2.0


class GroupHours(Message, frozen=True):
    """When an access group may use this door: within `windows` (none: at any hour of any day)."""

    group: GroupNumber
    windows: Annotated[tuple[WeeklyWindow, ...], Meta(max_length=MOST_WINDOWS)] = ()
    on_holidays: HolidayRule = "usual"


class SpecialDay(Message, frozen=True):
    """A day of the estate's calendar, as YYYY-MM-DD, that is a holiday or counts as a weekday."""

    day: Annotated[str, Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")]
    counts_as: Literal["holiday"] | Weekday = "holiday"


class PassRules(Message, frozen=True):
    """By what a door judges passes; without a root it knows none.

    `certificates` are of the pass keys whose passes may still be shown, signed by `root` (an
    Ed25519 key, raw). `revoked` are passes that hold no longer, before their time is over.
    """

    community: Annotated[str, Meta(max_length=64)] = ""
    root: Annotated[bytes, Meta(max_length=32)] = b""
    certificates: Annotated[tuple[CarriedCertificate, ...], Meta(max_length=MOST_PASS_KEYS)] = ()
    revoked: Annotated[tuple[PassId, ...], Meta(max_length=MOST_REVOKED)] = ()


class DoorConfigured(Message, frozen=True, tag="door-configured"):
    """Server to door: its whole configuration; replaces the last one.

    `matrix` is the community's float32 little-endian square matrix, row by row, or empty;
    `threshold` the cosine above which a face counts as the person's; `frames` how many good
    frames make a probe; `attempts` how many growing probes one sighting may try, for which
    the threshold must allow; `time_zone` an IANA name; `face_needs_second` whether a face alone
    is not enough at this door; `ask_unknown` whether the server is to be asked about whoever is
    not recognised here, because it still knows faces by an earlier model; `liveness` what is made
    of faces that may be pictures: nothing (`off`), a note in the log (`observe`), or pictures are
    refused, and without enough evidence the door opens (`open`), asks for a turn of the head
    (`challenge`) or for a second credential (`second`); `pass_allowed` whether QR passes open it;
    `held_open_s` after how long an open door is an alarm; `reset_pin` the argon2id hash of the
    staff's PIN that ends a fire release at the door, or empty; `model_pack` the estate's pack,
    empty where a name alone does not say which; `renewal` the text, in each language, to which
    somebody agrees whose face is renewed at the door, empty where none is; `card_allowed` whether
    cards open it, and `card_key` the estate's key for their numbers, 32 bytes or empty;
    `face_needs_presence` whether a face counts only while an input says that somebody wants in;
    `looking` when faces are looked for, and how often; `groups` the access groups that name this
    door, with their hours, and `days` the days from yesterday on that are unlike others;
    `snapshots` whether a small picture of each face that is refused is wanted.
    """

    name: Text64
    mode: Mode
    direction: Direction
    template_space: TemplateSpace
    matrix: Annotated[bytes, Meta(max_length=4 * MAX_DIMENSION * MAX_DIMENSION)]
    threshold: Annotated[float, Meta(ge=-1, le=1)]
    lease_hours: LeaseHours = LeaseHours()
    zone: Zone = Zone()
    frames: Annotated[int, Meta(ge=1, le=20)] = 2
    gate_open_s: Annotated[float, Meta(ge=0.1, le=120)] = 5.0
    pin_allowed: bool = True
    time_zone: Text64 = "Asia/Shanghai"
    attempts: Annotated[int, Meta(ge=1, le=10)] = 3
    face_needs_second: bool = False
    ask_unknown: bool = False
    liveness: LivenessPolicy = "off"
    pass_allowed: bool = False
    passes: PassRules = PassRules()
    held_open_s: Annotated[float, Meta(ge=1, le=3600)] = 30.0
    reset_pin: Annotated[str, Meta(max_length=200)] = ""
    model_pack: PackName = ""
    renewal: Annotated[tuple[ConsentText, ...], Meta(max_length=MOST_RENEWAL_TEXTS)] = ()
    card_allowed: bool = False
    card_key: Annotated[bytes, Meta(max_length=KEY_SIZE)] = b""
    face_needs_presence: bool = False
    looking: Looking = Looking()
    groups: Annotated[tuple[GroupHours, ...], Meta(max_length=MOST_GROUPS)] = ()
    days: Annotated[tuple[SpecialDay, ...], Meta(max_length=MOST_DAYS)] = ()
    snapshots: bool = False


class EntryRecorded(Message, frozen=True, tag="entry-recorded"):
    """Door to server: one decision.

    `entry` is drawn by the door and unique; `door_sequence` orders a door's entries. `at` is
    effective time in Unix milliseconds, 0 when `time_known` is false. `reason` is the
    decision's code. `took_ms` runs from the last needed frame to the gate. `liveness` is what
    the door saw, a face or a picture of one; empty when it did not look. `second` says that
    another credential of the same person was shown a moment before. `pass_id` is the estate's
    pass that was shown, also where the door does not know whose it is; `pass_step` the number of
    its code, where that changes. `first` is that other credential, empty where there was none and
    at doors that do not say. `by` is the member of staff who had the door opened from afar.
    """

    entry: HexId
    door_sequence: Count
    at: Annotated[int, Meta(ge=0, le=2**50)]
    time_known: bool
    direction: Direction
    person: PersonId
    category: Annotated[str, Meta(pattern=r"^(resident|visitor|service)?\Z")]
    credential: Literal["face", "pass", "pin", "card", "none"]
    granted: bool
    reason: Code
    matched: Annotated[str, Meta(pattern=r"^(local|remote)?\Z")]
    took_ms: Milliseconds
    frames: Annotated[int, Meta(ge=0, le=1000)]
    liveness: LivenessSeen = ""
    second: bool = False
    pass_id: PassId = ""
    pass_step: Count = 0
    first: Annotated[str, Meta(pattern=r"^(face|pass|pin|card)?\Z")] = ""
    by: PersonId = ""


class EntryRemarked(Message, frozen=True, tag="entry-remarked"):
    """Door to server: something noticed about an entry after it was made, as a code."""

    entry: HexId
    remark: Code


class AlarmChanged(Message, frozen=True, tag="alarm-changed"):
    """Door to server: an alarm was raised (`active`) or is over.

    Both carry the same `alarm`, drawn by the door and unique; of each kind one at most is active.
    `at` as in `EntryRecorded`. `by` is the member of staff whose word ended it; empty when its
    cause went away.
    """

    alarm: HexId
    kind: Code
    active: bool
    at: Annotated[int, Meta(ge=0, le=2**50)]
    time_known: bool
    by: PersonId = ""


class DoorPresence(Message, frozen=True, tag="door-presence"):
    """Door to server, latest value every few seconds: how it is and what roster it holds.

    `camera`, `gate` and `vision` are empty while all is well, else say why not; `gate` is of the
    last opening that was asked for. `model_pack` is the pack that vision runs, empty while none
    does. `lockdown` is the number of the newest `LockdownDeclared` that the door holds, 0 for
    none, `locked_down` whether it lets nobody in. `mode_for_s` is for how long faces have been
    matched so. `decision_ms` is the median time of the last `decisions` by face, from the last
    needed frame to the gate's answer or the refusal. `disk_free` is in bytes, `temperature_c` the
    warmest part's; each None where it is not known. `looking` is empty while faces are looked for
    as ever, `slow` or `off` outside of the door's hours. `audit_count` and `audit_head` are the
    longest audit log of the server's that the door has heard of.
    """

    roster_version: RosterVersion
    roster_hash: Hash
    mode: Mode
    template_space: TemplateSpace
    software: Text64
    camera: Code
    uptime_s: Lasted
    queue: Count
    detect_ms: Took
    encode_ms: Took
    time_known: bool
    gate: Code = ""
    vision: Code = ""
    model_pack: Text64 = ""
    lockdown: LockdownNumber = 0
    locked_down: bool = False
    mode_for_s: Lasted = 0.0
    decision_ms: Took = 0.0
    decisions: Annotated[int, Meta(ge=0, le=1000)] = 0
    disk_free: Annotated[int, Meta(ge=0, le=2**60)] | None = None
    temperature_c: Annotated[float, Meta(ge=-100, le=300)] | None = None
    looking: Code = ""
    audit_count: Count = 0
    audit_head: Hash | None = None


class ScoresCounted(Message, frozen=True, tag="scores-counted"):
    """Door to server, latest value a few times an hour: how alike the others look.

    Of each sighting accepted at this door, the best score among everybody but the person shown,
    counted in bins of a hundredth from cosine 0 up, all since the door was paired or so many
    that the older count less. Nothing says whose or when. `compared` is over all scores how
    many people each is the best of.
    """

    template_space: TemplateSpace
    counts: Annotated[tuple[ScoreCount, ...], Meta(min_length=SCORE_BINS, max_length=SCORE_BINS)]
    compared: Count


class FacesFading(Message, frozen=True, tag="faces-fading"):
    """Door to server, latest value a few times an hour: who had better renew their face.

    Ids alone: how well somebody matches never leaves the door.
    """

    template_space: TemplateSpace
    people: Annotated[tuple[HexId, ...], Meta(max_length=MOST_FADING)]


class ServerNews(Message, frozen=True, tag="server-news"):
    """Server to door, latest value every ten seconds: renews the lease and sets the time.

    `now` is Unix seconds; version and hash are of the roster the server means for this door.
    `lockdown` and `locked_down` are the newest `LockdownDeclared` over again: here it overtakes
    what waits in the durable log, and mends a door whose disk was put back. `audit_count` and
    `audit_head` are the end of the server's audit log as it was signed last. `addresses` are where
    the estate's server is to be looked for when it does not answer, a standby's among them; none
    says nothing, and what a door knows stays.
    """

    now: UnixSeconds
    roster_version: RosterVersion
    roster_hash: Hash
    lockdown: LockdownNumber = 0
    locked_down: bool = False
    audit_count: Count = 0
    audit_head: Hash | None = None
    addresses: Annotated[tuple[ServerAddress, ...], Meta(max_length=MOST_ADDRESSES)] = ()


class LockdownDeclared(Message, frozen=True, tag="lockdown-declared"):
    """Server to door: from now on nobody is let in (`active`), or that is over.

    Numbers only grow. A door keeps the highest that it has heard of, in whatever order they
    come; of two with one number, the one that locks.
    """

    number: Sequence
    active: bool


class MatchRequest(Message, frozen=True, tag="match-request"):
    """Door to server, a request: who is this? Crops are aligned 112 x 112 JPEG or PNG."""

    template_space: TemplateSpace
    crops: Annotated[tuple[Crop, ...], Meta(min_length=1, max_length=MAX_CROPS)]


class FireReset(Message, frozen=True, tag="fire-reset"):
    """Server to door, a request: end the fire release, by the word of this member of staff.

    Refused with `fire-still-active` while the fire input is on. The answer has no body.
    """

    staff: HexId


class OpeningWanted(Message, frozen=True, tag="opening-wanted"):
    """Server to door, a request: draw a nonce by which staff may have you opened now."""


class OpeningNonce(Message, frozen=True, tag="opening-nonce"):
    """The answer: 128 fresh random bits, good once, for ten seconds, on this link.

    Used, they are the id of the entry, so that the server knows it before it asks.
    """

    nonce: HexId


class RemoteOpening(Message, frozen=True, tag="remote-opening"):
    """Server to door, a request: open once, at the word of this member of staff.

    Refused with `nonce-unknown`, `opening-lapsed`, `not-configured` or `not-recordable`, and then
    nothing opens. Never stored, never sent again. `call` is the call that this answers: refused
    with `call-taken` or `call-over` where that is not ringing any more.
    """

    nonce: HexId
    staff: HexId
    call: CallId = ""


class OpeningAnswer(Message, frozen=True, tag="opening-answer"):
    """The answer: the entry is durable and the gate was asked; `gate` says what kept it shut."""

    gate: Code


class DoorKeyWanted(Message, frozen=True, tag="door-key-wanted"):
    """Door to server, a request: the key under which this door keeps what it holds."""


class DoorKey(Message, frozen=True, tag="door-key"):
    """The answer to `DoorKeyWanted`: 32 bytes, the same for as long as the door is paired."""

    key: Hash

    def __repr__(self) -> str:
        """Show nothing of it."""
        return "DoorKey(…)"


class CallRinging(Message, frozen=True, tag="call-ringing"):
    """Door to server, latest value about once a second while somebody rings: who, as a picture.

    `call` is empty once nobody does. `rung_ms` is since when; `still` a JPEG, empty without a
    camera. In memory only, at both ends.
    """

    call: CallId
    rung_ms: Milliseconds
    still: Annotated[bytes, Meta(max_length=MAX_CALL_STILL)] = b""


class CallRefused(Message, frozen=True, tag="call-refused"):
    """Server to door, a request: tell whoever rings that they are not let in, and why.

    Refused with `call-taken` or `call-over`. `entry` is the id that its entry is to have, drawn by
    the server for this question. The answer has no body.
    """

    call: HexId
    entry: HexId
    staff: HexId
    reason: Code


class MatchAnswer(Message, frozen=True, tag="match-answer"):
    """The answer to a `MatchRequest`: a person or nobody, and why. Never a score.

    `renewable` says that the person is known by the model before, and may be asked to have their
    face renewed here once a second credential was shown.
    """

    person: PersonId
    reason: Code
    renewable: bool = False


class RenewalRequest(Message, frozen=True, tag="renewal-request"):
    """Door to server, a request: make these pictures the face of whoever `entry` let in.

    `crops` are all of the sighting behind that entry; `liveness` is what was seen then. The
    person has agreed to `consent` on the door's page. Never stored, never sent again.
    """

    template_space: TemplateSpace
    entry: HexId
    crops: Annotated[tuple[Crop, ...], Meta(min_length=LEAST_RENEWAL_CROPS, max_length=MAX_CROPS)]
    liveness: LivenessSeen
    consent: GivenConsent


class RenewalDeclined(Message, frozen=True, tag="renewal-declined"):
    """Door to server, a request: whoever `entry` let in does not want that; ask again later."""

    entry: HexId


class RenewalAnswer(Message, frozen=True, tag="renewal-answer"):
    """The answer to either: `renewed`, `noted`, or why not."""

    reason: Code


class SnapshotTaken(Message, frozen=True, tag="snapshot-taken"):
    """Door to server, a request: the face that was refused in `entry`, which may come later.

    A request, so that no picture is ever on the door's disk: without a link there is none. `at` is
    the entry's; `picture` an aligned 112 x 112 JPEG. The answer has no body.
    """

    entry: HexId
    at: Annotated[int, Meta(ge=0, le=2**50)]
    picture: Crop


EstateMessage: TypeAlias = (
    RosterSnapshot
    | RosterDelta
    | DoorConfigured
    | EntryRecorded
    | DoorPresence
    | ScoresCounted
    | FacesFading
    | ServerNews
    | MatchRequest
    | MatchAnswer
    | EntryRemarked
    | AlarmChanged
    | FireReset
    | OpeningWanted
    | OpeningNonce
    | RemoteOpening
    | OpeningAnswer
    | CallRinging
    | CallRefused
    | RenewalRequest
    | RenewalDeclined
    | RenewalAnswer
    | SnapshotTaken
    | LockdownDeclared
    | DoorKeyWanted
    | DoorKey
    | LedgerWritten
    | LedgerWanted
    | LedgerPart
)

ESTATE: Vocabulary[EstateMessage] = Vocabulary(
    RosterSnapshot,
    RosterDelta,
    DoorConfigured,
    EntryRecorded,
    DoorPresence,
    ScoresCounted,
    FacesFading,
    ServerNews,
    MatchRequest,
    MatchAnswer,
    EntryRemarked,
    AlarmChanged,
    FireReset,
    OpeningWanted,
    OpeningNonce,
    RemoteOpening,
    OpeningAnswer,
    CallRinging,
    CallRefused,
    RenewalRequest,
    RenewalDeclined,
    RenewalAnswer,
    SnapshotTaken,
    LockdownDeclared,
    DoorKeyWanted,
    DoorKey,
    LedgerWritten,
    LedgerWanted,
    LedgerPart,
)
"""`ESTATE.kind(m)`, `ESTATE.encode(m)` to send; `ESTATE.decode(kind, body)` on arrival."""

_canonical = msgspec.msgpack.Encoder()


def roster_hash(people: Iterable[RosterPerson]) -> bytes:
    """Return one SHA-256 over a roster, whatever its order: equal exactly for equal rosters.

    Each person's row is hashed as its message is written, and the rows' hashes are hashed
    in order, so that neither side needs to hold more than 32 bytes per person.
    """
    return hash_of_rows(sorted(row_hash(person) for person in people))


def row_hash(person: RosterPerson) -> bytes:
    """Return the SHA-256 of one person's row."""
    return hashlib.sha256(_canonical.encode(person)).digest()


def hash_of_rows(rows: Iterable[bytes]) -> bytes:
    """Return `roster_hash` of the people whose rows have these hashes, which are in order."""
    return hashlib.sha256(b"".join(rows)).digest()
