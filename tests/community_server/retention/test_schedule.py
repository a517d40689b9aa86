"""For how long data is kept: set within bounds by those who may, and said to everybody."""

import re
from collections.abc import Iterator

import pytest
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from community_server.audit.tables import AuditRow
from community_server.database import now
from community_server.doors.routes import DoorChange, alter
from community_server.estate import Estate
from community_server.own_forms.limits import FormLimits
from community_server.retention.schedule import BOUNDS, Kind
from community_server.retention.tables import RetentionSetting
from community_server.staff.permissions import Role
from community_server.staff.tables import StaffSession
from tests.community_server.bench import STAFF, Bench
from tests.community_server.entries.log import Log
from tests.community_server.in_process import InProcess, code
from tests.community_server.staff.desks import hire
from tier_kit.forms.limits import RateLimit

NOBODY = "no such token"


@pytest.fixture
def desk(estate: Estate) -> Iterator[InProcess]:
    with InProcess(estate) as desk:
        yield desk
    with Session(estate.engine) as session, session.begin():
        session.execute(delete(RetentionSetting))


def kept(desk: InProcess) -> dict[str, int]:
    return {one["kind"]: one["keep"] for one in desk.call("retention")}


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_every_kind_begins_with_its_usual_time_which_is_within_its_bounds(desk: InProcess) -> None:
    assert kept(desk) == {kind: BOUNDS[kind].usual for kind in Kind}
    for bounds in BOUNDS.values():
        assert 0 < bounds.least <= bounds.usual <= bounds.most


@pytest.mark.parametrize("kind", Kind)
def test_a_time_is_set_within_its_bounds_and_no_further(desk: InProcess, kind: Kind) -> None:
    bounds = BOUNDS[kind]
    for keep in (bounds.least, bounds.most):
        page = desk.submit("/officer/retention", **{kind: str(keep)})
        assert page.status_code == 200
        assert kept(desk)[kind] == keep
    for keep in (bounds.least - 1, bounds.most + 1):
        refused = desk.submit("/officer/retention", **{kind: str(keep)})
        assert refused.status_code == 422
        assert 'aria-invalid="true"' in refused.text
    assert desk.submit("/officer/retention", **{kind: "for ever"}).status_code == 422
    assert kept(desk)[kind] == bounds.most
    with desk.estate.reading() as session:
        rows = select(AuditRow.detail).where(AuditRow.action == "set-retention")
        last = session.scalars(rows.order_by(AuditRow.number.desc())).first()
    assert last == f"{kind} {bounds.most} {bounds.word}"


def test_one_wrong_time_leaves_all_as_they_were(desk: InProcess) -> None:
    before = kept(desk)
    desk.submit("/officer/retention", entries="90", snapshots="9999")
    assert kept(desk) == before


def test_it_takes_a_password_given_just_now_and_the_permission(
    desk: InProcess, estate: Estate
) -> None:
    with Session(estate.engine) as session, session.begin():
        session.execute(update(StaffSession).values(proven_at=now() - 3600))
    page = desk.get("/officer/retention").text
    assert 'data-testid="own-password"' in page
    assert "retention-save" not in page
    refused = desk.submit("/officer/retention", entries="90")
    assert refused.status_code == 422
    assert kept(desk)["entries"] == 180
    hire(Bench(estate), "manager", Role.MANAGER)
    with InProcess(estate, "manager") as manager:
        assert code(manager.get("/api/v1/retention")) == "not-permitted"
    hire(Bench(estate), "officer", Role.OFFICER)
    with InProcess(estate, "officer") as officer:
        assert "entries" in kept(officer)


def test_the_public_page_says_what_is_set_in_either_language(
    desk: InProcess, estate: Estate
) -> None:
    gate = Log(estate).door("Gate with pictures")
    desk.submit("/officer/retention", entries="90", snapshots="5")
    with InProcess(estate, token=NOBODY) as strange:
        page = text(strange.get("/privacy").text)
        assert "90 days" in page
        assert "3 years" in page
        assert "5 hours" not in page
        assert "No door here keeps pictures" in page
        chinese = text(strange.get("/privacy", language="zh-CN").text)
        assert "90 天" in chinese
        assert "本小区的门不保存被拒人脸的图片" in chinese
        alter(estate, gate, DoorChange(snapshots=True), STAFF)
        page = text(strange.get("/privacy").text)
        assert "5 hours" in page
        assert "No door here keeps pictures" not in page


def test_who_can_see_it_is_what_the_roles_may(desk: InProcess) -> None:
    page = text(desk.get("/privacy").text)
    face = page[page.index("Face data") : page.index("Photos sent in")]
    assert "Nobody: no page shows it" in face
    entries = page[page.index("Entries Who asked") : page.index("Events for other systems")]
    assert "Guard, Manager, Privacy officer, Administrator" in entries


def test_strangers_do_not_read_it_in_a_loop(
    desk: InProcess, estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    few = FormLimits(reads=RateLimit(2))
    monkeypatch.setitem(estate.__dict__, "form_limits", few)
    assert [desk.get("/privacy").status_code for _ in range(3)] == [200, 200, 429]
