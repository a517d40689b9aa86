"""Each role's day on one estate, on its own pages, in one language after the other.

A manager imports a building and sends the invitations by mail; a resident enrolls and invites a
visitor, who comes and opens a real door; a courier overstays; a guard takes a call at night and
finds out why somebody was refused; the privacy officer deletes.
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

import numpy as np
import pytest
from aiosmtpd.controller import Controller
from playwright.sync_api import Browser, Page, expect

from gatehouse.camera_feed import CameraFeed
from gatehouse.local_estate import LocalEstate, free_port, wait_for
from gatehouse.pass_scenes import show_for
from tests.browser.conftest import Portraits, jpeg
from tests.browser.console import PASSWORD, PHONE, Desk, enter
from tests.browser.doors_at_desk import DoorAtDesk, door_at, staff_of
from tests.browser.shots import codes_shown
from tests.support.album import Album
from tests.support.form_steps import PATIENCE_MS, agree, await_outcome, open_form
from tests.support.mailbox import Mailbox
from tier_kit.language import Language
from tier_link.estate_messages import EntryRecorded

pytestmark = pytest.mark.long

ROLES = ("manager", "guard", "officer")
HOUR = 3600


@dataclass
class Court:
    """An estate with a mail server, a door and one account a role."""

    desk: Desk
    mailbox: Mailbox
    door: DoorAtDesk
    feed: CameraFeed
    """What the camera of the other door sees, which is a real one."""
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

    def tell(self, person: str, **more: Any) -> None:
        """Let the door tell what it did when somebody came."""
        self.told += 1
        entry: dict[str, Any] = {
            "entry": secrets.token_hex(16),
            "door_sequence": self.told,
            "at": int(time.time() * 1000),
            "time_known": True,
            "direction": "in",
            "person": person,
            "category": "resident",
            "credential": "face",
            "granted": False,
            "reason": "within-rules",
            "matched": "local",
            "took_ms": 40,
            "frames": 2,
        }
        self.door.terminal.send(EntryRecorded(**(entry | more)))

    def person(self, name: str) -> str:
        """Return somebody's id."""
        with staff_of(self.desk) as staff:
            found: str = next(
                one["person"] for one in staff.call("GET", "people") if one["name"] == name
            )
            return found

    def hold_up(self, text: str) -> None:
        """Hold a pass before the camera of the real door."""
        self.feed.show(list(show_for(text, np.random.default_rng(3), seconds=0.2)) * 6)


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
                gate = staff.call("POST", "doors", {"name": "南门 South gate", "direction": "in"})
                code = staff.call("POST", f"doors/{gate['door']}/pairing")["code"]
            with (
                CameraFeed() as feed,
                desk.door(code, camera=feed.url, gate="simulated"),
                door_at(desk, "北门进 North gate in", folder / "in", "in") as door,
                door_at(desk, "北门出 North gate out", folder / "out", "out"),
            ):
                yield Court(desk, mailbox, door, feed)
    finally:
        server.stop()


