"""What was taken away since last week's backup stays so: the ledger says it, kind by kind."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.backups.making import Made
from community_server.backups.restoring import restore
from community_server.cards.service import take_card
from community_server.cards.tables import Card
from community_server.database import now
from community_server.estate import Estate, open_estate
from community_server.invitations.service import withdraw_invitation
from community_server.invitations.tables import Invitation
from community_server.keys.retiring import retire
from community_server.keys.root import root_key
from community_server.keys.tables import CertifiedKey
from community_server.ledger.replay import replay
from community_server.ledger.service import lock_end, rows_after
from community_server.passes.queries import revoked_passes
from community_server.passes.service import give_pass, take_pass_back
from community_server.passes.tables import Pass
from community_server.settings import Settings
from community_server.staff.accounts import remove_account, set_disabled
from community_server.staff.permissions import Role
from community_server.staff.tables import ApiToken, StaffMember
from community_server.staff.tokens import make_token, revoke_token
from community_server.visits.links import make_home_link, make_poster, withdraw_home_link
from community_server.visits.tables import VisitLink
from tests.community_server.backups.estates import back_up, kit_of, pair_door, settle
from tests.community_server.bench import STAFF, Bench, prepare
from tests.community_server.ledger.copies import cloud_copy
from tier_link.ledger import LedgerRow, is_unbroken, pass_subject, write_row


def hire(estate: Estate, name: str, role: Role = Role.GUARD) -> str:
    with Session(estate.engine) as session, session.begin():
        row = StaffMember(
            id=name.encode().hex().ljust(32, "0"),
            username=name,
            password_hash="$argon2id$",  # noqa: S106 - no hash of anything
            role=role,
            created_at=now(),
        )
        session.add(row)
        return row.id


@dataclass
class Taken:
    """What was there at the backup, and was taken away since; and the estate put back to it."""

    invitation: str
    home: str
    poster: str
    card: str
    guest_pass: str
    later_pass: str
    closed: str
    removed: str
    last: str
    token: str
    pass_key: str
    estate: Estate


def _let_go(before: Estate, closed: str, removed: str, last: str, token: str) -> None:
    """Take away what staff and programs have; a successor is administrator, whom no backup has."""
    successor = hire(before, "successor", Role.ADMINISTRATOR)
    with before.changer.change() as change:
        set_disabled(change, STAFF, closed, disabled=True)
        remove_account(change, STAFF, removed)
        remove_account(change, successor, last)
        revoke_token(change, STAFF, token)
        retire(change, before.links, STAFF, "pass", since=0, unsealed_uploads=False)


@pytest.fixture(scope="module")
def taken(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Taken]:
    folder = tmp_path_factory.mktemp("taken")
    before = open_estate(Settings(data=folder / "data", models=models))
    prepare(before)
    bench = Bench(before)
    door = pair_door(bench)
    ada = settle(bench, "Ada Resident", "13800000001", "188,24910").person
    invitation, bea = bench.invite(name="Bea", unit="1-102")
    _, guest = bench.invite("visitor", name="Guest")
    closed, removed = hire(before, "closed"), hire(before, "removed")
    with before.changer.change() as change:
        make_home_link(change, before.links, ada)
        make_poster(change, before.links, door)
        guest_pass = give_pass(change, guest).pass_id
        token, _ = make_token(change, STAFF, "Reader", ["see-people"], now() + 3600)
    with before.reading() as session:
        card = session.scalars(select(Card.id)).one()
        last = session.scalars(
            select(StaffMember.id).where(StaffMember.role == Role.ADMINISTRATOR)
        ).one()
        home, poster = (
            session.scalars(select(VisitLink.id).where(VisitLink.kind == kind)).one()
            for kind in ("home", "poster")
        )
        pass_key = session.scalars(
            select(CertifiedKey.id).where(CertifiedKey.purpose == "pass")
        ).one()
    made = back_up(bench, folder / "backups")
    kept = Made(made.data.rename(folder / "data.b"), made.keys.rename(folder / "keys.b"), 0)
    with before.changer.change() as change:
        withdraw_invitation(change, before.links, bea)
        withdraw_home_link(change, before.links, ada)
        make_poster(change, before.links, door)  # in place of the one that is on the wall
        take_card(change, ada, card)
        take_pass_back(change, guest)
        later_pass = give_pass(change, guest).pass_id
        take_pass_back(change, guest)
    _let_go(before, closed, removed, last, token)
    with cloud_copy(folder, before) as cloud:
        cloud.hear(before)
        settings = Settings(data=folder / "elsewhere", models=models)
        restore(settings, kept.data, kept.keys, kit_of(before))
        estate = open_estate(settings)
        estate.recovery.door_link = lambda _: None
        estate.recovery.cloud_link = cloud.link
        seconds = [0.0]
        estate.recovery.clock = lambda: seconds[0]
        with estate.reading() as session:  # the backup knows no better
            assert session.get(Card, card) is not None
            assert session.get_one(Invitation, invitation.id).state == "open"
        estate.recovery.step()
        seconds[0] = 1000.0
        estate.recovery.step()
        assert estate.gate.is_open
        yield Taken(
            *(invitation.id, home, poster, card, guest_pass, later_pass),
            *(closed, removed, last, token, pass_key, estate),
        )
        estate.close()
    before.close()


def test_no_link_comes_back(taken: Taken) -> None:
    with taken.estate.reading() as session:
        assert session.get_one(Invitation, taken.invitation).state == "withdrawn"
        assert session.get_one(VisitLink, taken.home).state == "withdrawn"
        assert session.get_one(VisitLink, taken.poster).state == "withdrawn"


def test_no_card_comes_back(taken: Taken) -> None:
    with taken.estate.reading() as session:
        assert session.get(Card, taken.card) is None


def test_no_pass_comes_back_nor_one_that_the_backup_never_knew(taken: Taken) -> None:
    with taken.estate.reading() as session:
        assert session.get_one(Pass, taken.guest_pass).revoked_at
        assert {taken.guest_pass, taken.later_pass} <= set(revoked_passes(session, now()))


def test_no_closed_account_comes_back_but_the_one_without_whom_nobody_could_sign_in(
    taken: Taken,
) -> None:
    with taken.estate.reading() as session:
        states = {
            one: session.get_one(StaffMember, one).state
            for one in (taken.closed, taken.removed, taken.last)
        }
        assert states == {
            taken.closed: "disabled",
            taken.removed: "removed",
            taken.last: "active",
        }
        noted = select(AuditRow.subject).where(AuditRow.action == "keep-last-administrator")
        assert session.scalars(noted).all() == [taken.last]


def test_no_programs_token_comes_back(taken: Taken) -> None:
    with taken.estate.reading() as session:
        assert session.get_one(ApiToken, taken.token).revoked_at


def test_no_retired_key_comes_back(taken: Taken) -> None:
    with taken.estate.reading() as session:
        row = session.get_one(CertifiedKey, taken.pass_key)
        assert (row.private, bool(row.retired_at)) == (None, True)
        assert taken.pass_key not in {
            one.id
            for one in session.scalars(select(CertifiedKey).where(CertifiedKey.retired_at == 0))
        }


def test_the_ledger_is_one_chain_and_says_each_once(taken: Taken) -> None:
    with taken.estate.reading() as session:
        rows = rows_after(session, 0)
    assert is_unbroken(rows, 0)
    said = [(row.kind, row.subject) for row in rows]
    assert len(said) == len(set(said))
    assert ("pass-revoked", pass_subject(taken.later_pass)) in said


def test_a_kind_that_is_not_known_here_is_kept_and_passed_on(taken: Taken) -> None:
    estate = taken.estate
    with estate.changer.change() as change:
        end, root = lock_end(change.session), root_key(change.session, change.safe)
        strange: LedgerRow = write_row(
            root, end.count + 1, "lift-stopped", "f" * 32, now(), end.head
        )
        assert replay(change, estate.links, [strange], lambda _: None) == 1
    with estate.reading() as session:
        assert rows_after(session, 0)[-1] == strange
