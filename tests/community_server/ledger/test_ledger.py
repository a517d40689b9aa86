"""What no backup may undo is written down, reaches every copy, and comes back from there."""

import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.backups.making import Made
from community_server.backups.restoring import restore
from community_server.change import CLOUD
from community_server.cloud_link import LedgerAwaited
from community_server.doors.service import add_door, revoke_door
from community_server.doors.tables import Door
from community_server.estate import Estate, open_estate
from community_server.invitations.tables import Invitation
from community_server.ledger.recovery import PATIENCE_S, LedgerRecovery
from community_server.ledger.replay import replay
from community_server.ledger.service import find_wait, rows_after
from community_server.people.queries import get_person
from community_server.people.service import forget_face, store_template
from community_server.people.tables import Person, Template
from community_server.settings import Settings
from community_server.sweeper import Sweeper
from gatehouse.sample_people import SamplePerson
from tests.community_server.backups.estates import (
    Somebody,
    back_up,
    erase,
    kit_of,
    pair_door,
    settle,
)
from tests.community_server.bench import PASSWORD, STAFF, Bench, prepare, records_of
from tests.community_server.in_process import InProcess, code
from tests.community_server.ledger.copies import Copy, cloud_copy, door_copy
from tests.support.databases import databases
from tier_link.errors import RequestRefused
from tier_link.estate_messages import (
    ESTATE,
    DoorKeyWanted,
    RosterDelta,
    RosterSnapshot,
)
from tier_link.ledger import LedgerRow, LedgerWanted, is_unbroken
from tier_link.pairing import PairStart, derive_locator
from tier_link.relay_messages import RELAY, InvitationsPublished, InvitationsWithdrawn
from tier_link.store import hand_back
from tier_link.store.tables import LinkLedger

Told = RosterSnapshot | RosterDelta


def ledger(estate: Estate) -> list[tuple[str, str]]:
    with estate.reading() as session:
        return [(row.kind, row.subject) for row in rows_after(session, 0)]


def rosters_told(estate: Estate, door: str) -> list[Told]:
    told = [ESTATE.decode(one.kind, one.body) for one in estate.links.pending(door, 0, limit=999)]
    return [one for one in told if isinstance(one, Told)]


def revoke_in_vain(estate: Estate, door: str) -> None:
    with estate.changer.change() as change:
        revoke_door(change, estate.links, door)
        change.session.flush()
        raise RuntimeError("the transaction fails, and so does its row")


def serves(estate: Estate) -> bool:
    return estate.gate.is_open


def test_an_erasure_a_revocation_and_a_use_are_written_in_their_own_transaction(
    own: Bench, people: Sequence[SamplePerson], tmp_path: Path
) -> None:
    estate = own.estate
    near, far = pair_door(own), pair_door(own)
    invitation, _ = own.invite()
    own.send(own.draft(invitation, [people[0].portrait]))
    gone = settle(own, "Gone Resident", "13800000009", "188,24999")
    erase(own, gone)
    with estate.changer.change() as change:
        revoke_door(change, estate.links, far)
    with pytest.raises(RuntimeError):
        revoke_in_vain(estate, near)

    expected = [
        ("invitation-used", invitation.id),
        ("person-erased", gone.person),
        ("door-revoked", far),
    ]
    assert ledger(estate) == expected
    with estate.reading() as session:
        rows = rows_after(session, 0)
    assert is_unbroken(rows, 0)
    with cloud_copy(tmp_path, estate) as cloud, door_copy(tmp_path, estate, near) as door:
        for copy in (cloud, door):
            copy.hear(estate)
            copy.hear(estate)  # the same once more
            with Session(copy.engine) as session:
                assert list(hand_back(session, copy.server, LedgerWanted(0)).rows) == rows


@dataclass
class Restored:
    """An estate put back to before things happened, and those who remember them."""

    bench: Bench
    gone: Somebody
    stays: Somebody
    far: str
    near: str
    invitation: str
    faceless: Somebody
    door: Copy
    cloud: Copy
    up: set[str]
    seconds: list[float]

    @property
    def estate(self) -> Estate:
        return self.bench.estate

    @property
    def recovery(self) -> LedgerRecovery:
        return self.estate.recovery

    def is_erased(self) -> bool:
        with self.estate.reading() as session:
            return (
                session.get(Person, self.gone.person) is None
                and session.get(Template, self.gone.person) is None
                and self.gone.person not in {one.id for one in session.scalars(sa.select(Person))}
                and not self.estate.name_of(self.gone.person)
            )