@dataclass
class Day:
    """One day at the estate, for readers of one language, in pictures."""

    court: Court
    language: Language
    album: Album

    def keep(self, page: Page, name: str) -> None:
        """Keep a picture for `docs/desk.md`, from the page's top."""
        page.evaluate("scrollTo(0, 0)")
        self.album.take(page, name if self.language == "en" else f"{name}.{self.language}")

    @contextmanager
    def phone(self) -> Iterator[Page]:
        """Open a page as somebody does who works for nobody."""
        with self.court.desk.page(signed_in=False, language=self.language, viewport=PHONE) as page:
            yield page

    # A manager

    def import_building(self, page: Page, file: Path) -> None:
        page.goto("/import")
        page.get_by_test_id("import-file").set_input_files(file)
        page.get_by_test_id("import-read").click()
        expect(page.get_by_test_id("import-added")).to_contain_text("2")
        expect(page.get_by_test_id("import-faulty")).to_have_count(0)
        self.keep(page, "desk-import")
        page.get_by_test_id("import-apply").click()
        expect(page.get_by_test_id("done")).to_be_visible()

    def invite_by_mail(self, page: Page, block: str) -> None:
        page.goto("/invitations")
        page.get_by_test_id("bulk-building").select_option(block)
        page.get_by_test_id("bulk-count").click()
        expect(page.get_by_test_id("bulk-meant")).to_contain_text("2")
        page.get_by_test_id("way-mail").check()
        self.keep(page, "desk-invitations")
        page.get_by_test_id("bulk-invite").click()
        expect(page.locator("[data-testid^=message-]").first).to_be_visible()

    def approve(self, page: Page, name: str) -> None:
        page.goto("/approvals")
        expect(page.get_by_role("heading", name=name)).to_be_visible()
        page.locator("[data-testid^=approve-]").click()
        expect(page.get_by_test_id("done")).to_be_visible()

    # A resident

    def enroll(self, page: Page, link: str, portraits: Portraits) -> None:
        open_form(page, link)
        agree(page)
        page.get_by_test_id("file-front").set_input_files(
            {"name": "me.jpg", "mimeType": "image/jpeg", "buffer": jpeg(portraits.front)}
        )
        expect(page.get_by_test_id("photo-front")).to_be_visible()
        page.get_by_test_id("send").click()
        await_outcome(page, "received")

    def invite_visitor(self, page: Page, name: str) -> str:
        """Follow the form's last page to one's own, and invite; return the visitor's link."""
        with page.expect_popup() as opened:
            page.get_by_test_id("open-home").click()
        own = opened.value
        expect(own.get_by_test_id("home")).to_be_visible(timeout=PATIENCE_MS)
        own.get_by_test_id("visitor-name").fill(name)
        own.get_by_test_id("by-pass").check()
        own.get_by_test_id("invite").click()
        link = own.get_by_test_id("visitor-link")
        expect(link).to_contain_text("/pass#", timeout=PATIENCE_MS)
        expect(own.locator("[data-testid=expected] li[data-state=approved]")).to_have_count(1)
        self.keep(own, "resident-page")
        return link.inner_text()

    # A visitor

    def visit(self, link: str, name: str, desk: Page) -> None:
        """Show the pass on a phone, and the phone to the real door, which opens."""
        with self.phone() as page:
            page.goto(link)
            (text,) = codes_shown(page, "pass-code")
            self.keep(page, "visitor-pass")
        self.court.hold_up(text)
        desk.goto("/entries")
        came = desk.locator("[data-testid^=entry-][data-granted=yes]", has_text=name)
        expect(came).to_have_count(1)

    # A courier

    def overstay(self, page: Page) -> None:
        """Come at the desk's word, go in, and not come out."""
        page.goto("/services")
        if not page.get_by_test_id("check-in-new-company").is_visible():
            page.get_by_test_id("check-in-another").locator("summary").click()
        page.get_by_test_id("check-in-new-company").fill(f"顺风快递 Tailwind {self.language}")
        page.get_by_test_id("check-in-kind").select_option("courier")
        page.get_by_test_id("check-in-unit").fill("3-1-502")
        page.get_by_test_id("check-in-submit").click()
        expect(page.get_by_test_id("pass-given")).to_be_visible()
        page.goto("/services/companies")
        page.get_by_role("link", name=f"Tailwind {self.language}").click()
        row = page.locator("[data-testid^=person-]")
        courier = (row.get_attribute("data-testid") or "").removeprefix("person-")
        before = int((time.time() - 3 * HOUR) * 1000)
        self.court.tell(courier, category="service", credential="pass", granted=True, at=before)
        page.goto("/services")
        inside = page.get_by_test_id(f"inside-{courier}")
        expect(inside).to_have_attribute("data-overstays", "yes")
        self.keep(page, "desk-services")
        page.goto("/alarms")
        expect(page.get_by_test_id("alarm-overstay").first).to_have_attribute("data-active", "yes")
        page.goto("/services")
        page.get_by_test_id(f"left-{courier}").click()
        expect(page.get_by_test_id("done")).to_have_attribute("data-done", "left")

    # A guard

    def take_a_call(self, page: Page) -> None:
        terminal = self.court.door.terminal
        page.goto("/night")
        orders = len(terminal.orders)
        with self.court.door.ringing():
            expect(page.get_by_test_id("call-still")).to_have_js_property("naturalWidth", 480)
            self.keep(page, "desk-night")
            for key in ("o", "Tab", "Tab"):
                page.keyboard.press(key)
            page.keyboard.type(PASSWORD)
            page.keyboard.press("Enter")
            expect(page.get_by_test_id("done")).to_have_attribute("data-done", "call-opened")
        assert len(terminal.orders) == orders + 1

    def answer_why_not(self, page: Page, name: str) -> None:
        page.goto("/entries/why")
        page.get_by_test_id("why-who").fill(name)
        page.get_by_test_id("why-submit").click()
        refusal = page.get_by_test_id("why-refusals").locator("[data-reason=not-yet-valid]")
        expect(refusal).to_contain_text("What to do" if self.language == "en" else "处理")
        self.keep(page, "desk-why")

    # The privacy officer

    def delete(self, page: Page, name: str) -> None:
        page.goto("/people")
        page.get_by_role("link", name=name).click()
        page.get_by_test_id("remove").click()
        if page.get_by_test_id("own-password").count():
            page.get_by_test_id("own-password").fill(PASSWORD)
            page.get_by_test_id("proof-submit").click()
        self.keep(page, "desk-removal")
        page.get_by_test_id("remove-confirm").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_role("link", name=name)).to_have_count(0)


@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_each_role_gets_through_its_day(
    court: Court, language: Language, portraits: Portraits, tmp_path: Path
) -> None:
    day = Day(court, language, Album(tmp_path))
    block = "7" if language == "en" else "8"
    name, neighbour, visitor = (
        f"林梅 Lin Mei {block}",
        f"王伟 Wang Wei {block}",
        f"李娜 Li Na {block}",
    )
    mail = f"mei-{block}@example.org"
    building = tmp_path / "building.csv"
    building.write_text(
        "姓名,楼栋,单元,房号,电话,邮箱\n"
        f"{name},{block},1,502,13800138000,{mail}\n"
        f"{neighbour},{block},1,503,,\n",
        encoding="gb18030",  # as a Chinese spreadsheet saves it
    )
    with court.at_work("manager", language) as manager, day.phone() as phone:
        day.import_building(manager, building)
        day.invite_by_mail(manager, block)
        day.enroll(phone, court.link_mailed_to(mail), portraits)
        day.approve(manager, name)
        await_outcome(phone, "enrolled")
        day.keep(phone, "form-own-page")
        day.visit(day.invite_visitor(phone, visitor), visitor, manager)
        day.overstay(manager)

    person = court.person(name)
    with court.at_work("guard", language, color_scheme="dark") as guard:
        day.take_a_call(guard)
        court.tell(person, reason="not-yet-valid")
        day.answer_why_not(guard, name)
        guard.goto(f"/people/{person}/removal")  # not a guard's to do
        expect(guard.get_by_test_id("remove-confirm")).to_have_count(0)

    with court.at_work("officer", language, viewport=PHONE) as officer:
        day.delete(officer, name)
        enter(officer, "audit")
        removed = officer.get_by_test_id("audit-remove").first
        expect(removed).to_contain_text("officer")
        expect(removed).to_contain_text(person[:8])
