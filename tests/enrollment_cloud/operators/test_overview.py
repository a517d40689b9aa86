from dataclasses import replace

import pytest
from sqlalchemy.orm import Session

from enrollment_cloud.communities.presence import LINKED_WITHIN_S, note_links
from enrollment_cloud.communities.tables import Community
from enrollment_cloud.database import Database
from enrollment_cloud.enrollment.tables import Envelope
from enrollment_cloud.operators import accounts, overview, service
from enrollment_cloud.operators.accounts import SignedIn
from enrollment_cloud.operators.overview import PAGE_SIZE, Seen, owns, see_communities
from tier_kit.forms.errors import Malformed, NotFound
from tier_link.store import PairingCodes

NOW = 1_795_000_000
HOUR = 3600


def operator(session: Session, group: str | None) -> SignedIn:
    issued = accounts.add_operator(session, "Ada", group, NOW)
    return SignedIn(issued.operator, "Ada", group, "csrf")


def see(database: Database, group: str | None = None, **more: str) -> list[Seen]:
    with database.read() as session:
        return see_communities(session, group, NOW, **more)


def put(session: Session, community: str, number: int, *, at: int, collected: bool) -> None:
    session.add(
        Envelope(
            community=community,
            id=f"{number:032x}",
            invitation="0" * 32,
            digest=b"",
            size=1,
            sequence=number,
            received_at=at,
            expires_at=at + 24 * HOUR,
            collected_at=at if collected else None,
        )
    )


def test_a_groups_staff_see_their_communities_and_the_providers_see_all(
    database: Database,
) -> None:
    with database.write.begin() as session:
        ours, theirs = (accounts.add_group(session, name, NOW).id for name in ("Ours", "Theirs"))
        for group in (ours, theirs, None):
            service.register(session, operator(session, group), f"Court of {group}", NOW)
    assert [one.name for one in see(database, ours)] == [f"Court of {ours}"]
    assert [one.name for one in see(database, theirs)] == [f"Court of {theirs}"]
    assert {one.group for one in see(database)} == {"Ours", "Theirs", None}


def test_nobody_touches_another_groups_community(database: Database) -> None:
    codes = PairingCodes(database.engine)
    with database.write.begin() as session:
        ours, theirs = (accounts.add_group(session, name, NOW).id for name in ("Ours", "Theirs"))
        mine, stranger = operator(session, ours), operator(session, theirs)
        community = service.register(session, mine, "Sunny Court", NOW).id
        own = service.register(session, operator(session, None), "Provider's Court", NOW).id
    with database.read() as session:
        assert owns(session, ours, community)
        assert not owns(session, theirs, community)
        assert not owns(session, ours, own)
        assert owns(session, None, community)
    for who, target in ((stranger, community), (mine, own)):
        with pytest.raises(NotFound), database.write.begin() as session:
            service.make_code(session, codes, who, target, NOW)
        with pytest.raises(NotFound), database.write.begin() as session:
            service.revoke(session, who, target, target, NOW)


def test_closing_takes_the_id_once_more_and_is_noted_with_who_did_it(database: Database) -> None:
    with database.write.begin() as session:
        who = operator(session, None)
        community = service.register(session, who, "Sunny Court", NOW).id
    with pytest.raises(Malformed, match="confirmation-wrong"), database.write.begin() as session:
        service.revoke(session, who, community, "sunny", NOW)
    with database.write.begin() as session:
        service.revoke(session, who, community, f" {community} ", NOW + 1)
    with database.read() as session:
        row = session.get_one(Community, community)
        acts = service.acts_on(session, community)
    assert row.revoked_at == NOW + 1
    assert acts == [(NOW, "Ada", "registered"), (NOW + 1, "Ada", "revoked")]
    assert [one.state for one in see(database)] == ["revoked"]


def test_what_waits_and_what_came_today_is_counted_for_each(database: Database) -> None:
    with database.write.begin() as session:
        who = operator(session, None)
        busy, quiet = (service.register(session, who, name, NOW).id for name in ("A", "B"))
        session.flush()
        put(session, busy, 1, at=NOW - 2 * HOUR, collected=False)
        put(session, busy, 2, at=NOW - HOUR, collected=False)
        put(session, busy, 3, at=NOW - HOUR, collected=True)
        put(session, busy, 4, at=NOW - 30 * HOUR, collected=False)  # its time is over
    seen = {one.id: one for one in see(database)}
    counted = seen[busy]
    assert (counted.waiting, counted.waiting_since, counted.taken) == (2, NOW - 2 * HOUR, 3)
    assert replace(seen[quiet], id="", name="") == Seen(
        "", "", None, "unpaired", False, None, 0, None, 0
    )


def test_a_link_counts_as_up_while_some_process_notes_it(database: Database) -> None:
    with database.write.begin() as session:
        who = operator(session, None)
        up, gone = (service.register(session, who, name, NOW).id for name in ("A", "B"))
        note_links(session, [up, gone], NOW - LINKED_WITHIN_S)
        note_links(session, [up], NOW - 1)
        note_links(session, [], NOW)
    linked = {one.id: (one.linked, one.seen_at) for one in see(database)}
    assert linked == {up: (True, NOW - 1), gone: (False, NOW - LINKED_WITHIN_S)}


def test_many_are_shown_page_by_page_and_found_by_name_or_id(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(overview, "PAGE_SIZE", 2)
    assert PAGE_SIZE > 2
    with database.write.begin() as session:
        who = operator(session, None)
        for name in ("Alder", "Birch", "100% Oak", "阳光小区"):
            service.register(session, who, name, NOW)
    first = see(database)
    rest = see(database, after=first[-1].id)
    assert len(first) == len(rest) == 2
    assert first[-1].id < rest[0].id
    assert [one.name for one in see(database, find="bIRc")] == ["Birch"]
    assert [one.name for one in see(database, find="100%")] == ["100% Oak"]
    assert [one.name for one in see(database, find="阳光")] == ["阳光小区"]
    assert [one.name for one in see(database, find="alder-")] == ["Alder"]