@pytest.fixture
def lite(models: Path, tmp_path: Path) -> Iterator[Bench]:
    """An estate on SQLite: what is put back is a server on either database."""
    estate = open_estate(Settings(data=tmp_path / "data", models=models))
    prepare(estate)
    yield Bench(estate)
    estate.close()


@pytest.fixture
def put_back(
    request: pytest.FixtureRequest,
    lite: Bench,
    models: Path,
    tmp_path: Path,
) -> Iterator[Restored]:
    """Last week's data and keys; since then somebody left, and a door and a link were used up."""
    before = lite.estate
    near, far = pair_door(lite), pair_door(lite)
    first = settle(lite, "First Gone", "13800000008", "188,24998")
    erase(lite, first)
    stays = settle(lite, "Ada Resident", "13800000001", "188,24910")
    gone = settle(lite, "Gone Resident", "13800000009", "188,24999")
    faceless = settle(lite, "Faceless Resident", "13800000006", "188,24996")
    invitation, _ = lite.invite(name="Bea", unit="1-102")
    made = back_up(lite, tmp_path / "backups")
    kept = Made(
        made.data.rename(tmp_path / "data.gatehouse-backup"),
        made.keys.rename(tmp_path / "keys.gatehouse-backup"),
        made.made_at,
    )
    erase(lite, gone)
    with before.changer.change() as change:
        forget_face(change, get_person(change.session, faceless.person))
    with before.changer.change() as change:
        revoke_door(change, before.links, far)
        used = change.session.get_one(Invitation, invitation.id)  # as taking an envelope does
        used.state = "used"
        change.record("invitation-used", used.id)
    with (
        cloud_copy(tmp_path, before) as cloud,
        door_copy(tmp_path, before, near) as door,
        databases(getattr(request, "param", "sqlite"), 1) as (address,),
    ):
        cloud.hear(before)
        door.hear(before)
        settings = Settings(data=tmp_path / "elsewhere", models=models, database=address)
        restore(settings, kept.data, kept.keys, kit_of(before))
        estate = open_estate(settings)
        up: set[str] = set()
        seconds = [0.0]
        copies = {near: door, CLOUD: cloud}
        estate.recovery.door_link = lambda one: copies[one].link() if one in up else None
        estate.recovery.cloud_link = lambda: cloud.link() if CLOUD in up else None
        estate.recovery.clock = lambda: seconds[0]
        yield Restored(
            Bench(estate), gone, stays, far, near, invitation.id, faceless, door, cloud, up, seconds
        )
        estate.close()


@pytest.mark.parametrize("put_back", ["sqlite", "postgresql"], indirect=True)
def test_last_weeks_backup_waits_and_the_ledger_takes_back_what_was_done_since(
    put_back: Restored,
) -> None:
    estate, asking = put_back.estate, put_back.recovery
    assert estate.name_of(put_back.gone.person) == "Gone Resident"  # the backup knows no better
    assert asking.step()
    Sweeper.of(estate).sweep()
    assert not serves(estate)
    assert rosters_told(estate, put_back.near) == []
    assert {one.state for one in asking.sources()} == {"away"}

    put_back.up.update({put_back.near, CLOUD})
    asking.step()
    put_back.seconds[0] += PATIENCE_S  # the revoked door will never come
    asking.step()
    assert serves(estate)
    assert put_back.is_erased()
    with estate.reading() as session:
        assert session.get_one(Door, put_back.far).state == "revoked"
        assert session.get_one(Invitation, put_back.invitation).state == "used"
        assert session.get(Template, put_back.faceless.person) is None
        assert session.get(Person, put_back.faceless.person) is not None
        assert [one.kind for one in rows_after(session, 0)] == [
            "person-erased",
            "person-erased",
            "face-erased",
            "door-revoked",
            "invitation-used",
        ]
        assert is_unbroken(rows_after(session, 0), 0)
        assert "take-ledger" in session.scalars(sa.select(AuditRow.action)).all()
    told = {row.person for one in rosters_told(estate, put_back.near) for row in _people(one)}
    assert put_back.stays.person in told
    assert put_back.gone.person not in told
    published = [
        RELAY.decode(one.kind, one.body) for one in estate.links.pending(CLOUD, 0, limit=999)
    ]
    closed = [n for n, one in enumerate(published) if isinstance(one, InvitationsWithdrawn)]
    opened = [
        n
        for n, one in enumerate(published)
        if isinstance(one, InvitationsPublished)
        and put_back.invitation in {each.id for each in one.invitations}
    ]
    assert max(closed) > max(opened, default=-1)  # the cloud is not told that it is open again


