"""A day at the desk: real Chromium, a real server, cloud and door."""

import re
import time
from http import HTTPStatus
from pathlib import Path

import cv2
import numpy as np
import pytest
from playwright.sync_api import Page, expect

from face_engine.models import FacePack
from gatehouse.local_estate import EstateFailed, run_command, wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from tests.browser.console import PASSWORD, PHONE, Desk, enter
from tests.browser.shots import shoot
from tests.community_server.doubles import DoorDouble
from tests.support.languages import EITHER
from tier_link.envelopes import Particulars
from tier_link.estate_messages import AlarmChanged, LockdownDeclared

_NONE = LockdownDeclared(1, active=False)
SMALLEST_PHOTO = 100
"""Pixels across: enough to compare a face."""
PAGES = (
    *("/", "/approvals", "/people", "/visitors", "/doors", "/entries", "/alarms", "/cloud"),
    *("/entries/why", "/entries/days", "/entries/analysis"),
    "/lockdown",
)


@pytest.fixture(scope="module")
def people(pack: FacePack) -> dict[str, SamplePerson]:
    return {one.name: one for one in sample_people(pack)}


@pytest.mark.long
def test_a_resident_is_invited_enrolls_is_approved_and_enters_by_pin(
    desk: Desk, people: dict[str, SamplePerson]
) -> None:
    with desk.page() as page:
        link = invite_resident(page, "林梅", "3-1-502")
        assert read_qr_code(page) == link
        desk.enroll(link, [people["Ada"].portrait])
        # Whoever looks at an empty list sees the newcomer without doing anything.
        page.get_by_test_id("nav-approvals").click()
        approve = page.locator("[data-testid^=approve-]")
        expect(approve).to_have_count(1)
        expect(page.get_by_role("heading", name="林梅")).to_be_visible()
        assert photo_width(page) > SMALLEST_PHOTO
        shoot(page, "approvals")
        approve.click()
        expect(page.get_by_test_id("done")).to_contain_text("Approved")
        expect(page.get_by_test_id("nobody-waits")).to_be_visible()
        expect(page.get_by_test_id("waiting-count")).to_have_attribute("data-count", "0")

        page.get_by_test_id("nav-people").click()
        page.get_by_test_id("people-search").fill("502")
        page.keyboard.press("Enter")
        page.get_by_role("link", name="林梅").click()
        page.get_by_test_id("pin-issue").click()
        pin = page.get_by_test_id("pin").inner_text()
        assert re.fullmatch(r"\d{6}", pin)
        shoot(page, "person_pin")

        enter(page, "doors")
        page.get_by_test_id("door-name").fill("北门 North gate")
        page.get_by_test_id("door-add").click()
        page.locator("[data-testid^=door-pair-]").click()
        code = page.get_by_test_id("door-code").inner_text()
        expect(page.locator(".countdown")).to_contain_text(re.compile(r"\(\d:\d\d\)"))
        with desk.door(code):
            expect(page.locator("[data-in-step=yes]")).to_be_visible(timeout=60_000)
            shoot(page, "doors")
            page.get_by_role("link", name="North gate").click()
            expect(page.get_by_test_id("health-mode")).to_contain_text("On the door, since")
            expect(page.get_by_test_id("health-disk")).to_contain_text("GiB free")
            page.get_by_test_id("nav-entries").click()
            expect(page.get_by_text("No entries yet")).to_be_visible()
            assert enter_pin(desk, "3-1-502", pin)
            granted = page.locator("[data-testid^=entry-][data-granted=yes]")
            expect(granted).to_contain_text("林梅")
            assert not enter_pin(desk, "3-1-502", "000000")
            refused = page.locator("[data-testid^=entry-][data-granted=no]")
            expect(refused).to_contain_text("Unit or PIN was wrong.")
            shoot(page, "entries")

            page.goto("/people")
            page.get_by_role("link", name="林梅").click()
            page.get_by_test_id("suspend").click()
            expect(page.get_by_test_id("done")).to_contain_text("Suspended")
            wait_for("the door to hear of it", lambda: not enter_pin(desk, "3-1-502", pin))
            page.get_by_test_id("resume").click()
            expect(page.get_by_test_id("suspend")).to_be_visible()


