"""Passes are given once, reach the doors with what they need, and end when taken back."""

from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from community_server.database import now
from community_server.doors.service import add_door, get_door
from community_server.entries.service import record_entry
from community_server.entries.tables import Entry
from community_server.erasure import remove_person
from community_server.errors import Conflict, InputRefused
from community_server.invitations.service import invite
from community_server.keys.certified import DAY, PASS_ROTATION, pass_certificates, renew_keys
from community_server.passes.queries import forget_passes, revoked_passes
from community_server.passes.service import GivenPass, give_pass, take_pass_back
from community_server.people.particulars import Known
from community_server.people.queries import get_person
from community_server.people.routes import PersonChange, alter
from tests.community_server.bench import STAFF, Bench
from tier_link.base64url import decode_base64url
from tier_link.errors import PassRefused
from tier_link.estate_messages import ESTATE, DoorConfigured, EntryRecorded, RosterDelta
from tier_link.passes import (
    LONGEST_ALONE_S,
    PassClaim,
    PassTrust,
    SignedPass,
    door_tag,
    read_pass,
    verify_pass,
)


def a_door(bench: Bench) -> str:
    with bench.estate.changer.change() as change:
        door = add_door(change.session, "North gate", "both")
        row = get_door(change.session, door, lock=True)
        bench.estate.configurer.welcome(change, row, b"k" * 32)
    return door


def told(bench: Bench, door: str) -> list[object]:
    kept = bench.estate.links.pending(door, 0, limit=1000)
    return [ESTATE.decode(one.kind, one.body) for one in kept]


def configured(bench: Bench, door: str) -> DoorConfigured:
    return [one for one in told(bench, door) if isinstance(one, DoorConfigured)][-1]


def trust(bench: Bench, door: str) -> PassTrust:
    rules = configured(bench, door).passes
    carried = [(one.certificate, one.signature) for one in rules.certificates]
    return PassTrust.of(rules.community, rules.root, carried, rules.revoked)


def give(bench: Bench, person: str, **wanted: object) -> GivenPass:
    with bench.estate.changer.change() as change:
        return give_pass(change, person, **wanted)  # type: ignore[arg-type]


def claim_of(bench: Bench, door: str, given: GivenPass) -> PassClaim:
    signed = read_pass(given.text)
    assert isinstance(signed, SignedPass)
    return verify_pass(signed, trust(bench, door))


def a_visitor(bench: Bench, hours: int = 8, **limits: object) -> str:
    with bench.estate.changer.change() as change:
        fields = {"doors": (), "valid_from": 0, "valid_until": now() + hours * 3600} | limits
        return invite(
            change,
            bench.estate.links,
            kind="visitor",
            known=Known(name="Wei"),
            unit="",
            days=1,
            **fields,  # type: ignore[arg-type]
        ).person


def test_a_visitors_pass_verifies_at_a_door_and_is_on_its_roster(bench: Bench) -> None:
    door, person = a_door(bench), a_visitor(bench)
    given = give(bench, person, uses=3, doors=(door,))
    claim = claim_of(bench, door, given)
    assert (claim.pass_id, claim.category, claim.uses) == (given.pass_id, "visitor", 3)
    assert (claim.doors, claim.alone) == ((door_tag(door),), True)
    assert now() + 8 * 3600 - 61 <= claim.ends == given.ends <= now() + 8 * 3600
    assert configured(bench, door).pass_allowed
    (row,) = [
        row
        for one in told(bench, door)
        if isinstance(one, RosterDelta)
        for row in one.upserts
        if row.person == person
    ][-1:]
    assert (row.pass_id, row.pass_key) == (given.pass_id, b"")


def test_a_long_stay_needs_the_roster_and_one_without_end_gets_a_day(bench: Bench) -> None:
    door = a_door(bench)
    long = claim_of(bench, door, give(bench, a_visitor(bench, hours=80 * 24)))
    assert not long.alone
    assert 80 * DAY - 61 <= long.ends - long.begins <= 80 * DAY
    worker = a_visitor(bench)
    with bench.estate.changer.change() as change:
        row = get_person(change.session, worker, lock=True)
        row.category, row.valid_until = "service", 0
    daily = claim_of(bench, door, give(bench, worker))
    assert (daily.category, daily.alone, daily.ends - daily.begins) == ("service", True, DAY)
    short = give(bench, a_visitor(bench), valid_until=now() + 600)
    assert short.ends <= now() + 600


def test_a_person_of_some_doors_gets_no_pass_for_others(bench: Bench) -> None:
    mine, other = a_door(bench), a_door(bench)
    person = a_visitor(bench, doors=(mine,))
    assert claim_of(bench, mine, give(bench, person)).doors == (door_tag(mine),)
    with pytest.raises(InputRefused):
        give(bench, person, doors=(other,))
    with pytest.raises(InputRefused):
        give(bench, person, doors=("no door",))


