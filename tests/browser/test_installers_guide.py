"""What the Chinese guide has an installer press, pressed in Chromium by the names that it gives."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, Locator, Page, expect

from face_engine.models import FacePack
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from tests.support.guided_site import (
    CODE,
    PASSWORD,
    USERNAME,
    Site,
    lines_of,
    new_site,
    phone,
    typed,
)
from tests.support.guides import GUIDES

PATIENCE_MS = 30_000
LANGUAGE = "zh-CN"

pytestmark = pytest.mark.long


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """Three machines on which nothing is installed."""
    with new_site(tmp_path) as opened:
        yield opened


@dataclass(frozen=True)
class Reader:
    """Somebody who finds on the page what the guide names, and nothing that it does not name."""

    page: Page
    guide: str

    def enter(self, room: str) -> None:
        """Go to a room of the console by the menu."""
        self._is_named(room)
        self.page.get_by_role("navigation").get_by_role("link", name=room).first.click()

    def press(self, name: str) -> None:
        """Press a button, or a link that looks like one."""
        self.find(name).click()

    def find(self, name: str) -> Locator:
        self._is_named(name)
        called = re.compile(rf"^{re.escape(name)}( ?: .*)?$")  # whose it is may be said unseen
        button = self.page.get_by_role("button", name=called)
        link = self.page.get_by_role("link", name=called)
        return button.or_(link).first

    def fill(self, **values: str) -> None:
        """Fill in fields, by their test ids with `_` for `-`."""
        for field, value in values.items():
            self.page.get_by_test_id(field.replace("_", "-")).fill(value)

    def read(self, field: str) -> str:
        return self.page.get_by_test_id(field).inner_text().strip()

    def sees(self, text: str) -> None:
        """Wait until a text that the guide names is on the page."""
        self._is_named(text)
        expect(self.page.get_by_text(text).first).to_be_visible(timeout=PATIENCE_MS)

    def _is_named(self, name: str) -> None:
        assert f"“{name}”" in self.guide


@pytest.fixture
def reader(browser: Browser, site: Site) -> Iterator[Reader]:
    """An installer's laptop, and the guide beside it."""
    context = browser.new_context(
        ignore_https_errors=True,
        base_url=site.console,
        locale=LANGUAGE,
        viewport={"width": 1280, "height": 800},
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE_MS)
    yield Reader(page, GUIDES[LANGUAGE].read_text("utf-8"))
    context.close()


def test_a_chinese_installer_presses_what_the_guide_names_until_a_door_opens(
    site: Site, reader: Reader, pack: FacePack
) -> None:
    ada = next(person for person in sample_people(pack) if person.name == "Ada")
    site.install()
    said = site.follow(2, LANGUAGE)['gatehouse cloud pair "Sunny Court"']
    cloud_code = re.search(r"Pairing code: (\S+)", said)
    assert cloud_code
    setup_code = site.follow(3, LANGUAGE)["gatehouse server setup-code"].strip()

    kit = set_up(reader, setup_code)
    reader.enter("云端")
    address = site.cloud.replaced["127.0.0.1:8440"]
    reader.fill(cloud_url=f"http://{address}", cloud_code=cloud_code[1])
    reader.press("配对")
    reader.sees("已连接")

    pair_a_door(site, reader)
    reader.enter("门")
    reader.sees("已同步")
    reader.press("开门……")
    reader.page.get_by_test_id("opening-reason").select_option("other")
    reader.fill(opening_note="试开", opening_password=PASSWORD)
    reader.press("开门")
    expect(reader.page.get_by_test_id("done")).to_be_visible()
    assert site.openings == 1

    site.follow(6, LANGUAGE, secret=kit)
    reader.enter("备份")
    prove(reader)
    reader.fill(kit_secret=kit)
    reader.press("核对")
    expect(reader.page.get_by_test_id("kit-checked")).to_be_visible()
    sign(reader)

    invite_and_approve(reader, ada)
    site.await_people(1)
    site.feed.show(walk_up(ada.cutout, np.random.default_rng(0), seconds=2.5))
    reader.enter("通行记录")
    granted = reader.page.locator("[data-testid^=entry-][data-granted=yes]")
    expect(granted.first).to_contain_text("Ada", timeout=PATIENCE_MS)
    assert site.openings == 2

    reader.enter("业主")
    reader.page.get_by_role("link", name="Ada").first.click()
    prove(reader)
    reader.press("发放密码")
    pin = "".join(reader.read("pin").split())
    assert site.door.run(f"gatehouse door pin --unit 1-101 --pin {pin}")


def set_up(reader: Reader, setup_code: str) -> str:
    """Section 3 in the browser; return the recovery secret."""
    reader.page.goto("/")
    reader.sees("设置您的小区")
    reader.fill(setup_code=setup_code, setup_community="阳光花园")
    reader.fill(setup_username=USERNAME, setup_password=PASSWORD)
    reader.press("完成设置")
    kit = reader.read("kit-secret")
    with reader.page.expect_download() as saved:
        reader.press("保存为文件")
    assert kit.split()[0] in Path(saved.value.path()).read_text("utf-8")
    reader.page.get_by_test_id("kit-confirm").check()
    reader.press("前往登录")
    reader.fill(login_username=USERNAME, login_password=PASSWORD)
    reader.page.get_by_test_id("login-submit").click()
    return kit


def pair_a_door(site: Site, reader: Reader) -> None:
    """Section 4: the command that the page shows is the guide's, and is run at the unit."""
    reader.enter("门")
    reader.fill(door_name="北门")
    reader.press("添加门")
    reader.press("获取配对码")
    code = reader.read("door-code")
    shown = reader.page.locator("#pair-command").inner_text()
    expect(reader.find("复制命令")).to_be_visible()
    (line,) = (line for line in lines_of(typed(4, LANGUAGE)) if CODE in line)
    assert shown == site.door.placed(line).replace(CODE, code)
    said = site.follow(4, LANGUAGE, code=code)
    assert said[line].startswith("paired door=")


def prove(reader: Reader) -> None:
    """Give the password where the page asks for it again."""
    if reader.page.get_by_test_id("proof").count():
        reader.fill(own_password=PASSWORD)
        reader.page.get_by_test_id("proof-submit").click()
        expect(reader.page.get_by_test_id("proof")).to_have_count(0)


def sign(reader: Reader) -> None:
    """Section 7."""
    reader.enter("隐私保护")
    reader.fill(officer_controller="阳光物业", officer_contact="0755-1234567")
    reader.press("保存")
    expect(reader.find("门口告示")).to_be_visible()
    reader.press("个人信息保护影响评估")
    prove(reader)
    reader.fill(assessment_name="林梅")
    reader.press("签署")
    expect(reader.page.get_by_test_id("assessment-signed")).to_be_visible()


def invite_and_approve(reader: Reader, person: SamplePerson) -> None:
    """Section 8, at the desk and on the resident's phone."""
    reader.enter("业主")
    reader.sees("邀请业主")
    reader.fill(invite_name=person.name, invite_unit="1-101")
    reader.press("生成邀请")
    with phone(reader.read("invite-link"), person) as replies:
        assert next(replies).outcome == "received"
        reader.enter("审核")
        reader.press("批准")
        assert next(replies).outcome == "enrolled"