def test_a_visitor_is_shown_with_particulars_and_can_be_declined(
    desk: Desk, people: dict[str, SamplePerson]
) -> None:
    with desk.page() as page:
        page.goto("/visitors")
        page.get_by_test_id("invite-name").fill("")
        page.get_by_test_id("invite-unit").fill("3-1-502")
        page.get_by_test_id("invite-submit").click()
        link = page.get_by_test_id("invite-link").inner_text()
        assert "/visit#" in link
        page.get_by_test_id("nav-approvals").click()
        desk.enroll(
            link,
            [people["Chen"].portrait],
            Particulars("Chen 陈", "138 0013 8000", "林梅", "Dinner", "沪A12345"),
        )
        decline = page.locator("[data-testid^=decline-]")
        expect(decline).to_be_visible()
        for particular in ("Chen 陈", "138 0013 8000", "林梅", "Dinner", "沪A12345"):
            expect(page.get_by_text(particular, exact=True).first).to_be_visible()
        shoot(page, "approvals_visitor")
        page.locator("[data-testid^=reason-]").select_option("not-expected")
        decline.click()
        expect(page.get_by_test_id("done")).to_contain_text("Declined")


@pytest.mark.long
def test_who_resembles_somebody_known_is_held_with_a_warning(
    desk: Desk, people: dict[str, SamplePerson]
) -> None:
    three = [people["Dora"].portrait] * 3
    with desk.page() as page:
        desk.enroll(invite_resident(page, "多拉", "5-1-101"), three)
        page.goto("/approvals")
        page.locator("[data-testid^=approve-]").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        desk.enroll(invite_resident(page, "Twin", "5-1-102"), three)
        page.goto("/approvals")
        expect(page.locator("article")).to_contain_text("Looks very much like 多拉")
        expect(page.locator(".portraits img")).to_have_count(3)
        assert photo_width(page) > SMALLEST_PHOTO
        shoot(page, "approvals_resembles")
        page.set_viewport_size(PHONE)
        shoot(page, "approvals_resembles_phone", full=True)
        page.locator("[data-testid^=approve-]").click()
        expect(page.get_by_test_id("done")).to_contain_text("Approved by PIN")


@pytest.mark.long
def test_a_face_on_one_photo_is_renewed_with_three_and_serves_until_then(
    desk: Desk, people: dict[str, SamplePerson]
) -> None:
    portrait = people["Fang"].portrait
    with desk.page() as page:
        desk.enroll(invite_resident(page, "方", "6-1-101"), [portrait])
        page.goto("/approvals")
        expect(page.locator("article")).to_contain_text("rests on one photo")
        page.locator("[data-testid^=approve-]").click()
        page.get_by_test_id("one-photo").click()
        page.get_by_test_id("invite-again").click()
        link = page.get_by_test_id("invite-link").inner_text()
        # A link that was lost: the next one ends it.
        page.get_by_test_id("invite-again").click()
        expect(page.get_by_test_id("invite-link")).not_to_have_text(link)
        link = page.get_by_test_id("invite-link").inner_text()
        shoot(page, "person_invited_again")
        desk.enroll(link, [portrait] * 3)
        page.goto("/approvals")
        expect(page.locator("article")).to_contain_text("Renewal")
        shoot(page, "approvals_renewal")
        page.locator("[data-testid^=approve-]").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_test_id("one-photo")).to_have_count(0)
        page.goto("/people?q=6-1-101")
        expect(page.locator("[data-testid^=person-]")).to_contain_text("3 photos")
        page.get_by_role("link", name="方").click()
        page.get_by_test_id("invite-again").click()
        page.get_by_test_id("invite-withdraw").click()
        expect(page.get_by_test_id("done")).to_contain_text("Withdrawn")
        expect(page.get_by_test_id("invite-withdraw")).to_have_count(0)


