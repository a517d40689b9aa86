"""Every answer has a reason, and no rule can be talked round by another."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from access_rules.calendars import Admission, HolidayRule, Hours, admission
from access_rules.decision import (
    DecisionReason,
    Denied,
    DoorRules,
    Granted,
    Liveness,
    LivenessPolicy,
    Moment,
    Shown,
    decide,
)
from access_rules.leases import LeasePolicy
from access_rules.people import Category, Credential, Direction, Person
from access_rules.schedules import EVERY_DAY, Validity, WeeklyWindow, within

ZONE = ZoneInfo("Asia/Shanghai")
NOON = int(datetime(2026, 11, 23, 12, tzinfo=ZONE).timestamp())
RULES = DoorRules(zone=ZONE)
NOW = Moment(unix=NOON, floor=NOON, news_age=5)
CLOCKLESS = Moment(unix=None, floor=NOON, news_age=5)
RESIDENT = Person("r1", Category.RESIDENT)
TODAY = datetime(2026, 11, 23, tzinfo=ZONE).date()
OFFICE_HOURS = WeeklyWindow(EVERY_DAY, 9 * 60, 17 * 60)
GRANTS = {
    DecisionReason.WITHIN_RULES,
    DecisionReason.LEASE_AGEING,
    DecisionReason.LEASE_ENDING,
}


def face(person: Person | None) -> tuple[Shown, ...]:
    return (Shown(Credential.FACE, person),)


def face_and_pin(first: Person | None, second: Person | None) -> tuple[Shown, ...]:
    return (Shown(Credential.FACE, first), Shown(Credential.PIN, second))


def reason(
    shown: tuple[Shown, ...],
    *,
    rules: DoorRules = RULES,
    moment: Moment = NOW,
    direction: Direction = Direction.IN,
) -> DecisionReason:
    decision = decide(shown, rules, moment, direction)
    assert isinstance(decision, Granted) is (decision.reason in GRANTS)
    return decision.reason


@pytest.mark.parametrize("credential", [Credential.FACE, Credential.PIN])
def test_a_resident_within_the_rules_is_let_in(credential: Credential) -> None:
    assert reason((Shown(credential, RESIDENT),)) is DecisionReason.WITHIN_RULES


def test_a_roster_without_news_opens_with_growing_warnings() -> None:
    ageing, ending = replace(NOW, news_age=4 * 86400), replace(NOW, news_age=6 * 86400)
    assert reason(face(RESIDENT), moment=ageing) is DecisionReason.LEASE_AGEING
    assert reason(face(RESIDENT), moment=ending) is DecisionReason.LEASE_ENDING


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (replace(RESIDENT, suspended=True), DecisionReason.SUSPENDED),
        (replace(RESIDENT, validity=Validity(NOON + 1, 0)), DecisionReason.NOT_YET_VALID),
        (replace(RESIDENT, validity=Validity(0, NOON)), DecisionReason.VALIDITY_OVER),
        (
            replace(RESIDENT, windows=(WeeklyWindow(EVERY_DAY, 13 * 60, 14 * 60),)),
            DecisionReason.OUTSIDE_SCHEDULE,
        ),
        (replace(RESIDENT, second_credential=True), DecisionReason.SECOND_CREDENTIAL_NEEDED),
    ],
)
def test_a_person_who_may_not_pass_hears_why(person: Person, expected: DecisionReason) -> None:
    assert reason(face(person)) is expected


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        (face(None), DecisionReason.NOT_RECOGNIZED),
        ((Shown(Credential.PIN, None),), DecisionReason.PIN_WRONG),
        (
            (Shown(Credential.PIN, None, DecisionReason.PIN_LOCKED),),
            DecisionReason.PIN_LOCKED,
        ),
        ((Shown(Credential.CARD, RESIDENT),), DecisionReason.CREDENTIAL_NOT_ACCEPTED),
        (face_and_pin(RESIDENT, None), DecisionReason.PIN_WRONG),
        (face_and_pin(None, RESIDENT), DecisionReason.NOT_RECOGNIZED),
        (
            face_and_pin(RESIDENT, Person("r2", Category.RESIDENT)),
            DecisionReason.CREDENTIALS_DISAGREE,
        ),
    ],
)
def test_a_credential_that_does_not_name_one_person_says_which(
    shown: tuple[Shown, ...], expected: DecisionReason
) -> None:
    assert reason(shown) is expected


def test_at_a_door_where_a_face_is_not_enough_other_credentials_are() -> None:
    careful = replace(RULES, face_needs_second=True)
    assert reason(face(RESIDENT), rules=careful) is DecisionReason.SECOND_CREDENTIAL_NEEDED
    twice = (*face(RESIDENT), *face(RESIDENT))
    assert reason(twice, rules=careful) is DecisionReason.SECOND_CREDENTIAL_NEEDED
    assert reason(face_and_pin(RESIDENT, RESIDENT), rules=careful) is DecisionReason.WITHIN_RULES
    pin = (Shown(Credential.PIN, RESIDENT),)
    assert reason(pin, rules=careful) is DecisionReason.WITHIN_RULES


def test_two_different_credentials_of_one_person_satisfy_the_stricter_rule() -> None:
    strict = replace(RESIDENT, second_credential=True)
    assert reason(face_and_pin(strict, strict)) is DecisionReason.WITHIN_RULES


def test_the_same_credential_twice_is_still_one_credential() -> None:
    strict = replace(RESIDENT, second_credential=True)
    assert reason(face(strict) * 2) is DecisionReason.SECOND_CREDENTIAL_NEEDED


@pytest.mark.parametrize(
    ("door", "wanted", "opens"),
    [
        (Direction.IN, Direction.IN, True),
        (Direction.IN, Direction.OUT, False),
        (Direction.OUT, Direction.IN, False),
        (Direction.BOTH, Direction.OUT, True),
        (Direction.BOTH, Direction.BOTH, True),
    ],
)
def test_a_door_serves_its_own_direction(
    door: Direction, wanted: Direction, *, opens: bool
) -> None:
    rules = replace(RULES, direction=door)
    assert (reason(face(RESIDENT), rules=rules, direction=wanted) in GRANTS) is opens


@pytest.mark.parametrize(
    "person",
    [
        Person("v", Category.VISITOR),
        Person("s", Category.SERVICE_WORKER),
        replace(RESIDENT, windows=(OFFICE_HOURS,)),
        replace(RESIDENT, validity=Validity(0, NOON + 10**6)),
        replace(RESIDENT, validity=Validity(NOON + 1, 0)),
    ],
)
def test_a_door_without_time_refuses_whatever_has_a_window(person: Person) -> None:
    assert reason(face(person), moment=CLOCKLESS) is DecisionReason.TIME_UNKNOWN


def test_of_somebodys_groups_the_hours_of_those_that_name_the_door_decide() -> None:
    office, night = Hours((OFFICE_HOURS,)), Hours((WeeklyWindow(EVERY_DAY, 22 * 60, 23 * 60),))
    rules = replace(RULES, groups={1: office, 2: night})
    for groups, expected in (
        ((1, 2), DecisionReason.WITHIN_RULES),
        ((2,), DecisionReason.OUTSIDE_SCHEDULE),
        ((2, 3), DecisionReason.OUTSIDE_SCHEDULE),
        ((3,), DecisionReason.NOT_FOR_THIS_DOOR),
    ):
        assert reason(face(replace(RESIDENT, groups=groups)), rules=rules) is expected
    narrow = replace(RESIDENT, groups=(1,), windows=(WeeklyWindow(EVERY_DAY, 0, 60),))
    assert reason(face(narrow), rules=rules) is DecisionReason.OUTSIDE_SCHEDULE


def test_who_is_kept_out_by_a_holiday_hears_that_it_is_one() -> None:
    closed = Hours((OFFICE_HOURS,), HolidayRule.CLOSED)
    rules = replace(RULES, groups={1: closed}, days={TODAY: None})
    member = replace(RESIDENT, groups=(1,))
    assert reason(face(member), rules=rules) is DecisionReason.CLOSED_ON_HOLIDAY
    assert reason(face(member), rules=replace(rules, days={})) is DecisionReason.WITHIN_RULES
    assert reason(face(RESIDENT), rules=rules) is DecisionReason.WITHIN_RULES


def test_a_door_without_time_lets_in_by_a_group_of_any_hour_alone() -> None:
    rules = replace(RULES, groups={1: Hours((OFFICE_HOURS,)), 2: Hours()})
    for groups, expected in (
        ((1,), DecisionReason.TIME_UNKNOWN),
        ((1, 2), DecisionReason.WITHIN_RULES),
    ):
        member = replace(RESIDENT, groups=groups)
        assert reason(face(member), rules=rules, moment=CLOCKLESS) is expected


def test_a_door_without_time_still_knows_what_is_certainly_over() -> None:
    gone = replace(RESIDENT, validity=Validity(0, NOON - 1))
    assert reason(face(gone), moment=CLOCKLESS) is DecisionReason.VALIDITY_OVER


def test_a_door_without_time_lets_residents_in_by_counted_hours() -> None:
    assert reason(face(RESIDENT), moment=CLOCKLESS) is DecisionReason.WITHIN_RULES
    tired = replace(CLOCKLESS, news_age=31 * 86400)
    assert reason(face(RESIDENT), moment=tired) is DecisionReason.LEASE_OVER


def test_an_attempt_shows_something() -> None:
    with pytest.raises(ValueError, match="at least one"):
        decide((), RULES, NOW, Direction.IN)


people = st.builds(
    Person,
    person=st.sampled_from(["a", "b"]),
    category=st.sampled_from(Category),
    validity=st.builds(
        Validity,
        begins=st.just(0) | st.integers(NOON - 5000, NOON + 5000),
        ends=st.just(0) | st.integers(NOON - 5000, NOON + 5000),
    ),
    windows=st.lists(
        st.builds(
            WeeklyWindow,
            weekdays=st.integers(1, EVERY_DAY),
            start_minute=st.integers(0, 1439),
            end_minute=st.integers(1, 1440),
        ),
        max_size=2,
    ).map(tuple),
    groups=st.lists(st.integers(1, 3), max_size=2, unique=True).map(tuple),
    second_credential=st.booleans(),
    suspended=st.booleans(),
)
attempts = st.lists(
    st.builds(
        Shown,
        credential=st.sampled_from(Credential),
        person=st.none() | people,
    ),
    min_size=1,
    max_size=3,
).map(tuple)
moments = st.builds(
    Moment,
    unix=st.none() | st.integers(NOON - 6000, NOON + 6000),
    floor=st.integers(NOON - 6000, NOON + 6000),
    news_age=st.none() | st.integers(0, 40 * 86400),
)
rule_sets = st.builds(
    DoorRules,
    zone=st.just(ZONE),
    direction=st.sampled_from(Direction),
    accepts=st.frozensets(st.sampled_from(Credential)),
    leases=st.builds(LeasePolicy, resident_hours=st.integers(1, 720)),
    face_needs_second=st.booleans(),
    liveness=st.sampled_from(LivenessPolicy),
    groups=st.dictionaries(
        st.integers(1, 3),
        st.builds(Hours, st.just(()) | st.just((OFFICE_HOURS,)), st.sampled_from(HolidayRule)),
    ),
    days=st.just({}) | st.just({TODAY: None}) | st.just({TODAY: 6}),
)


@given(shown=attempts, rules=rule_sets, moment=moments, direction=st.sampled_from(Direction))
def test_no_grant_breaks_a_rule(
    shown: tuple[Shown, ...], rules: DoorRules, moment: Moment, direction: Direction
) -> None:
    decision = decide(shown, rules, moment, direction)
    if isinstance(decision, Denied):
        assert decision.reason not in GRANTS
        return
    names = {one.person.person if one.person else None for one in shown}
    person = shown[-1].person
    assert person is not None
    assert names == {person.person}
    assert all(one.credential in rules.accepts for one in shown)
    assert not person.suspended
    assert moment.news_age is not None
    assert moment.news_age < rules.leases.longest_seconds
    kinds = {one.credential for one in shown}
    assert not person.second_credential or len(kinds) > 1
    assert not rules.face_needs_second or kinds != {Credential.FACE}
    if rules.liveness.required:
        assert all(one.liveness is not Liveness.SPOOF for one in shown)
    if rules.liveness in {LivenessPolicy.CHALLENGE, LivenessPolicy.SECOND}:
        proven = all(
            one.liveness is Liveness.LIVE for one in shown if one.credential is Credential.FACE
        )
        assert proven or (rules.liveness is LivenessPolicy.SECOND and len(kinds) > 1)
    hours = [rules.groups[one] for one in person.groups if one in rules.groups]
    assert hours or not person.groups
    if moment.unix is None:
        assert person.category is Category.RESIDENT
        assert not person.windows
        assert person.validity.ends == 0
        assert not hours or any(not one.windows for one in hours)
    else:
        assert within(person.windows, moment.unix, ZONE)
        assert person.validity.has_begun(moment.unix)
        assert not person.validity.is_over(moment.unix)
        assert not hours or admission(hours, moment.unix, ZONE, rules.days) is Admission.OPEN


@given(
    shown=attempts,
    rules=rule_sets,
    moment=moments,
    direction=st.sampled_from(Direction),
    silence=st.integers(0, 40 * 86400),
)
def test_more_silence_never_opens_a_shut_door(
    shown: tuple[Shown, ...],
    rules: DoorRules,
    moment: Moment,
    direction: Direction,
    silence: int,
) -> None:
    if moment.news_age is None:
        return
    before = decide(shown, rules, moment, direction)
    after = decide(shown, rules, replace(moment, news_age=moment.news_age + silence), direction)
    assert isinstance(before, Granted) or isinstance(after, Denied)


@given(shown=attempts, rules=rule_sets, moment=moments, direction=st.sampled_from(Direction))
def test_losing_the_clock_never_opens_a_shut_door(
    shown: tuple[Shown, ...], rules: DoorRules, moment: Moment, direction: Direction
) -> None:
    if moment.unix is None:
        return
    moment = replace(moment, floor=min(moment.floor, moment.unix))
    before = decide(shown, rules, moment, direction)
    after = decide(shown, rules, replace(moment, unix=None), direction)
    assert isinstance(before, Granted) or isinstance(after, Denied)


def seen(liveness: Liveness, person: Person | None = RESIDENT) -> tuple[Shown, ...]:
    return (Shown(Credential.FACE, person, liveness=liveness),)


@pytest.mark.parametrize("policy", [LivenessPolicy.OFF, LivenessPolicy.OBSERVE])
@pytest.mark.parametrize("liveness", list(Liveness))
def test_a_door_that_only_watches_decides_as_before(
    policy: LivenessPolicy, liveness: Liveness
) -> None:
    rules = replace(RULES, liveness=policy)
    assert reason(seen(liveness), rules=rules) is DecisionReason.WITHIN_RULES


@pytest.mark.parametrize(
    ("policy", "undecided"),
    [
        (LivenessPolicy.OPEN, DecisionReason.WITHIN_RULES),
        (LivenessPolicy.CHALLENGE, DecisionReason.LIVENESS_UNPROVEN),
        (LivenessPolicy.SECOND, DecisionReason.SECOND_CREDENTIAL_NEEDED),
    ],
)
def test_where_it_is_required_pictures_are_refused_and_doubt_follows_the_policy(
    policy: LivenessPolicy, undecided: DecisionReason
) -> None:
    rules = replace(RULES, liveness=policy)
    assert reason(seen(Liveness.LIVE), rules=rules) is DecisionReason.WITHIN_RULES
    assert reason(seen(Liveness.SPOOF), rules=rules) is DecisionReason.SPOOF_SUSPECTED
    for unproven in (Liveness.UNDECIDED, Liveness.UNASKED):
        assert reason(seen(unproven), rules=rules) is undecided
    assert reason((Shown(Credential.PIN, RESIDENT),), rules=rules) is DecisionReason.WITHIN_RULES


def test_a_pin_makes_up_for_doubt_and_never_for_a_picture() -> None:
    rules = replace(RULES, liveness=LivenessPolicy.SECOND)
    pin = (Shown(Credential.PIN, RESIDENT),)
    assert reason(seen(Liveness.UNDECIDED) + pin, rules=rules) is DecisionReason.WITHIN_RULES
    assert reason(seen(Liveness.SPOOF) + pin, rules=rules) is DecisionReason.SPOOF_SUSPECTED


def test_a_picture_learns_nothing_about_whom_it_shows() -> None:
    rules = replace(RULES, liveness=LivenessPolicy.OPEN)
    suspended = replace(RESIDENT, suspended=True)
    assert reason(seen(Liveness.SPOOF, suspended), rules=rules) is DecisionReason.SPOOF_SUSPECTED
    assert reason(seen(Liveness.SPOOF, None), rules=rules) is DecisionReason.NOT_RECOGNIZED


SHOWN = st.builds(
    Shown,
    st.sampled_from(Credential),
    st.none() | st.builds(Person, st.just("r1"), st.sampled_from(Category)),
)


@given(
    st.lists(SHOWN, min_size=1, max_size=3),
    st.sampled_from(Direction),
    st.sampled_from([NOW, CLOCKLESS, Moment(None, 0, None)]),
)
def test_while_the_estate_is_locked_down_nothing_that_is_shown_opens(
    shown: list[Shown], direction: Direction, moment: Moment
) -> None:
    rules = replace(RULES, locked_down=True, accepts=frozenset(Credential))
    decision = decide(tuple(shown), rules, moment, direction)
    assert decision == Denied(DecisionReason.LOCKED_DOWN)
