"""The form in real Chromium, served by the estate, and all it sends through a cloud that lies.

The relay has the cloud's link key, its database and every byte between the page and the estate's
server, which is a real one. What it does to that traffic is each test's choice; what the page then
shows is what is looked at. The same from a program: `tests/end_to_end/test_dishonest_relay.py`.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import msgspec
import pytest
import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from playwright.sync_api import Browser, Page, expect

from face_engine.models import FacePack, default_folder
from gatehouse.local_estate import wait_for
from gatehouse.sample_people import sample_people
from tests.browser.conftest import Launch, OpenPage, Portraits, camera_film
from tests.browser.forms_elsewhere import FormsElsewhere
from tests.community_server.doubles import COMMUNITY
from tests.community_server.server_process import run_server
from tests.end_to_end.dishonest_relay import DishonestRelay, Numbered
from tests.end_to_end.forms_of import phone_forms, photo_forms, text_forms
from tests.end_to_end.searching import files_with, needles
from tests.end_to_end.test_dishonest_relay import (
    Case,
    begin,
    flipped,
    new_id,
    no_key,
    opened,
    other_key,
    other_root,
    own_certificate,
    spliced_key,
)
from tests.enrollment_cloud.traces import database_files
from tests.support.form_steps import PATIENCE_MS, agree, await_outcome, step
from tier_link.certificates import SignedCertificate, carry_certificate, root_public_bytes
from tier_link.invitations import parse_link
from tier_link.replies import build_reply

pytestmark = pytest.mark.long

NAME: Final = "Canary-71c0e2d9-Kanarienvogel-九宫鸟"
PHONE: Final = "13900047211"
PIN: Final = "604318"
TICKET: Final = "nobody-signed-this-" * 4
POLLS: Final = 4
"""So often a page asks for its reply while it is shown what it must not take."""
A_MINUTE: Final = "01:00"


@dataclass
class Street:
    """Phones on the internet: pages of the honest form, with the relay behind them."""

    case: Case
    forms: FormsElsewhere
    camera: Browser
    open_page: OpenPage

    @property
    def relay(self) -> DishonestRelay:
        return self.case.relay

    def invite(self, kind: str = "resident") -> str:
        """Make a link at the desk; return it as it leads to where the form is served."""
        body: dict[str, Any] = {"kind": kind, "name": "", "unit": "1-101"}
        if kind == "visitor":
            body["valid_until"] = int(time.time()) + 3600
        else:
            body["name"] = "Ada"
        link: str = self.case.desk.call("POST", "/api/v1/invitations", body)["link"]
        invitation = parse_link(link).invitation.id
        wait_for("the invitation at the relay", lambda: invitation in self.relay.open)
        return link.replace(self.relay.url, self.forms.address)

    def photographed(self, link: str) -> Page:
        """Go through the form up to the button that sends; the camera takes the photo."""
        page = self.open_page(on=self.camera, camera=True)
        page.goto(link)
        agree(page)
        if "/visit" in link:
            page.get_by_test_id("name").fill(NAME)
            page.get_by_test_id("visiting").fill("1-101")
            page.get_by_test_id("phone").fill(PHONE)
            page.get_by_test_id("continue-particulars").click()
        page.get_by_test_id("use-camera").click()
        expect(page.get_by_test_id("photo-front")).to_be_visible(timeout=PATIENCE_MS)
        return page

    def sent(self, link: str) -> tuple[Page, str]:
        """Send; return the page, and the envelope's id once the relay has it."""
        before = set(self.relay.deposits)
        page = self.photographed(link)
        page.get_by_test_id("send").click()
        wait_for("the envelope at the relay", lambda: self.relay.deposits.keys() - before)
        (envelope,) = self.relay.deposits.keys() - before
        return page, envelope

    def hand_out(self, replies: Callable[[str], list[Numbered]]) -> None:
        """Answer pages so, until they have asked several times."""
        asked: list[str] = []

        def answer(envelope: str) -> list[Numbered]:
            asked.append(envelope)
            return replies(envelope)

        self.relay.on_replies = answer
        self._let_ask(asked)

    def _let_ask(self, asked: list[str]) -> None:
        page = self.open_page()  # a page's loop: without it Chromium's pages are not waited for
        deadline = time.monotonic() + PATIENCE_MS / 1000
        while len(asked) < POLLS and time.monotonic() < deadline:
            page.wait_for_timeout(200)
        assert len(asked) >= POLLS


@pytest.fixture(scope="module")
def running(pack: FacePack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Case]:
    folder = tmp_path_factory.mktemp("relay")
    data = folder / "server"
    with (
        run_server(data, database="", models=default_folder()) as server,
        opened("", data) as engine,
        DishonestRelay(folder) as relay,
    ):
        desk = begin(server, relay)
        yield Case(server, engine, relay, desk, sample_people(pack))
        desk.close()