def test_a_list_that_gets_no_news_says_so_until_it_does(desk: Desk) -> None:
    with desk.page(may_complain=True) as page:
        page.goto("/entries")
        stale = page.get_by_text("No answer from the server")
        expect(stale).to_be_hidden()
        page.route("**/entries/live**", lambda route: route.abort())
        expect(stale).to_be_visible()
        page.unroute("**/entries/live**")
        expect(stale).to_be_hidden()


def test_a_page_that_nobody_sees_asks_for_no_news_but_who_rings(desk: Desk) -> None:
    with desk.page() as page:
        page.add_init_script(
            "Object.defineProperty(document, 'hidden', {get: () => window.unseen === true})"
        )
        page.goto("/entries")
        with page.expect_request("**/entries/live**"):
            pass
        page.evaluate("window.unseen = true")
        page.wait_for_timeout(500)
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        # Three times as long as the list waits between two looks.
        page.wait_for_timeout(3_000)
        assert asked
        assert {url for url in asked if "/calls/banner" not in url} == set()
        page.evaluate("window.unseen = false")
        with page.expect_request("**/entries/live**"):
            pass


def test_what_a_colleague_removed_meanwhile_is_said_in_place(desk: Desk) -> None:
    with desk.page() as page:
        invite_resident(page, "Gone", "8-8-888")
        page.get_by_role("link", name="Gone").click()
        with desk.page() as colleague:
            colleague.goto(page.url if "/people/" in page.url else "/people")
            colleague.get_by_test_id("remove").click()
            expect(colleague.get_by_role("heading", name="Remove Gone?")).to_be_visible()
            desk.prove(colleague)
            colleague.get_by_test_id("remove-confirm").click()
            expect(colleague.get_by_test_id("done")).to_be_visible()
        page.get_by_test_id("suspend").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "person-unknown")


def test_a_person_is_removed_only_after_a_question_in_words(desk: Desk) -> None:
    with desk.page() as page:
        invite_resident(page, "Mistake", "9-9-999")
        page.get_by_role("link", name="Mistake").click()
        page.get_by_test_id("remove").click()
        expect(page.get_by_role("heading", name="Remove Mistake?")).to_be_visible()
        desk.prove(page)
        shoot(page, "removal")
        page.get_by_test_id("remove-confirm").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_role("link", name="Mistake")).to_have_count(0)


def test_what_cannot_be_used_is_said_beside_the_field(desk: Desk) -> None:
    with desk.page(language="zh-CN") as page:
        page.goto("/visitors")
        page.get_by_test_id("invite-until").fill("2020-01-01T10:00")
        page.get_by_test_id("invite-submit").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "time-over")
        expect(page.get_by_test_id("problem")).to_be_focused()
        expect(page.get_by_test_id("invite-until")).to_have_attribute("aria-invalid", "true")


def test_an_alarm_appears_by_itself_and_is_acknowledged_by_name(desk: Desk, tmp_path: Path) -> None:
    with desk.page() as page:
        page.goto("/doors")
        page.get_by_test_id("door-name").fill("Fire exit")
        page.get_by_test_id("door-add").click()
        page.get_by_role("link", name="Fire exit").click()
        page.locator("[data-testid^=door-pair-]").click()
        code = page.get_by_test_id("door-code").inner_text()
        page.goto("/alarms")
        with DoorDouble(
            tmp_path / "door", f"https://127.0.0.1:{desk.estate.server_port}"
        ) as terminal:
            terminal.pair(code)
            terminal.connect()
            at = int(time.time() * 1000)
            alarm = AlarmChanged("f1" * 16, "fire", True, at, True)
            terminal.send(alarm)
            row = page.get_by_test_id("alarm-fire")
            expect(row).to_have_attribute("data-active", "yes")
            expect(page.get_by_test_id("alarm-count")).to_have_attribute("data-count", "1")
            page.get_by_test_id("alarm-seen-fire").click()
            expect(row).to_have_attribute("data-seen", "yes")
            shoot(page, "alarms")
            row.get_by_role("link", name="Fire exit").click()
            terminal.burning = True
            page.get_by_test_id("fire-end").click()
            expect(page.get_by_test_id("problem")).to_have_attribute(
                "data-code", "fire-still-active"
            )
            terminal.burning = False
            page.get_by_test_id("fire-end").click()
            expect(page.get_by_test_id("done")).to_be_visible()
            terminal.send(AlarmChanged("f1" * 16, "fire", False, at + 1, True, terminal.resets[0]))
            page.get_by_test_id("nav-alarms").click()
            expect(row).to_have_attribute("data-active", "no")
            page.get_by_role("link", name="Fire exit").click()
            page.get_by_test_id("reset-pin-issue").click()
            expect(page.get_by_test_id("reset-pin")).to_have_text(re.compile(r"^\d{6}$"))


