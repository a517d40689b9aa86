"""A service worker's stays outlive the entries that they were put together from, as counts."""

import secrets

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from community_server.database import now
from community_server.entries.forgetting import forget_entries
from community_server.services.stays import forget_old_stays
from community_server.services.tables import StayCount, WorkerStay
from tests.community_server.bench import Bench
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess

DAY = 24 * 3600
KEPT = 180 * DAY


def test_stays_that_were_counted_stay_counted_whatever_arrives_late(own: Bench) -> None:
    log = Log(own.estate)
    gate = log.door("Service gate", "in")
    out = log.door("Service gate, out", "out")
    with InProcess(log.estate) as desk:
        company = desk.send(
            "companies", {"name": f"Tailwind {secrets.token_hex(3)}", "kind": "courier"}
        ).json()["company"]
        worker = desk.send(f"companies/{company}/workers", {"name": "He", "unit": "1-101"}).json()[
            "person"
        ]
    whose = {"person": worker, "category": "service"}
    begins = now() - KEPT - 3 * DAY
    for hours in (0, 48):
        log.entry(gate, begins + hours * 3600, direction="in", **whose)
        log.entry(out, begins + hours * 3600 + 600, direction="out", **whose)
    log.entry(gate, now())

    def stays() -> tuple[int, int]:
        with log.estate.reading() as session:
            counts = select(func.sum(StayCount.count)).where(StayCount.company_id == company)
            rows = select(func.count()).where(WorkerStay.person_id == worker)
            return int(session.scalar(counts) or 0), int(session.scalar(rows) or 0)

    assert stays() == (2, 2)
    with Session(log.estate.engine) as session, session.begin():
        assert forget_entries(session, now() - KEPT, 500) == 4
    # A door that was offline tells of a time whose entries are forgotten.
    log.entry(gate, begins + 3600, direction="in", **whose)
    assert stays() == (2, 2)
    log.entry(gate, now(), direction="in", **whose)
    assert stays() == (3, 3)
    with Session(log.estate.engine) as session, session.begin():
        assert forget_old_stays(session, now() - KEPT, 500) == 2
    assert stays() == (3, 1)


def test_a_stay_whose_beginning_is_forgotten_is_neither_changed_nor_counted_again(
    own: Bench,
) -> None:
    log = Log(own.estate)
    gate, yard = log.door("Service gate", "in"), log.door("Yard", "in")
    with InProcess(log.estate) as desk:
        checked_in = {"new_company": "Tailwind", "name": "He", "unit": "1-101"}
        worker = desk.send("check-ins", checked_in).json()["person"]
    whose = {"person": worker, "category": "service", "direction": "in"}
    horizon = now() - KEPT
    log.entry(gate, horizon - 3600, **whose)
    log.entry(yard, horizon + 3600, **whose)
    log.entry(gate, now())
    with Session(log.estate.engine) as session, session.begin():
        assert forget_entries(session, horizon, 500) == 1
    log.entry(yard, horizon + 7200, **whose)
    with log.estate.reading() as session:
        (stay,) = session.scalars(select(WorkerStay)).all()
        assert stay.begins == (horizon - 3600) * 1000
        assert session.scalar(select(func.sum(StayCount.count))) == 1
