"""Two ways in for visitors, through a real cloud and server: invited by a resident, and asking."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from sqlite3 import connect

import pytest
from playwright.sync_api import Page, expect

from face_engine.models import FacePack
from gatehouse.local_estate import wait_for
from gatehouse.sample_people import sample_people
from tests.browser.axe import faults
from tests.browser.console import PHONE, Desk
from tests.browser.doors_at_desk import staff_of
from tests.browser.shots import shoot
from tests.support.form_steps import PATIENCE_MS, await_outcome, open_form, step
from tier_link.invitations import parse_link
from tier_link.receipts import Erased, open_receipt

pytestmark = pytest.mark.long

UNIT = "3-1-502"
SPOKEN = pytest.mark.parametrize("language", ["en", "zh-CN"])


@contextmanager
def phone(desk: Desk, language: str) -> Iterator[Page]:
    with desk.page(signed_in=False, language=language, viewport=PHONE) as page:
        yield page


def make_page(page: Page, name: str) -> str:
    """Invite a resident at the desk and give them a page of their own; return its link."""
    page.goto("/people")
    page.get_by_test_id("invite-name").fill(name)
    page.get_by_test_id("invite-unit").fill(UNIT)
    page.get_by_test_id("invite-submit").click()
    expect(page.get_by_test_id("invite-link")).to_be_visible()
    page.goto("/people")
    page.get_by_role("link", name=name).click()
    page.get_by_test_id("page-make").click()
    return page.get_by_test_id("own-page-link").inner_text()


def enroll_face(desk: Desk, person: str, pack: FacePack, face: int = 0) -> None:
    """Let somebody enroll by a link of theirs, and approve it."""
    with staff_of(desk) as staff:
        invitation = staff.call("POST", f"people/{person}/invitation")["link"]
        desk.enroll(invitation, [sample_people(pack)[face].portrait])
        wait_for("the enrollment", lambda: staff.call("GET", "approvals"))
        (waiting,) = staff.call("GET", "approvals")
        staff.call("POST", f"approvals/{waiting['id']}", {"decision": "approve"})


def open_own_page(page: Page, link: str) -> None:
    """Open a resident's page as soon as word of its link has reached the cloud."""

    def shown() -> bool:
        page.goto("about:blank")
        page.goto(link)
        known = page.locator("[data-testid=home]:not([hidden]), body[data-refused$=unknown]")
        expect(known.first).to_be_visible(timeout=PATIENCE_MS)
        return page.get_by_test_id("home").is_visible()

    wait_for("the resident's page", shown)