WORDS = {
    "en": ("Lockdown in force.", "not confirmed yet", "locked", "offline: has not heard"),
    "zh-CN": ("正在封锁。", "尚未确认", "已封锁", "尚未得知"),
}


def test_a_card_is_given_by_the_desks_own_reader_and_taken_away(desk: Desk) -> None:
    with desk.page() as page:
        invite_resident(page, "Fob 钥匙扣", "9-9-909")
        page.goto("/people")
        page.get_by_role("link", name="Fob 钥匙扣").click()
        page.get_by_test_id("card-number").fill("12?4")
        page.get_by_test_id("card-give").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "card-malformed")
        expect(page.get_by_test_id("problem")).to_be_focused()
        page.get_by_test_id("card-number").focus()
        page.keyboard.type("0012345678\n")  # as a reader types
        expect(page.get_by_test_id("card-5678")).to_be_visible()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.locator(".facts")).to_contain_text("Card")
        shoot(page, "person_card")
        page.get_by_test_id("card-number").fill("188,24910")
        page.get_by_test_id("card-give").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "card-taken")
        page.get_by_test_id("card-take-5678").click()
        expect(page.get_by_test_id("card-5678")).to_have_count(0)
        expect(page.get_by_test_id("done")).to_be_visible()


def declare_lockdown(page: Page, reason: str = "", password: str = PASSWORD) -> None:
    if reason:
        page.get_by_test_id("lockdown-reason").fill(reason)
    page.get_by_test_id("lockdown-password").fill(password)
    page.get_by_test_id("lockdown-submit").click()


@pytest.mark.long
@pytest.mark.parametrize("language", EITHER)
def test_a_lockdown_is_declared_with_ones_password_and_each_door_says_whether_it_is_locked(
    desk: Desk, language: str, tmp_path: Path
) -> None:
    in_force, waiting, locked, unheard = WORDS[language]
    with desk.page(language=language) as page:
        page.goto("/doors")
        page.get_by_test_id("door-name").fill(f"Quay gate {language}")
        page.get_by_test_id("door-add").click()
        card = page.locator(".doors article", has_text=f"Quay gate {language}")
        card.locator("[data-testid^=door-pair-]").click()
        code = page.get_by_test_id("door-code").inner_text()
        with DoorDouble(tmp_path / "door", desk.estate.server_address) as terminal:
            terminal.pair(code)
            terminal.connect()
            wait_for("the door's settings", lambda: terminal.configuration)
            enter(page, "lockdown")
            declare_lockdown(page, "Drill 演习", PASSWORD[::-1])
            expect(page.get_by_test_id("problem")).to_have_attribute(
                "data-code", "password-not-yours"
            )
            expect(page.get_by_test_id("lockdown-reason")).to_have_value("Drill 演习")
            declare_lockdown(page)
            expect(page.get_by_test_id("done")).to_be_visible()
            expect(page.get_by_test_id("lockdown")).to_contain_text("Drill 演习")
            row = page.locator("[data-testid=lockdown] li", has_text=f"Quay gate {language}")
            expect(row).to_contain_text(waiting)
            wait_for("the word at the door", lambda: terminal.lockdown and terminal.lockdown.active)
            terminal.show_presence()
            expect(row).to_have_attribute("data-state", "locked")
            expect(row).to_contain_text(locked)
            shoot(page, f"lockdown_{language}")
            for path in PAGES:
                page.goto(path)
                expect(page.get_by_test_id("lockdown-banner")).to_contain_text(in_force)
            page.goto("/doors")
            expect(card).to_contain_text(locked)
            shoot(page, f"lockdown_doors_{language}")
            # Whoever looks at another page sees the end without doing anything.
            with desk.page(language=language) as other:
                other.goto("/lockdown")
                declare_lockdown(other)
                expect(other.get_by_test_id("done")).to_be_visible()
            banner = page.get_by_test_id("lockdown-banner")
            expect(banner).to_have_attribute("data-active", "no")
            wait_for("the end at the door", lambda: not (terminal.lockdown or _NONE).active)
            terminal.show_presence()
            expect(banner).to_have_attribute("data-waiting", "0")
        page.goto("/lockdown")
        declare_lockdown(page, "Again")
        expect(row).to_contain_text(unheard)  # its terminal is gone
        declare_lockdown(page)
        expect(page.get_by_test_id("lockdown")).to_have_attribute("data-active", "no")