def test_a_pass_of_many_doors_holds_only_with_the_roster(bench: Bench) -> None:
    doors = tuple(a_door(bench) for _ in range(5))
    claim = claim_of(bench, doors[0], give(bench, a_visitor(bench, doors=doors)))
    assert (claim.doors, claim.alone) == ((), False)


def test_a_residents_pass_is_for_a_phone_whose_public_key_the_doors_get(bench: Bench) -> None:
    _, person = bench.invite(name="Dora", unit="4-404")
    given = give(bench, person)
    row = bench.estate.book.find(person)
    assert row is not None
    assert (given.text, given.ends) == ("", 0)
    assert (row.roster.pass_id, len(row.roster.pass_key)) == (given.pass_id, 33)
    assert len(decode_base64url(given.fragment)) == 137
    assert row.belongs_at("any door", now(), bench.estate.book.groups)


def test_a_new_pass_replaces_the_last_and_doors_hear_at_once(bench: Bench) -> None:
    door, person = a_door(bench), a_visitor(bench)
    first = give(bench, person)
    second = give(bench, person)
    assert first.pass_id in trust(bench, door).revoked
    assert second.pass_id not in trust(bench, door).revoked
    with bench.estate.changer.change() as change:
        assert take_pass_back(change, person)
        assert not take_pass_back(change, person)
    assert second.pass_id in trust(bench, door).revoked
    row = bench.estate.book.find(person)
    assert row is not None
    assert not row.belongs_at(door, now(), bench.estate.book.groups)


def test_who_is_erased_or_stays_shorter_leaves_no_pass_that_holds(bench: Bench) -> None:
    door, erased, shortened = a_door(bench), a_visitor(bench), a_visitor(bench)
    passes = [give(bench, person).pass_id for person in (erased, shortened)]
    with bench.estate.changer.change() as change:
        remove_person(change, bench.estate.links, erased)
    alter(bench.estate, shortened, PersonChange(valid_until=now() + 60), STAFF)
    assert set(passes) <= trust(bench, door).revoked


def test_a_pass_that_is_over_is_forgotten_and_leaves_its_persons_row(bench: Bench) -> None:
    person = a_visitor(bench)
    given = give(bench, person)
    with bench.estate.changer.change() as change:
        take_pass_back(change, person)
        assert given.pass_id in revoked_passes(change.session, now())
        assert given.pass_id not in revoked_passes(change.session, given.ends)
    again = give(bench, person)
    with bench.estate.changer.change() as change:
        assert person not in forget_passes(change.session, again.ends - 1)
        assert person in forget_passes(change.session, again.ends)
        change.touch(person)
    row = bench.estate.book.find(person)
    assert row is not None
    assert row.roster.pass_id == ""


def test_no_pass_is_given_to_somebody_whose_time_is_over_or_far_ahead(bench: Bench) -> None:
    ahead = a_visitor(bench, hours=101 * 24, valid_from=now() + 100 * DAY)
    with pytest.raises(Conflict) as refused:
        give(bench, ahead)
    assert refused.value.code == "pass-too-early"
    with pytest.raises(Conflict) as refused:
        give(bench, a_visitor(bench), valid_until=now() + 30)
    assert refused.value.code == "time-over"


def test_the_log_knows_whose_pass_a_door_did_not_know(bench: Bench) -> None:
    door, person = a_door(bench), a_visitor(bench)
    given = give(bench, person)
    entry = EntryRecorded(
        entry="e1" * 16,
        door_sequence=1,
        at=now() * 1000,
        time_known=True,
        direction="both",
        person="",
        category="visitor",
        credential="pass",
        granted=True,
        reason="within-rules",
        matched="",
        took_ms=3,
        frames=0,
        pass_id=given.pass_id,
    )
    with bench.estate.changer.change() as change:
        number = record_entry(change.session, door, entry, ZoneInfo("Asia/Shanghai"))
        row = change.session.get(Entry, number)
        assert row is not None
        assert row.person_id == person


def test_pass_keys_change_monthly_and_old_passes_go_on_holding(bench: Bench) -> None:
    door, person = a_door(bench), a_visitor(bench, hours=80 * 24)
    given = give(bench, person)
    estate = bench.estate
    with estate.changer.change() as change:
        slug = configured(bench, door).passes.community
        before = pass_certificates(change.session, now())
        renew_keys(change.session, estate.safe, slug, now() + PASS_ROTATION)
        after = pass_certificates(change.session, now())
        assert len(after) == len(before) + 1
        estate.configurer.send_due(change)
    assert claim_of(bench, door, given).pass_id == given.pass_id
    retired = replace(trust(bench, door), keys={})
    signed = read_pass(given.text)
    assert isinstance(signed, SignedPass)
    with pytest.raises(PassRefused):
        verify_pass(signed, retired)
    assert LONGEST_ALONE_S == DAY
