"""Who looked at what of whom can be asked by person, by member of staff and by time."""

import secrets
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, update
from sqlalchemy.orm import Session

from community_server.audit.log import audit
from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.entries.looks import state_reason
from community_server.estate import Estate
from community_server.staff.permissions import Role
from tests.community_server.bench import Bench
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess, code
from tests.community_server.staff.desks import hire


@pytest.fixture
def desk(estate: Estate) -> Iterator[InProcess]:
    with Session(estate.engine) as session, session.begin():
        session.execute(delete(AuditRow))
    with InProcess(estate) as desk:
        yield desk


def asked(desk: InProcess, **query: str) -> list[tuple[str, str]]:
    return [(one["action"], one["person"]) for one in desk.call("privacy/looks", **query)]


def test_looks_are_found_by_whom_they_were_about_and_by_who_looked(desk: InProcess) -> None:
    estate = desk.estate
    log = Log(estate)
    ada, ben = log.person("Ada Zhou", "7-701"), log.person("Ben", "7-702")
    guard = hire(Bench(estate), f"guard-{secrets.token_hex(2)}", Role.GUARD)
    manager = hire(Bench(estate), f"manager-{secrets.token_hex(2)}", Role.MANAGER)
    entry = log.entry(log.door("Gate"), granted=False, person=ada)
    with estate.changer.change() as change:
        audit(change.session, guard, "look", ada)
        state_reason(change, manager, frozenset({ben}), "other", "about the bicycle")
        audit(change.session, manager, "see-snapshot", entry)
        audit(change.session, manager, "suspend", ada)  # a deed, not a look
    assert asked(desk, who="Zhou") == [("see-snapshot", ada), ("look", ada)]
    assert asked(desk, who="7-702") == [("look-at-entries", ben)]
    assert asked(desk, person=ada, staff=guard) == [("look", ada)]
    assert asked(desk, staff=manager) == [("see-snapshot", ada), ("look-at-entries", ben)]
    assert asked(desk, staff=manager, action="see-snapshot") == [("see-snapshot", ada)]
    (look,) = desk.call("privacy/looks", person=ben, staff=manager)
    assert (look["role"], look["reason"], look["note"]) == ("manager", "other", "about the bicycle")
    page = desk.get("/officer/looks", person=ben).text
    assert "about the bicycle" in page
    assert "Ben" in page
    # Whoever asks about one person stands in the list, too, once in a while.
    (desks,) = [one for one in desk.call("privacy/looks", who="7-702") if one["by"] == "desk"]
    assert (desks["action"], desks["person"]) == ("look", ben)


def test_looks_are_found_by_their_time_a_page_at_a_time(desk: InProcess) -> None:
    person = Log(desk.estate).person("Cai", "7-703")
    for number in range(5):
        with desk.estate.changer.change() as change:
            audit(change.session, f"{number:032x}", "look", person)
    with Session(desk.estate.engine) as session, session.begin():
        for number in range(5):
            aged = update(AuditRow).where(AuditRow.staff_id == f"{number:032x}")
            session.execute(aged.values(at=now() - (5 - number) * 3600))

    def who(**query: str) -> list[int]:
        rows = desk.call("privacy/looks", person=person, **query)
        return [int(row["staff"], 16) for row in rows if row["by"] != "desk"]

    assert who() == [4, 3, 2, 1, 0]
    assert who(since=str(now() - 3 * 3600 - 60)) == [4, 3, 2]
    assert who(until=str(now() - 3 * 3600 - 60)) == [1, 0]
    first = desk.call("privacy/looks", person=person, until=str(now() - 1800), limit="2")
    assert who(before=str(first[-1]["number"]), limit="2") == [2, 1]
    assert code(desk.get("/api/v1/privacy/looks?since=yesterday")) == "time-unreadable"
    assert desk.get("/officer/looks?since=yesterday").status_code == 422