@pytest.fixture(scope="module")
def camera(
    launch: Launch, portraits: Portraits, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    film = camera_film(tmp_path_factory.mktemp("film") / "camera.mjpeg", [(portraits.front, 3.0)])
    started = launch("--use-fake-device-for-media-stream", film)
    yield started
    started.close()


@pytest.fixture
def street(running: Case, camera: Browser, open_page: OpenPage) -> Iterator[Street]:
    running.relay.be_honest()
    with FormsElsewhere(running.server, running.relay) as forms:
        yield Street(running, forms, camera, open_page)
    running.relay.be_honest()
    assert "Traceback" not in "".join(running.server.log)
    for person in running.desk.call("GET", "/api/v1/people"):
        running.desk.call("DELETE", f"/api/v1/people/{person['person']}")


def nothing_was_taken(page: Page) -> None:
    """Check that the page shows no answer, and no PIN."""
    expect(page.get_by_test_id("outcome")).to_be_hidden()
    expect(page.get_by_test_id("pin")).to_be_hidden()
    step(page, "sending")


def test_it_reads_neither_photo_nor_name_nor_phone_nor_the_links_secret(
    street: Street, tmp_path: Path
) -> None:
    link = street.invite("visitor")
    page, envelope = street.sent(link)
    await_outcome(page, "received")
    desk = street.case.desk
    (waiting,) = desk.call("GET", "/api/v1/approvals")
    photo = desk.http.get(f"/api/v1/approvals/{waiting['id']}/photos/0").content
    desk.call("POST", f"/api/v1/approvals/{waiting['id']}", {"decision": "approve"})
    await_outcome(page, "enrolled")
    assert [row["name"] for row in desk.call("GET", "/api/v1/people")] == [NAME]
    secret = parse_link(link).invitation
    wanted = [*photo_forms(photo), *text_forms(NAME), *phone_forms(PHONE)]
    wanted += [*needles(secret.auth), *needles(secret.secret), secret.fragment.encode()]
    everything = tmp_path / "everything the relay saw"
    everything.write_bytes(b"\0".join(street.relay.seen))
    assert street.relay.deposits[envelope].sealed in everything.read_bytes()
    assert files_with(wanted, [everything, *database_files(street.relay.engine)]) == []


@pytest.mark.parametrize("lie", [other_root, other_key, spliced_key, no_key])
def test_it_cannot_swap_the_key_and_the_photo_stays_on_the_phone(
    street: Street, lie: Callable[[dict[str, Any]], dict[str, Any]]
) -> None:
    before, uploads = street.case.holdings, len(street.relay.deposits)
    page = street.photographed(street.invite())
    street.relay.on_profile = lie
    page.get_by_test_id("send").click()
    step(page, "problem")
    expect(page.get_by_test_id("problem")).to_have_attribute("data-problem", "root-mismatch")
    assert len(street.relay.deposits) == uploads
    assert street.case.holdings.rows["enrollments"] == before.rows["enrollments"]
    street.relay.be_honest()
    page.reload()
    expect(page.get_by_test_id("photo-front")).to_be_visible(timeout=PATIENCE_MS)
    page.get_by_test_id("send").click()
    await_outcome(page, "received")


def test_what_it_alters_enrolls_nobody_and_the_page_goes_on_waiting(street: Street) -> None:
    street.relay.on_deposit = lambda _: []
    page, envelope = street.sent(street.invite())
    true, before = street.relay.deposits[envelope], street.case.holdings
    for altered in (
        *(flipped(place)(true) for place in (0.0, 0.5, 1.0)),
        msgspec.structs.replace(true, envelope=new_id()),
        msgspec.structs.replace(true, invitation="0" * 32),
        msgspec.structs.replace(true, sealed_by="cloud"),
    ):
        street.relay.pass_on(altered)
        assert street.case.holdings == before
    nothing_was_taken(page)
    street.relay.pass_on(true)
    await_outcome(page, "received")


def test_it_enrolls_nobody_by_what_it_has_seen_of_an_open_page(street: Street) -> None:
    link = street.invite()
    page = street.photographed(link)
    invitation, before = parse_link(link).invitation, street.case.holdings
    seen = b"".join(street.relay.seen)
    assert invitation.id.encode() in seen
    for auth in (bytes(32), bytes.fromhex(invitation.id) * 2):
        street.relay.pass_on(street.case.forged(invitation, auth=auth).deposit())
    assert street.case.holdings == before
    page.get_by_test_id("send").click()
    await_outcome(page, "received")


def test_it_cannot_exchange_two_peoples_envelopes_or_replies(street: Street) -> None:
    street.relay.on_deposit = lambda _: []
    first, one = street.sent(street.invite())
    second, two = street.sent(street.invite())
    before = street.case.holdings
    mine, theirs = street.relay.deposits[one], street.relay.deposits[two]
    for swapped in (
        msgspec.structs.replace(mine, sealed=theirs.sealed),
        msgspec.structs.replace(theirs, invitation=mine.invitation),
    ):
        street.relay.pass_on(swapped)
    assert street.case.holdings == before
    other = {one: two, two: one}
    street.relay.on_replies = lambda envelope: street.relay.true_replies(other[envelope])
    for deposit in (mine, theirs):
        street.relay.pass_on(deposit)
    assert all(street.relay.true_replies(envelope) for envelope in other)
    street.hand_out(lambda envelope: street.relay.true_replies(other[envelope]))
    for page in (first, second):
        nothing_was_taken(page)
    street.relay.be_honest()
    for page in (first, second):
        await_outcome(page, "received")


def test_it_cannot_forge_a_reply_a_pin_or_a_pass_even_knowing_the_reply_key(
    street: Street,
) -> None:
    street.relay.on_replies = lambda _: []
    page, envelope = street.sent(street.invite())
    reply_key = wait_for("it at the server", lambda: _reply_key(street.case.engine, envelope))
    own = Ed25519PrivateKey.generate()
    profile = street.relay.profile
    assert profile is not None
    published = profile.certificates[0]
    of_relay = own_certificate(Ed25519PrivateKey.generate(), "reply", root_public_bytes(own))
    for carried in (of_relay, carry_certificate(published.certificate, published.signature)):
        forged = _forged(reply_key, own, carried, envelope)
        street.hand_out(lambda _, forged=forged: [(1, forged)])  # type: ignore[misc] # the default binds this round's reply
        nothing_was_taken(page)
    street.relay.be_honest()
    await_outcome(page, "received")
    expect(page.get_by_test_id("pin")).to_be_hidden()


def test_what_it_plays_back_changes_nothing(street: Street) -> None:
    page, envelope = street.sent(street.invite())
    await_outcome(page, "received")
    deposit, waiting = street.relay.deposits[envelope], street.case.holdings
    for again in (deposit, msgspec.structs.replace(deposit, envelope=new_id())):
        street.relay.pass_on(again)
        assert street.case.holdings == waiting
    ((_, old),) = street.relay.true_replies(envelope)
    street.hand_out(lambda _: [(1, old), (2, old), (3, old)])
    expect(page.get_by_test_id("outcome")).to_have_attribute("data-outcome", "received")
    street.relay.be_honest()
    (row,) = street.case.desk.call("GET", "/api/v1/approvals")
    street.case.desk.call("POST", f"/api/v1/approvals/{row['id']}", {"decision": "approve"})
    await_outcome(page, "enrolled")


def test_what_it_drops_is_said_on_the_page_and_sent_again_from_the_same_photos(
    street: Street,
) -> None:
    street.relay.on_deposit = lambda _: []
    page, envelope = street.sent(street.invite())
    del street.relay.deposits[envelope]
    step(page, "problem")
    expect(page.get_by_test_id("problem")).to_have_attribute("data-problem", "again")
    expect(page.locator('[data-part="problem-title"]')).not_to_be_empty()
    assert street.case.holdings.rows["enrollments"] == 0
    street.relay.be_honest()
    page.get_by_test_id("try-again").click()
    await_outcome(page, "received")


def test_what_it_delays_is_said_on_the_page_and_still_counts(street: Street) -> None:
    street.relay.on_deposit = lambda _: []
    link = street.invite()
    page = street.photographed(link)
    page.clock.install()
    page.get_by_test_id("send").click()
    wait_for("the envelope at the relay", lambda: _waits(page, street))
    (envelope,) = [one for one in street.relay.deposits if _of(street, one, link)]
    note = page.locator('[data-part="sending-note"]')
    expect(note).to_be_hidden()
    page.clock.fast_forward(A_MINUTE)
    expect(note).to_be_visible(timeout=PATIENCE_MS)
    expect(note).not_to_be_empty()
    nothing_was_taken(page)
    street.relay.pass_on(street.relay.deposits[envelope])
    page.clock.resume()
    await_outcome(page, "received")


def _waits(page: Page, street: Street) -> bool:
    page.wait_for_timeout(100)
    return bool(street.relay.deposits)


def _of(street: Street, envelope: str, link: str) -> bool:
    return street.relay.deposits[envelope].invitation == parse_link(link).invitation.id


def _reply_key(engine: sa.Engine, envelope: str) -> bytes | None:
    """Return a page's reply key as only the estate's server knows it, None before it does."""
    enrollments = sa.table("enrollments", sa.column("id"), sa.column("reply_key"))
    query = sa.select(enrollments.c.reply_key).where(enrollments.c.id == envelope)
    with engine.connect() as connection:
        found: bytes | None = connection.execute(query).scalar()
    return found


def _forged(
    reply_key: bytes, own: Ed25519PrivateKey, carried: SignedCertificate, envelope: str
) -> bytes:
    return build_reply(
        reply_key=reply_key,
        signing_key=own,
        certificate=carried,
        community=COMMUNITY,
        envelope=envelope,
        number=1,
        outcome="enrolled",
        sent_at=int(time.time()),
        pin=PIN,
        qr_pass=TICKET,
    )