def test_a_face_that_was_given_again_before_the_backup_stays(lite: Bench) -> None:
    estate, ada = lite.estate, settle(lite, "Ada Resident", "13800000001", "188,24910")
    with estate.changer.change() as change:
        forget_face(change, get_person(change.session, ada.person))
    with estate.reading() as session:
        (row,) = rows_after(session, 0)
    assert (row.kind, row.subject) == ("face-erased", ada.person)
    with Session(estate.engine) as session, session.begin():  # a backup that has not heard of it
        session.execute(sa.delete(LinkLedger))
    with estate.changer.change() as change:
        person = get_person(change.session, ada.person)
        space, face = estate.pack.template_space, np.frombuffer(ada.template, "<f4")
        store_template(change, person, space, face, photos=3)
        change.session.get_one(Template, ada.person).created_at = row.at + 1
    for at, stays in ((row.at, True), (row.at + 1, False)):
        later = msgspec.structs.replace(row, at=at)
        with estate.changer.change() as change:
            assert replay(change, estate.links, [later], lambda _: None) == 1
        with estate.reading() as session:
            assert (session.get(Template, ada.person) is not None) == stays


def _people(told: Told) -> Sequence[Any]:
    return told.people if isinstance(told, RosterSnapshot) else told.upserts


@pytest.mark.parametrize("source", ["door", "cloud"])
def test_either_copy_alone_is_enough_once_the_others_had_time_to_come(
    put_back: Restored, source: str
) -> None:
    put_back.up.add(put_back.near if source == "door" else CLOUD)
    put_back.recovery.step()
    assert not serves(put_back.estate)  # the others may still come
    put_back.seconds[0] += PATIENCE_S
    assert put_back.recovery.step()
    assert serves(put_back.estate)
    assert put_back.is_erased()
    put_back.up.update({put_back.near, CLOUD})
    assert not put_back.recovery.step()  # now all have been heard, and nothing is left to ask
    with put_back.estate.reading() as session:
        assert find_wait(session) is None