def test_the_pages_work_without_script(desk: Desk) -> None:
    with desk.page(java_script_enabled=False) as page:
        link = invite_resident(page, "Old PC", "1-1-101")
        assert "/enroll#" in link


@pytest.mark.parametrize("language", EITHER)
def test_a_manager_sees_what_a_file_would_change_before_it_does(desk: Desk, language: str) -> None:
    block = f"A{language[:2]}"
    header, rows = building(block)
    with desk.page(language=language) as page:
        page.goto("/people")
        page.get_by_test_id("tab-import").click()
        choose_file(page, header + rows + f"坏,{block},,,\n")
        expect(page.get_by_test_id("fault-5")).to_have_attribute("data-code", "unit-missing")
        expect(page.get_by_test_id("import-apply")).to_have_count(0)
        shoot(page, f"import_faulty_{language}", full=True)
        choose_file(page, header + rows)
        expect(page.get_by_test_id("import-added")).to_contain_text("3")
        shoot(page, f"import_{language}", full=True)
        page.get_by_test_id("import-apply").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        choose_file(page, header + rows)
        expect(page.get_by_test_id("import-unchanged")).to_contain_text("3")
        choose_file(page, header + rows.replace("住户 1,", "住户 一,"))
        expect(page.locator("[data-kind=added]")).to_have_count(1)
        choose_file(page, "PK\3\4 no table")
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "file-unreadable")


@pytest.mark.parametrize("language", EITHER)
def test_a_manager_gives_a_group_its_hours_and_the_year_its_holidays(
    desk: Desk, language: str
) -> None:
    block = f"H{language[:2]}"
    with desk.page(language=language) as page:
        page.goto("/people")
        page.get_by_test_id("tab-schedules").click()
        page.get_by_test_id("schedule-new").click()
        page.get_by_test_id("schedule-name").fill(f"Evenings 晚间 {block}")
        page.locator("input[name=days][value='0-monday']").check()
        page.locator("input[name=days][value='0-friday']").check()
        page.locator("input[name=begins]").first.fill("18:00")
        page.get_by_test_id("schedule-save").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "windows-wrong")
        page.locator("input[name=days][value='0-friday']").check()
        page.locator("input[name=begins]").first.fill("22:00")
        page.locator("input[name=ends]").first.fill("06:00")
        page.locator("#on_holidays").select_option("closed")
        page.get_by_test_id("schedule-save").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        card = page.locator("article", has_text=f"晚间 {block}")
        expect(card).to_contain_text("22:00-24:00")
        expect(card).to_contain_text("00:00-06:00")
        shoot(page, f"schedules_{language}", full=True)

        page.get_by_test_id("tab-groups").click()
        page.get_by_test_id("group-new").click()
        page.get_by_test_id("group-name").fill(f"Night 夜班 {block}")
        page.get_by_test_id("group-every-door").check()
        page.get_by_test_id("group-schedule").select_option(f"Evenings 晚间 {block}")
        page.get_by_test_id("group-save").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        shoot(page, f"groups_{language}", full=True)

        page.get_by_test_id("tab-holidays").click()
        page.get_by_test_id("holidays-list").fill("tomorrow")
        page.get_by_test_id("holidays-add").click()
        expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "day-unreadable")
        page.get_by_test_id("holidays-list").fill("2099-02-06 春节\n2099/2/7 春节")
        page.get_by_test_id("holidays-add").click()
        expect(page.get_by_test_id("holiday-2099-02-07")).to_contain_text("春节")
        shoot(page, f"holidays_{language}", full=True)


