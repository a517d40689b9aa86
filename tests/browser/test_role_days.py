"""Each role's day on one estate, on its own pages, in one language after the other.

A manager imports a building and sends the invitations by mail; a resident enrolls; a guard takes a
call at night and finds out why somebody was refused; the privacy officer deletes.
"""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, Page, expect

from gatehouse.local_estate import LocalEstate, free_port, wait_for
from tests.browser.conftest import Portraits, jpeg
from tests.browser.console import PASSWORD, PHONE, Desk, enter
from tests.browser.doors_at_desk import DoorAtDesk, door_at, staff_of
from tests.browser.shots import shoot
from tests.support.form_steps import agree, await_outcome, open_form
from tests.support.mailbox import Mailbox
from tier_kit.language import Language
from tier_link.estate_messages import EntryRecorded

pytestmark = pytest.mark.xdist_group("console")

ROLES = ("manager", "guard", "officer")


@dataclass
class Court:
    """An estate with a mail server, a door and one account a role."""

    desk: Desk
    mailbox: Mailbox
    door: DoorAtDesk
    told: int = 0

    @contextmanager
    def at_work(self, role: str, language: Language, **options: Any) -> Iterator[Page]:
        """Sign in as somebody of this role."""
        with self.desk.page(signed_in=False, language=language, **options) as page:
            page.goto("/")
            page.get_by_test_id("login-username").fill(role)
            page.get_by_test_id("login-password").fill(PASSWORD)
            page.get_by_test_id("login-submit").click()
            expect(page.get_by_test_id("nav-overview")).to_be_visible()
            yield page

    def link_mailed_to(self, address: str) -> str:
        """Wait for the mail that went to an address; return the link in it."""

        def look() -> str:
            for data in self.mailbox.mails:
                mail = message_from_bytes(data, policy=policy.default)
                if mail["To"] == address:
                    found = re.search(r"https?://\S+#\S+", mail.get_content())
                    return found.group() if found else ""
            return ""

        return wait_for(f"the mail to {address}", look)

    def refuse(self, person: str, reason: str) -> str:
        """Let the door tell that it has refused somebody just now."""
        self.told += 1
        entry = EntryRecorded(
            entry=secrets.token_hex(16),
            door_sequence=self.told,
            at=int(time.time() * 1000),
            time_known=True,
            direction="both",
            person=person,
            category="resident",
            credential="face",
            granted=False,
            reason=reason,
            matched="local",
            took_ms=40,
            frames=2,
        )
        self.door.terminal.send(entry)
        return entry.entry


@pytest.fixture(scope="module")
def court(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Court]:
    mailbox, port = Mailbox(), free_port()
    server = Controller(mailbox, hostname="127.0.0.1", port=port)
    server.start()
    mail = {"host": "127.0.0.1", "port": str(port), "security": "none", "from": "gate@e.org"}
    environment = {f"GATEHOUSE_SERVER_MAIL_{name.upper()}": value for name, value in mail.items()}
    folder = tmp_path_factory.mktemp("court")
    try:
        with LocalEstate(folder / "estate", environment=environment) as estate:
            estate.start_cloud()
            estate.start_server()
            desk = Desk(estate, browser)
            desk.set_up()
            with staff_of(desk) as staff:
                for role in ROLES:
                    made = staff.call("POST", "staff", {"username": role, "role": role})
                    secret = made["link"].rpartition("/")[2]
                    staff.call("POST", "account/link", {"secret": secret, "new_password": PASSWORD})
            with door_at(desk, "北门 North gate", folder / "door") as door:
                yield Court(desk, mailbox, door)
    finally:
        server.stop()


