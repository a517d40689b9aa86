"""Faces are counted towards the number from which filing is due, by numbers that name nobody."""

from collections.abc import Sequence

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.alarms.tables import Alarm
from community_server.erasure import remove_person
from community_server.people import census
from community_server.people.tables import FaceMonth
from community_server.privacy.details import Census, Details, take_census
from community_server.privacy.service import save_details
from community_server.sweeper import Sweeper
from gatehouse.sample_people import SamplePerson
from tests.community_server.bench import STAFF, Bench


def enroll(bench: Bench, photo: bytes, name: str) -> str:
    invitation, person = bench.invite(name=name)
    draft = bench.draft(invitation, [photo])
    bench.send(draft)
    bench.decide(draft.envelope, "approve")
    return person


def counted(bench: Bench) -> tuple[int, int]:
    with bench.estate.reading() as session:
        found = take_census(session)
        return found.held, found.year


def test_who_was_erased_still_counts_for_the_year_and_no_row_names_anybody(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    assert counted(own) == (0, 0)
    ada = enroll(own, people[0].portrait, "Ada")
    enroll(own, people[1].portrait, "Ben")
    assert counted(own) == (2, 2)
    with own.estate.changer.change() as change:
        remove_person(change, own.estate.links, ada)
    assert counted(own) == (1, 2)
    # Renewing a face is not another person's.
    with own.estate.reading() as session:
        rows = session.scalars(select(FaceMonth)).all()
        assert [(row.held, row.added) for row in rows] == [(0, 2)]
    assert {column.key for column in FaceMonth.__table__.columns} == {"month", "held", "added"}


@pytest.mark.parametrize(
    ("present", "year"), [("2026-11", 5 + 1 + 2 + 4), ("2027-10", 7 + 4), ("2027-11", 12)]
)
def test_twelve_months_are_looked_back(
    own: Bench, monkeypatch: pytest.MonkeyPatch, present: str, year: int
) -> None:
    with Session(own.estate.engine) as session, session.begin():
        for month, held, added in (
            ("2025-11", 90, 90),
            ("2025-12", 5, 1),
            ("2026-01", 6, 2),
            ("2026-11", 7, 4),
            ("2027-11", 12, 0),
        ):
            if month <= present:
                session.add(FaceMonth(month=month, held=held, added=added))
    monkeypatch.setattr(census, "_month", lambda _: present)
    assert counted(own) == (0, year)


def test_an_alarm_comes_at_eighty_percent_with_what_is_held_elsewhere_and_ends_below(
    own: Bench, people: Sequence[SamplePerson]
) -> None:
    def alarms() -> list[int]:
        Sweeper.of(own.estate).sweep()
        with own.estate.reading() as session:
            kind = select(Alarm.cleared_at).where(Alarm.kind == "filing-near")
            return [min(cleared, 1) for cleared in session.scalars(kind)]

    enroll(own, people[0].portrait, "Ada")
    save_details(own.estate, STAFF, Details("Property", "desk", 79_998))
    assert alarms() == []
    save_details(own.estate, STAFF, Details("Property", "desk", 79_999))
    assert alarms() == [0]
    save_details(own.estate, STAFF, Details("Property", "desk", 5))
    assert alarms() == [1]
    assert Census(held=0, year=50_000, others=30_000).near
    assert not Census(held=0, year=50_000, others=29_999).near
