"""Old entries go in small batches; their counts stay, and none comes back as a new one."""

import secrets
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.doors.service import get_door
from community_server.entries.forgetting import forget_entries
from community_server.entries.tables import Entry, EntryHour
from community_server.estate import Estate
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess

DAY = 24 * 3600
KEPT = 180 * DAY


@pytest.fixture
def log(estate: Estate) -> Log:
    with Session(estate.engine) as session, session.begin():
        for row in session.scalars(select(Entry)):
            session.delete(row)
    return Log(estate)


def forget(log: Log, most: int = 500) -> list[int]:
    """Forget what is older than half a year; return how many went in each transaction."""
    batches = []
    while True:
        with Session(log.estate.engine) as session, session.begin():
            batches.append(forget_entries(session, now() - KEPT, most))
        if not batches[-1]:
            return batches


def here(log: Log) -> list[str]:
    return [one.entry for one in log.everything()]


def counted(log: Log) -> int:
    with log.estate.reading() as session:
        return int(session.scalar(select(func.sum(EntryHour.count))) or 0)


def test_old_entries_go_a_batch_at_a_time_and_what_was_counted_of_them_stays(log: Log) -> None:
    gate, before = log.door("Gate"), counted(log)
    old = [log.entry(gate, now() - KEPT - DAY - number, person="a" * 32) for number in range(7)]
    young = [log.entry(gate, now() - KEPT + DAY), log.entry(gate, now())]
    assert forget(log, most=3) == [3, 3, 1, 0]
    assert here(log) == young
    assert counted(log) == before + len(old) + len(young)


def test_a_report_of_a_day_without_entries_still_tells_of_it(log: Log) -> None:
    zone = ZoneInfo(log.estate.settings.time_zone)
    at = now() - KEPT - 5 * DAY
    day = datetime.fromtimestamp(at, zone).date().isoformat()
    gate = log.door("Far gate")
    log.entry(gate, at, person="b" * 32)
    log.entry(gate, at + 1, granted=False)
    log.entry(gate, now())
    with InProcess(log.estate) as desk:
        before = desk.call(f"reports/{day}")
        assert (before["figures"]["granted"], before["figures"]["refused"]) == (1, 1)
        forget(log)
        assert desk.call(f"reports/{day}") == before
        assert desk.send(f"reports/{day}/signature", {"note": ""}).status_code == 204
        signed = desk.call(f"reports/{day}")
        assert signed["figures"] == before["figures"]
        assert desk.call("analysis", days="365", door=gate)["by_door"] == {
            gate: {"granted": 2, "refused": 1}
        }


def test_a_door_that_sends_forgotten_entries_again_makes_none_and_counts_none(log: Log) -> None:
    gate = log.door("Gate that was offline for long")
    messages = [log.message(now() - KEPT - DAY + number, person="c" * 32) for number in range(4)]
    messages.append(log.message(0, time_known=False))  # its clock had not come back
    messages.append(log.message(now()))
    log.tell(gate, *messages)
    forget(log)
    kept, before = here(log), counted(log)
    log.tell(gate, *messages)  # as it does to a server that came back from a backup
    assert here(log) == kept
    assert counted(log) == before
    assert kept == [messages[4].entry, messages[5].entry]
    # What it has not told yet is news, however old.
    late = log.message(now() - KEPT - DAY)
    log.tell(gate, late)
    assert late.entry in here(log)
    assert counted(log) == before + 1


def test_another_terminal_counts_from_one_and_is_heard(log: Log) -> None:
    gate = log.door("Gate with a new terminal")
    log.told = 90
    old = log.message(now() - KEPT - DAY)
    log.tell(gate, old)
    log.entry(gate, now())
    forget(log)
    with log.estate.changer.change() as change:
        door = get_door(change.session, gate, lock=True)
        log.estate.configurer.welcome(change, door, secrets.token_bytes(32))
    log.told = 0
    first = log.entry(gate, now() - KEPT - 2 * DAY)
    assert first in here(log)
    # Entries of the terminal before that are forgotten only now say nothing of the new one either.
    with Session(log.estate.engine) as session, session.begin():
        session.execute(
            update(Entry).where(Entry.door_id == gate).values(at=0, received_at=now() - 2 * DAY)
        )
    log.entry(gate, now())
    forget(log)
    again = log.message(now() - KEPT - DAY)
    log.tell(gate, again)
    assert again.entry in here(log)


def test_an_entry_from_a_clock_that_ran_ahead_goes_by_its_arrival(log: Log) -> None:
    gate = log.door("Gate from the future")
    ahead = log.entry(gate, now() + 400 * DAY)
    log.entry(gate, now())
    with Session(log.estate.engine) as session, session.begin():
        arrived = update(Entry).where(Entry.entry == ahead)
        session.execute(arrived.values(received_at=now() - KEPT - 2 * DAY))
    forget(log)
    assert ahead not in here(log)


def test_the_newest_entry_keeps_its_number_and_names_nobody(log: Log) -> None:
    gate = log.door("Gate of an empty house")
    *_, last = [
        log.entry(gate, now() - KEPT - DAY + number, person="d" * 32) for number in range(3)
    ]
    number = log.everything()[-1].number
    forget(log)
    (left,) = log.everything()
    assert (left.entry, left.number, left.person) == (last, number, "")
    following = log.entry(gate, now())
    assert [one.number > number for one in log.everything() if one.entry == following] == [True]
    forget(log)
    assert here(log) == [following]