def test_while_it_waits_nothing_is_answered_and_nothing_changed_but_what_keeps_people_safe(
    put_back: Restored, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = put_back.estate
    monkeypatch.setattr("community_server.cloud_link.GATE_PATIENCE_S", 0.01)
    with pytest.raises(LedgerAwaited):
        records_of(put_back.bench).prepare(CLOUD, "envelope-deposited", b"")
    question = DoorKeyWanted()
    with pytest.raises(RequestRefused) as refused:
        estate.doors._records.answer(
            put_back.near, ESTATE.kind(question), ESTATE.encode(question), 0.0
        )
    assert refused.value.code == "ledger-awaited"
    with InProcess(estate) as desk:
        assert 'data-testid="ledger-awaited"' in desk.get("/people").text
        body = {"kind": "resident", "name": "Bea", "unit": "1-103"}
        assert code(desk.send("invitations", body)) == "ledger-awaited"
        assert desk.submit(f"/people/{put_back.stays.person}/pin").status_code == 409
        lockdown = {"active": True, "reason": "a test", "password": PASSWORD}
        assert desk.send("lockdown", lockdown).is_success
        assert desk.call("ledger")["waiting"]
    assert rosters_told(estate, put_back.near) == []


def test_staff_go_on_without_it_by_name_and_what_comes_later_still_counts(
    put_back: Restored,
) -> None:
    estate, asking = put_back.estate, put_back.recovery
    with InProcess(estate) as desk:
        wrong = {"reason": "cannot-wait", "password": "not it"}
        assert code(desk.send("ledger/skip", wrong)) == "password-not-yours"
        unknown = {"reason": "", "password": PASSWORD}
        assert code(desk.send("ledger/skip", unknown)) == "ledger-reason-unknown"
        assert desk.submit("/ledger", reason="cannot-wait", password=PASSWORD).is_success
        again = {"reason": "cannot-wait", "password": PASSWORD}
        assert code(desk.send("ledger/skip", again)) == "ledger-not-awaited"
    assert serves(estate)
    assert not put_back.is_erased()
    other = settle(put_back.bench, "Other Gone", "13800000007", "188,24997")
    erase(put_back.bench, other)  # a branch: this row has the number of one that was lost
    with estate.reading() as session:
        row = session.scalars(sa.select(AuditRow).where(AuditRow.action == "skip-ledger")).one()
        assert (row.detail, bool(row.staff_id)) == ("cannot-wait", True)

    put_back.up.add(put_back.near)
    assert asking.step()
    assert put_back.is_erased()
    with estate.reading() as session:
        rows = rows_after(session, 0)
    assert {row.subject for row in rows} >= {other.person, put_back.gone.person, put_back.far}
    assert is_unbroken(rows, 0)
    put_back.door.hear(estate)
    with Session(put_back.door.engine) as session:
        held = hand_back(session, put_back.door.server, LedgerWanted(0)).rows
    assert set(held) > set(rows)  # both branches, and neither undoes the other
    assert is_unbroken(held, 0)


def test_a_server_that_is_put_back_twice_waits_again_after_a_restart(
    put_back: Restored,
) -> None:
    settings = put_back.estate.settings
    put_back.estate.close()
    again = open_estate(settings)
    try:
        assert not serves(again)
        again.recovery.open(STAFF, "copies-lost")
    finally:
        again.close()
    third = open_estate(settings)
    assert serves(third)
    third.close()
    put_back.bench.estate = third


Spoil = Callable[[list[LedgerRow]], list[LedgerRow]]


@pytest.mark.parametrize(
    "spoil",
    [
        lambda rows: [msgspec.structs.replace(rows[0], subject="f" * 32), *rows[1:]],
        lambda rows: [rows[0], *rows[2:]],
        lambda rows: rows[1:],
    ],
    ids=["forged", "hole", "beginning"],
)
def test_a_copy_that_was_tampered_with_is_named_and_does_not_count(
    put_back: Restored, monkeypatch: pytest.MonkeyPatch, spoil: Spoil
) -> None:
    asked = __import__("community_server.ledger.recovery", fromlist=["ask"]).ask
    monkeypatch.setattr("community_server.ledger.recovery.ask", lambda *given: spoil(asked(*given)))
    put_back.up.update({put_back.near, CLOUD})
    put_back.recovery.step()
    put_back.seconds[0] += PATIENCE_S
    put_back.recovery.step()
    assert not serves(put_back.estate)
    assert {one.state for one in put_back.recovery.sources() if one.peer != put_back.far} == {
        "refused"
    }
    assert put_back.estate.name_of(put_back.stays.person)


def test_an_estate_without_doors_and_cloud_waits_for_nobody(
    lite: Bench, models: Path, tmp_path: Path
) -> None:
    with Session(lite.estate.engine) as session, session.begin():
        session.execute(sa.text("UPDATE community SET cloud_key = NULL"))
    settle(lite, "Ada Resident", "13800000001", "188,24910")
    made = back_up(lite, tmp_path / "backups")
    settings = Settings(data=tmp_path / "elsewhere", models=models)
    restore(settings, made.data, made.keys, kit_of(lite.estate))
    estate = open_estate(settings)
    assert not serves(estate)
    assert not estate.recovery.step()
    assert serves(estate)
    estate.close()


def test_a_door_that_is_paired_later_gets_all_of_it(lite: Bench, tmp_path: Path) -> None:
    gone = settle(lite, "Gone Resident", "13800000009", "188,24999")
    erase(lite, gone)
    estate, key = lite.estate, Ed25519PrivateKey.generate().public_key().public_bytes_raw()
    with estate.changer.change() as change:
        door = add_door(change.session, "South gate", "both")
        issued = estate.doors.issue_code(change.session, door).code
    locator = derive_locator(issued)
    start = PairStart(1, "door", locator, secrets.token_bytes(32), key, "South gate")
    estate.doors._complete(estate.codes.attempt(locator, "door"), start)
    with door_copy(tmp_path, estate, door) as copy:
        copy.hear(estate)
        with Session(copy.engine) as session:
            held = hand_back(session, copy.server, LedgerWanted(0)).rows
    assert [row.subject for row in held] == [gone.person]
