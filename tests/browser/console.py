"""The desk in a browser: a real cloud and server, set up through the pages themselves."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

import httpx
from playwright.sync_api import Browser, Page, StorageState, ViewportSize, expect

from gatehouse.enrollment_client import EnrollmentClient, EnrollmentFailed, Submission
from gatehouse.local_estate import LocalEstate, TierProcess, run_command, wait_for
from tier_link.envelopes import Particulars, Photo, Pose

USERNAME: Final = "mei"
POSES: Final[Sequence[Pose]] = ("front", "left", "right")
PASSWORD: Final = "a calm horse reads slowly"  # noqa: S105 - of a test's own estate
NAME: Final = "阳光花园 Sunny Court"
DESKTOP: Final[ViewportSize] = {"width": 1280, "height": 800}
PHONE: Final[ViewportSize] = {"width": 360, "height": 740}

# Every tier is a process of its own here, on machines that are busy with other tests.
PATIENCE_MS: Final = 30_000
expect.set_options(timeout=PATIENCE_MS)


def enter(page: Page, room: str) -> None:
    """Go to a room by the navigation, which keeps some back on a narrow screen."""
    more = page.get_by_test_id("nav-more")
    if more.is_visible() and not page.get_by_test_id(f"nav-{room}").is_visible():
        more.click()
    page.get_by_test_id(f"nav-{room}").click()


@dataclass
class Desk:
    """One estate and the browsers that look at it."""

    estate: LocalEstate
    browser: Browser
    session: StorageState | None = None

    @contextmanager
    def page(
        self,
        *,
        signed_in: bool = True,
        language: str = "en",
        may_complain: bool = False,
        **options: Any,
    ) -> Iterator[Page]:
        """Open a page; what it or its policy complains of fails the test, unless it may."""
        complaints: list[str] = []

        def note(kind: str, text: str) -> None:
            # A refused request is the test's own doing; everything else is the page's.
            if kind == "error" and "Failed to load resource" not in text:
                complaints.append(text)

        context = self.browser.new_context(
            ignore_https_errors=True,
            base_url=self.estate.server_address,
            locale=language,
            storage_state=self.session if signed_in else None,
            **{"viewport": DESKTOP, **options},
        )
        try:
            page = context.new_page()
            page.set_default_timeout(PATIENCE_MS)
            page.on("pageerror", lambda error: complaints.append(str(error)))
            page.on("console", lambda message: note(message.type, message.text))
            yield page
        finally:
            context.close()
        assert may_complain or not complaints, complaints

    def set_up(self, look: Callable[[Page], None] = lambda _: None, *, cloud: bool = True) -> None:
        """Do the first run as its operator does: set up, keep the kit, sign in, pair the cloud.

        `look` is shown the page with the kit, which is never seen again.
        """
        code = (self.estate.folder / "server" / "setup-code").read_text().strip()
        with self.page(signed_in=False) as page:
            page.goto("/")
            page.get_by_test_id("setup-code").fill(code.lower().replace("-", " "))
            page.get_by_test_id("setup-community").fill(NAME)
            page.get_by_test_id("setup-username").fill(USERNAME)
            page.get_by_test_id("setup-password").fill(PASSWORD)
            page.get_by_test_id("setup-submit").click()
            expect(page.get_by_test_id("kit-secret")).to_contain_text(" ")
            look(page)
            page.get_by_test_id("kit-continue").click()
            # The browser holds the form back until the kit is said to be safe.
            expect(page.get_by_test_id("kit-secret")).to_be_visible()
            page.get_by_test_id("kit-confirm").check()
            page.get_by_test_id("kit-continue").click()
            self.sign_in(page)
            expect(page.get_by_test_id("nav-overview")).to_be_visible()
            if cloud:
                self._pair_cloud(page)
                self._sign_assessment(page)
            self.session = page.context.storage_state()

    def sign_in(self, page: Page, password: str = PASSWORD) -> None:
        """Fill in the sign-in page."""
        page.get_by_test_id("login-username").fill(USERNAME)
        page.get_by_test_id("login-password").fill(password)
        page.get_by_test_id("login-submit").click()

    def prove(self, page: Page) -> None:
        """Give the password again where the page asks for it, as it does after five minutes."""
        if page.get_by_test_id("proof").count():
            page.get_by_test_id("own-password").fill(PASSWORD)
            page.get_by_test_id("proof-submit").click()
            expect(page.get_by_test_id("proof")).to_have_count(0)

    def _pair_cloud(self, page: Page) -> None:
        command = ["cloud", "pair", "Sunny Court", "--json"]
        code = json.loads(run_command(command, self.estate.cloud_environment))["code"]
        enter(page, "cloud")
        page.get_by_test_id("cloud-url").fill(self.estate.cloud_address)
        page.get_by_test_id("cloud-code").fill(code)
        page.get_by_test_id("cloud-pair").click()
        expect(page.get_by_test_id("done")).to_be_visible()
        expect(page.get_by_test_id("cloud-state")).to_have_attribute("data-phase", "connected")

    def _sign_assessment(self, page: Page) -> None:
        """Switch faces on, as the privacy officer does."""
        page.goto("/officer")
        expect(page.get_by_test_id("assessment-missing")).to_be_visible()
        page.get_by_test_id("officer-controller").fill("Sunny Property Ltd")
        page.get_by_test_id("officer-contact").fill("0755-1234567")
        page.get_by_test_id("details-save").click()
        page.goto("/officer/assessment")
        expect(page.get_by_test_id("faces-off")).to_be_visible()
        if page.get_by_test_id("proof").is_visible():
            page.get_by_test_id("own-password").fill(PASSWORD)
            page.get_by_test_id("proof-submit").click()
        page.get_by_test_id("assessment-name").fill("Lin Mei")
        page.get_by_test_id("assessment-sign").click()
        expect(page.get_by_test_id("assessment-signed")).to_be_visible()

    def enroll(
        self, link: str, photos: Sequence[bytes], particulars: Particulars | None = None
    ) -> Submission:
        """Send an enrollment through the cloud, as a phone does."""
        taken = [Photo(pose, photo) for pose, photo in zip(POSES, photos, strict=False)]
        with httpx.Client(trust_env=False) as http:
            client = EnrollmentClient(http)

            def send() -> Submission | None:
                try:
                    return client.submit(link, taken, particulars=particulars)
                except EnrollmentFailed as failed:
                    # The link was made a moment ago; word of it is still on its way to the cloud.
                    if failed.code == "invitation-unknown":
                        return None
                    raise

            return wait_for("the invitation at the cloud", send)

    @contextmanager
    def door(self, code: str, **settings: str) -> Iterator[TierProcess]:
        """Pair and run a door, by itself without a camera; the one before is gone."""
        environment = {
            "GATEHOUSE_CONFIG": str(self.estate.folder / "none.toml"),
            "GATEHOUSE_DOOR_DATA": str(self.estate.folder / "door"),
            "GATEHOUSE_DOOR_PORT": "0",
        } | {f"GATEHOUSE_DOOR_{name.upper()}": value for name, value in settings.items()}
        shutil.rmtree(self.estate.folder / "door", ignore_errors=True)
        server = self.estate.server_address
        run_command(["door", "pair", "--server", server, "--code", code], environment)
        door = TierProcess(["door", "run"], environment, self.estate.folder / "door.log")
        door.start()
        try:
            yield door
        finally:
            door.stop()