@pytest.mark.long
@pytest.mark.parametrize("language", EITHER)
def test_a_manager_moves_somebody_out_and_prints_a_buildings_invitations(
    desk: Desk, language: str
) -> None:
    block = f"L{language[:2]}"
    with desk.page(language=language) as page:
        page.goto("/groups/new")
        page.get_by_test_id("group-name").fill(f"夜班 {block}")
        page.get_by_test_id("group-save").click()
        choose_file(page, "".join(building(block)))
        page.get_by_test_id("import-apply").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        page.goto(f"/people?building={block}&lack=any")
        expect(page.locator("[data-testid^=person-]")).to_have_count(3)
        shoot(page, f"people_{language}", full=True)
        page.get_by_role("link", name="住户 2").click()
        page.get_by_label(f"夜班 {block}").check()
        page.get_by_test_id("groups-save").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_label(f"夜班 {block}")).to_be_checked()
        page.get_by_test_id("moves-out-at").fill("2099-12-31T12:00")
        page.get_by_test_id("move-out").click()
        expect(page.get_by_test_id("moves-out")).to_be_visible()
        shoot(page, f"person_{language}", full=True)
        page.get_by_test_id("stays").click()
        expect(page.get_by_test_id("moves-out")).to_have_count(0)

        page.goto(f"/invitations?building={block}")
        expect(page.get_by_test_id("bulk-meant")).to_contain_text("3")
        page.get_by_test_id("way-letters").check()
        page.get_by_test_id("bulk-invite").click()
        expect(page.get_by_test_id("letter")).to_have_count(3)
        shoot(page, f"letters_{language}", full=True)
        pages = page.pdf(format="A4").count(b"/Type /Page\n")
        assert pages == 3
        page.goto(f"/invitations?building={block}")
        expect(page.get_by_test_id("bulk-meant")).to_contain_text("0")


def building(block: str) -> tuple[str, str]:
    """Return the first row of a file, and three people of a building."""
    rows = (f"住户 {number},{block},{number},1380013800{number},\n" for number in range(3))
    return "姓名,楼栋,房号,电话,截止日期\n", "".join(rows)


def choose_file(page: Page, text: str) -> None:
    page.goto("/import")
    file = {"name": "people.csv", "mimeType": "text/csv", "buffer": text.encode()}
    page.get_by_test_id("import-file").set_input_files(file)  # type: ignore[arg-type]  # a file
    page.get_by_test_id("import-read").click()


def test_a_door_is_set_and_revoked_only_after_a_question_in_words(desk: Desk) -> None:
    with desk.page() as page:
        page.goto("/doors")
        page.get_by_test_id("door-name").fill("Side door")
        page.get_by_test_id("door-add").click()
        page.get_by_role("link", name="Side door").click()
        page.get_by_label("Gate stays open, in seconds").fill("8")
        press = page.get_by_label("A face counts only after a press of the button")
        expect(press).not_to_be_checked()
        press.check()
        page.get_by_test_id("door-save").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_label("Gate stays open, in seconds")).to_have_value("8")
        expect(press).to_be_checked()
        page.get_by_label("As ever from").fill("06:00")
        page.get_by_label("until").fill("23:30")
        page.get_by_label("At other hours").select_option("off")
        page.get_by_label("Pictures a second, at most").fill("15")
        page.get_by_test_id("door-save").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_label("As ever from")).to_have_value("06:00")
        expect(page.get_by_label("until")).to_have_value("23:30")
        expect(page.get_by_label("At other hours")).to_have_value("off")
        expect(page.get_by_label("Pictures a second, at most")).to_have_value("15")
        shoot(page, "door", full=True)
        page.get_by_test_id("door-revoke").click()
        expect(page.get_by_role("heading", name="Revoke Side door?")).to_be_visible()
        desk.prove(page)
        page.get_by_test_id("door-revoke-confirm").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_role("link", name="Side door")).to_have_count(0)