def fits(page: Page) -> None:
    """Check a page for people who see or handle it otherwise, and a narrow phone."""
    assert faults(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


@SPOKEN
def test_a_resident_invites_and_the_visitor_gets_a_pass_without_a_photo(
    desk: Desk, language: str
) -> None:
    name = f"Mei Lin {language}"
    with desk.page(language=language) as page, phone(desk, language) as own:
        link = make_page(page, name)
        open_own_page(own, link)
        fits(own)
        shoot(own, "home", full=True)
        own.get_by_test_id("visitor-name").fill("Wang Xin")
        own.get_by_test_id("by-face").check()
        own.get_by_test_id("invite").click()
        expect(own.get_by_test_id("visitor-link")).to_contain_text("/visit#", timeout=PATIENCE_MS)
        expect(own.locator("[data-testid=expected] li[data-state=approved]")).to_have_count(1)
        fits(own)
        shoot(own, "home-invited", full=True)
        invitation = own.get_by_test_id("visitor-link").inner_text()
        with phone(desk, language) as visitor:
            open_form(visitor, invitation)
            visitor.get_by_test_id("choose-pin").click()
            step(visitor, "particulars")
            visitor.get_by_test_id("name").fill("Somebody else")
            visitor.get_by_test_id("visiting").fill(UNIT)
            visitor.get_by_test_id("continue-particulars").click()
            visitor.get_by_test_id("send-pin").click()
            await_outcome(visitor, "enrolled")
            assert len(visitor.get_by_test_id("pin").inner_text()) == 6
            visitor.get_by_test_id("open-pass").click()
        # Who was invited keeps the name that their host gave.
        page.goto("/visitors")
        expect(page.get_by_test_id("visits")).to_contain_text("Wang Xin")
        expect(page.get_by_text("Somebody else")).to_have_count(0)
        own.get_by_test_id("cancel").click()
        own.get_by_test_id("cancel").click()
        expect(own.locator("[data-testid=expected] li")).to_have_count(0, timeout=PATIENCE_MS)
        page.goto("/visitors")
        expect(page.get_by_test_id("visits")).to_have_count(0)


@SPOKEN
def test_whoever_asks_at_a_poster_is_let_in_by_the_household(desk: Desk, language: str) -> None:
    name = f"Ada Chen {language}"
    with (
        desk.page(language=language) as page,
        phone(desk, language) as own,
        phone(desk, language) as visitor,
    ):
        link = make_page(page, name)
        page.goto("/doors")
        page.get_by_test_id("door-name").fill(f"Gate {language}")
        page.get_by_test_id("door-add").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        page.get_by_role("link", name=f"Gate {language}").click()
        page.get_by_test_id("poster-make").click()
        poster = page.get_by_test_id("poster-link").inner_text()
        # Nothing but the poster goes on paper.
        expect(page.get_by_test_id("nav-doors")).to_have_count(0)
        assert faults(page) == []
        shoot(page, "poster", full=True)
        open_own_page(own, link)

        visitor.goto(poster)
        visitor.get_by_test_id("visitor-name").fill("李娜 Li Na")
        visitor.get_by_test_id("unit").fill(UNIT)
        fits(visitor)
        shoot(visitor, "ask", full=True)
        visitor.get_by_test_id("send").click()
        expect(visitor.get_by_test_id("waiting")).to_be_visible(timeout=PATIENCE_MS)
        fits(visitor)

        # The page that is open hears of it by itself.
        expect(own.get_by_test_id("asking")).to_contain_text("李娜 Li Na", timeout=PATIENCE_MS)
        fits(own)
        shoot(own, "home-asked", full=True)
        own.get_by_test_id("approve").click()
        expect(own.locator("[data-testid=expected] li[data-state=approved]")).to_have_count(
            1, timeout=PATIENCE_MS
        )

        # A phone that was locked meanwhile goes on where it was.
        visitor.reload()
        expect(visitor.get_by_test_id("approved")).to_be_visible(timeout=PATIENCE_MS)
        fits(visitor)
        shoot(visitor, "ask-approved", full=True)
        visitor.get_by_test_id("open-pass").click()
        expect(visitor.get_by_test_id("pass-code")).to_be_visible()
        page.goto("/visitors")
        expect(page.locator("[data-testid=visits] [data-state=approved]")).to_have_count(1)
        assert faults(page) == []
        shoot(page, "console-visits", full=True)
        page.get_by_test_id("visit-end").click()
        expect(page.get_by_test_id("done")).to_be_visible()


@SPOKEN
def test_a_resident_withdraws_consent_on_their_own_page_and_reads_the_pin_there(
    desk: Desk, pack: FacePack, language: str
) -> None:
    name = f"Lin Yu {language}"
    with desk.page(language=language) as page, phone(desk, language) as own:
        link = make_page(page, name)
        person = page.url.rsplit("/", 1)[-1]
        enroll_face(desk, person, pack)
        open_own_page(own, link)
        own.get_by_test_id("face-withdraw").click()
        own.get_by_test_id("face-withdraw").click()
        expect(own.get_by_test_id("face-gone")).to_be_visible(timeout=PATIENCE_MS)
        assert len(own.get_by_test_id("own-pin").inner_text()) == 6
        expect(own.get_by_test_id("face-withdraw")).to_have_count(0)
        fits(own)
        shoot(own, "home-face-withdrawn", full=True)
        # No door held it: the receipt comes with the next sweep, to the page that is open.
        expect(own.get_by_test_id("receipt")).to_be_visible(timeout=PATIENCE_MS)
        own.get_by_test_id("receipt").locator("summary").click()
        fits(own)
        with own.expect_download() as saved:
            own.get_by_test_id("receipt-save").click()
        file = saved.value.path().read_bytes()
        stated = open_receipt(file, parse_link(link).invitation.fingerprint).receipt.stated
        assert isinstance(stated, Erased)
        assert stated.person == person
        page.goto(f"/people/{person}")
        expect(page.get_by_test_id("consent-keep")).to_be_visible()
        page.set_viewport_size(PHONE)
        fits(page)
        expect(page.get_by_test_id("withdraw-open")).to_have_count(0)


@SPOKEN
def test_a_resident_is_asked_to_agree_anew_on_their_own_page_when_a_text_has_changed(
    desk: Desk, pack: FacePack, language: str
) -> None:
    name = f"Zhou {language}"
    with desk.page(language=language) as page, phone(desk, language) as own:
        link = make_page(page, name)
        person = page.url.rsplit("/", 1)[-1]
        # Whoever resembled the other language's resident would be held.
        enroll_face(desk, person, pack, {"en": 0, "zh-CN": 2}[language])
        # As if they had agreed to the text of an earlier version.
        with closing(connect(desk.estate.folder / "server" / "server.sqlite")) as database:
            database.execute("UPDATE consents_given SET sha256 = ?", ("0" * 64,))
            database.commit()
        page.goto("/consents")
        expect(page.get_by_test_id(f"outdated-{person}")).to_be_visible()
        # One round is for everybody, and the other language's test may have begun it.
        if not page.get_by_test_id("round-running").count():
            page.get_by_test_id("round-begin").click()
        expect(page.get_by_test_id("round-running")).to_be_visible()
        open_own_page(own, link)
        expect(own.get_by_test_id("confirm")).to_be_visible()
        fits(own)
        shoot(own, "home-confirm", full=True)
        own.get_by_test_id("consent-encode").check()
        own.get_by_test_id("consent-keep").check()
        own.get_by_test_id("continue").click()
        expect(own.get_by_test_id("confirm")).to_be_hidden(timeout=PATIENCE_MS)
        page.reload()
        expect(page.get_by_test_id(f"outdated-{person}")).to_have_count(0)