@pytest.mark.parametrize("language", ["zh-CN", pytest.param("en", marks=pytest.mark.soak)])
def test_each_role_gets_through_its_day(
    court: Court, language: Language, portraits: Portraits, tmp_path: Path
) -> None:
    block = "7" if language == "en" else "8"
    name, neighbour = f"林梅 Lin Mei {block}", f"王伟 Wang Wei {block}"
    mail = f"mei-{block}@example.org"
    building = tmp_path / "building.csv"
    building.write_text(
        "姓名,楼栋,单元,房号,电话,邮箱\n"
        f"{name},{block},1,502,13800138000,{mail}\n"
        f"{neighbour},{block},1,503,,\n",
        encoding="gb18030",  # as a Chinese spreadsheet saves it
    )
    with court.at_work("manager", language) as manager:
        import_building(manager, building)
        invite_by_mail(manager, block)
        phone = enroll(court, court.link_mailed_to(mail), language, portraits)
        approve(manager, name)
        await_outcome(phone, "enrolled")
        shoot(phone, f"{language}_resident_enrolled")
        phone.context.close()

    person = person_of(court, name)
    with court.at_work("guard", language, color_scheme="dark") as guard:
        take_a_call(court, guard)
        court.refuse(person, "not-yet-valid")
        answer_why_not(guard, name, language)
        guard.goto(f"/people/{person}/removal")  # not a guard's to do
        expect(guard.get_by_test_id("remove-confirm")).to_have_count(0)

    with court.at_work("officer", language, viewport=PHONE) as officer:
        delete(officer, name)
        enter(officer, "audit")
        removed = officer.get_by_test_id("audit-remove").first
        expect(removed).to_contain_text("officer")
        expect(removed).to_contain_text(person[:8])


def import_building(page: Page, file: Path) -> None:
    page.goto("/import")
    page.get_by_test_id("import-file").set_input_files(file)
    page.get_by_test_id("import-read").click()
    expect(page.get_by_test_id("import-added")).to_contain_text("2")
    expect(page.get_by_test_id("import-faulty")).to_have_count(0)
    shoot(page, f"import_{page.locator('html').get_attribute('lang')}", full=True)
    page.get_by_test_id("import-apply").click()
    expect(page.get_by_test_id("done")).to_be_visible()


def invite_by_mail(page: Page, block: str) -> None:
    page.goto("/invitations")
    page.get_by_test_id("bulk-building").select_option(block)
    page.get_by_test_id("bulk-count").click()
    expect(page.get_by_test_id("bulk-meant")).to_contain_text("2")
    page.get_by_test_id("way-mail").check()
    page.get_by_test_id("bulk-invite").click()
    expect(page.locator("[data-testid^=message-]").first).to_be_visible()
    shoot(page, f"invitations_{page.locator('html').get_attribute('lang')}", full=True)


def enroll(court: Court, link: str, language: Language, portraits: Portraits) -> Page:
    """Fill in the form on a phone, and leave it open at what the estate has said."""
    context = court.desk.browser.new_context(viewport=PHONE, locale=language)
    page = context.new_page()
    open_form(page, link)
    agree(page)
    page.get_by_test_id("file-front").set_input_files(
        {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": jpeg(portraits.front)}
    )
    expect(page.get_by_test_id("photo-front")).to_be_visible()
    page.get_by_test_id("send").click()
    await_outcome(page, "received")
    return page


def approve(page: Page, name: str) -> None:
    page.goto("/approvals")
    expect(page.get_by_role("heading", name=name)).to_be_visible()
    page.locator("[data-testid^=approve-]").click()
    expect(page.get_by_test_id("done")).to_be_visible()


def person_of(court: Court, name: str) -> str:
    with staff_of(court.desk) as staff:
        found: str = next(
            one["person"] for one in staff.call("GET", "people") if one["name"] == name
        )
        return found


def take_a_call(court: Court, page: Page) -> None:
    page.goto("/night")
    orders = len(court.door.terminal.orders)
    with court.door.ringing():
        expect(page.get_by_test_id("call-still")).to_have_js_property("naturalWidth", 480)
        shoot(page, f"night_{page.locator('html').get_attribute('lang')}", full=True)
        page.keyboard.press("o")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.type(PASSWORD)
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("done")).to_have_attribute("data-done", "call-opened")
    assert len(court.door.terminal.orders) == orders + 1


def answer_why_not(page: Page, name: str, language: Language) -> None:
    page.goto("/entries/why")
    page.get_by_test_id("why-who").fill(name)
    page.get_by_test_id("why-submit").click()
    refusal = page.get_by_test_id("why-refusals").locator("[data-reason=not-yet-valid]")
    expect(refusal).to_contain_text("What to do" if language == "en" else "处理")
    shoot(page, f"why_{language}", full=True)


def delete(page: Page, name: str) -> None:
    page.goto("/people")
    page.get_by_role("link", name=name).click()
    page.get_by_test_id("remove").click()
    if page.get_by_test_id("own-password").count():
        page.get_by_test_id("own-password").fill(PASSWORD)
        page.get_by_test_id("proof-submit").click()
    page.get_by_test_id("remove-confirm").click()
    expect(page.get_by_test_id("done")).to_be_visible()
    expect(page.get_by_role("link", name=name)).to_have_count(0)