def test_a_form_without_its_token_or_from_another_site_changes_nothing(desk: Desk) -> None:
    with desk.page() as page:
        page.goto("/people")
        forms: dict[str, str | float | bool] = {"name": "Forged", "unit": "1"}
        for headers in ({}, {"origin": "https://elsewhere.example"}):
            answer = page.request.post("/people", form=forms, headers=headers)
            assert answer.status == HTTPStatus.FORBIDDEN
        page.reload()
        expect(page.get_by_role("link", name="Forged")).to_have_count(0)


def test_a_session_that_ended_leads_back_to_the_sign_in(desk: Desk) -> None:
    with desk.page(signed_in=False) as page:
        page.goto("/entries")
        page.wait_for_url("**/login")
        desk.sign_in(page)
        page.goto("/entries")
        with desk.page(signed_in=False) as other:
            other.context.add_cookies(page.context.cookies())  # type: ignore[arg-type]  # same shape
            other.goto("/")
            other.get_by_test_id("logout").click()
            other.wait_for_url("**/login**")
        page.wait_for_url("**/login")


def test_the_language_is_a_choice_that_stays(desk: Desk) -> None:
    with desk.page() as page:
        page.goto("/people")
        page.get_by_test_id("lang-zh-CN").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("业主")
        enter(page, "doors")
        expect(page.get_by_role("heading", level=1)).to_have_text("门")


def test_wrong_passwords_are_slowed_down_and_the_page_says_for_how_long(desk: Desk) -> None:
    with desk.page(signed_in=False) as page:
        page.goto("/login")
        expect(page.get_by_test_id("login-submit")).to_be_enabled()
        for _ in range(5):
            desk.sign_in(page, "not this one")
            expect(page.get_by_test_id("problem")).to_have_attribute("data-code", "password-wrong")
        desk.sign_in(page)
        expect(page.get_by_test_id("problem")).to_contain_text("Please wait")
        shoot(page, "login_wait")
        page.get_by_test_id("login-password").fill(PASSWORD)
        # The button counts down and comes back by itself.
        page.get_by_test_id("login-submit").click()
        expect(page.get_by_role("heading", level=1)).to_have_text("Overview")


def invite_resident(page: Page, name: str, unit: str) -> str:
    """Invite through the page; return the link."""
    page.goto("/people")
    page.get_by_test_id("invite-name").fill(name)
    page.get_by_test_id("invite-unit").fill(unit)
    page.get_by_test_id("invite-submit").click()
    return page.get_by_test_id("invite-link").inner_text()


def enter_pin(desk: Desk, unit: str, pin: str) -> bool:
    """Enter a PIN at the door; say whether it opened."""
    command = ["door", "pin", "--unit", unit, "--pin", pin]
    try:
        run_command(command, {"GATEHOUSE_DOOR_DATA": str(desk.estate.folder / "door")})
    except EstateFailed:
        return False
    return True


def read_qr_code(page: Page) -> str:
    """Read the invitation's QR code off the screen, as a phone would."""
    picture = page.get_by_test_id("invite-qr").screenshot()
    image = cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None
    # A phone looks again and again; one look of OpenCV's misses a code now and then.
    for scale in (3, 2, 4, 5):
        large = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        for detector in (cv2.QRCodeDetectorAruco(), cv2.QRCodeDetector()):
            if text := detector.detectAndDecode(large)[0]:
                return str(text)
    return ""


def photo_width(page: Page) -> int:
    """Return the pixels of the first waiting photo once it is there."""
    photo = page.locator(".portraits img").first
    expect(photo).to_have_js_property("complete", value=True)
    return int(photo.evaluate("image => image.naturalWidth"))
