"""The form in real Chromium, sealed to an estate behind a real cloud."""

import io
import re
import time

import cv2
import numpy as np
import pytest
from PIL import Image as PillowImage
from playwright.sync_api import FilePayload, Page, Route, expect

from tests.browser.conftest import (
    Image,
    Launch,
    OpenPage,
    Portraits,
    camera_film,
    jpeg,
)
from tests.browser.estate import Estate
from tests.community_server.photos import bomb
from tests.support.form_steps import CONSENTS, agree, step

REQUIRED_CONSENTS = {"encode", "internet", "keep"}
POSES = ("front", "left", "right")


def choose(page: Page, pose: str, data: bytes) -> None:
    """Give a photo as a file."""
    page.get_by_test_id(f"file-{pose}").set_input_files(
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": data}
    )


def outcome(page: Page, name: str, reason: str = "") -> None:
    """Wait for the estate's answer."""
    verdict = page.get_by_test_id("outcome")
    expect(verdict).to_have_attribute("data-outcome", name)
    expect(verdict).to_have_attribute("data-reason", reason)
    expect(verdict).to_be_visible()
    expect(page.get_by_test_id("outcome-advice")).not_to_be_empty()


def kept_photos(page: Page) -> int:
    """Count the photos that the browser keeps for this page's one invitation."""
    count: int = page.evaluate(
        """() => new Promise((resolve, reject) => {
            const request = indexedDB.open("gatehouse-form");
            request.onerror = reject;
            request.onsuccess = () => {
                const all = request.result.transaction("progress").objectStore("progress").getAll();
                all.onsuccess = () => {
                    request.result.close();
                    resolve(all.result.reduce((sum, one) => sum + one.photos.length, 0));
                };
            };
        })"""
    )
    return count


def send_front(page: Page, link: str, portrait: Image) -> None:
    """Go through the resident's form with one photo from a file."""
    page.goto(link)
    agree(page)
    step(page, "photos")
    choose(page, "front", jpeg(portrait))
    page.get_by_test_id("send").click()


def opened(photo: bytes) -> PillowImage.Image:
    """Decode a photo that arrived."""
    return PillowImage.open(io.BytesIO(photo))


@pytest.mark.parametrize("language", ["zh-CN", pytest.param("en", marks=pytest.mark.long)])
def test_the_camera_guides_through_three_photos_and_the_estate_enrolls(
    estate: Estate,
    open_page: OpenPage,
    launch: Launch,
    portraits: Portraits,
    tmp_path_factory: pytest.TempPathFactory,
    language: str,
) -> None:
    shots = [(portraits.front, 3.0), (portraits.left, 3.0), (portraits.right, 3.0)]
    film = camera_film(tmp_path_factory.mktemp("film") / "camera.mjpeg", shots)
    browser = launch("--use-fake-device-for-media-stream", film)
    link, invitation = estate.invite()
    page = open_page(on=browser, camera=True, language=language)
    page.goto(link)
    agree(page)
    page.get_by_test_id("use-camera").click()
    for pose in POSES:
        # Nobody presses the shutter: each photo takes itself when the head is turned that way.
        expect(page.get_by_test_id(f"photo-{pose}")).to_be_visible(timeout=45_000)
    page.get_by_test_id("send").click()
    enrollment = estate.receive(invitation)
    assert [photo.pose for photo in enrollment.photos] == list(POSES)
    assert {consent.id for consent in enrollment.consents} == REQUIRED_CONSENTS
    assert {consent.language for consent in enrollment.consents} == {language}
    assert enrollment.language == language
    assert kept_photos(page) == len(POSES)
    estate.reply(enrollment, "enrolled")
    outcome(page, "enrolled")
    assert kept_photos(page) == 0
    # "Your photos stay on this phone until …" would now contradict "deleted from this phone".
    expect(page.locator('[data-part="promise"]')).to_be_hidden()
    browser.close()


def test_one_photo_leads_on_to_three_and_can_be_sent_as_it_is(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    page.goto(link)
    agree(page)
    more, send = page.get_by_test_id("more"), page.get_by_test_id("send")
    expect(more).to_be_hidden()
    choose(page, "front", jpeg(portraits.front))
    expect(send).to_have_text("Send with one")
    expect(page.locator('[data-part="send-note"]')).to_contain_text("half as often")
    # Whoever chose a file is asked for the next one as a file.
    with page.expect_file_chooser() as chooser:
        more.click()
    photo: FilePayload = {
        "name": "left.jpg",
        "mimeType": "image/jpeg",
        "buffer": jpeg(portraits.left),
    }
    chooser.value.set_files(photo)
    expect(send).to_have_text("Send with two")
    page.get_by_test_id("lang-zh-CN").click()
    expect(send).to_have_text("用两张发送")
    choose(page, "right", jpeg(portraits.right))
    expect(send).to_have_text("加密并发送")
    expect(more).to_be_hidden()
    send.click()
    assert len(estate.receive(invitation).photos) == len(POSES)


def test_a_visitor_says_who_comes_and_waits_for_the_desk(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite("visitor")
    page = open_page(language="zh-CN")
    page.goto(link)
    agree(page)
    page.get_by_test_id("name").fill("王小明")
    page.get_by_test_id("continue-particulars").click()
    # Whom the visit is for is asked for in words, at the field itself.
    expect(page.locator('[data-missing="visiting"]')).to_be_visible()
    expect(page.get_by_test_id("visiting")).to_be_focused()
    for name, value in (("visiting", "3-1204"), ("phone", "13800000000"), ("plate", "沪A12345")):
        page.get_by_test_id(name).fill(value)
    page.get_by_test_id("continue-particulars").click()
    choose(page, "front", jpeg(portraits.front))
    page.get_by_test_id("send").click()
    enrollment = estate.receive(invitation)
    assert enrollment.kind == "visitor"
    assert enrollment.particulars.name == "王小明"
    assert enrollment.particulars.visiting == "3-1204"
    assert enrollment.particulars.plate == "沪A12345"
    estate.reply(enrollment, "received")
    outcome(page, "received")
    assert kept_photos(page) == 1
    estate.reply(enrollment, "enrolled", expires_at=int(time.time()) + 3600)
    outcome(page, "enrolled")


def test_whoever_wants_no_face_gets_a_pin_without_any_photo(
    estate: Estate, open_page: OpenPage
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    page.goto(link)
    step(page, "consents")
    for consent in CONSENTS:
        expect(page.get_by_test_id(f"consent-{consent}")).not_to_be_checked()
    page.get_by_test_id("choose-pin").click()
    page.get_by_test_id("send-pin").click()
    enrollment = estate.receive(invitation)
    assert enrollment.alternative == "pin"
    assert not enrollment.photos
    assert not enrollment.consents
    fragment = "AQIDBA"
    estate.reply(enrollment, "enrolled", pin="482913", qr_pass=fragment)
    outcome(page, "enrolled")
    expect(page.get_by_test_id("pin")).to_have_text("482913")
    expect(page.get_by_test_id("open-pass")).to_be_visible()
    expect(page.get_by_test_id("open-pass")).to_have_attribute("href", re.compile("/pass#AQIDBA$"))


def test_nothing_goes_on_before_every_needed_consent_is_ticked(
    estate: Estate, open_page: OpenPage
) -> None:
    link, _ = estate.invite()
    page = open_page()
    page.goto(link)
    step(page, "consents")
    for consent in CONSENTS[:-1]:
        page.get_by_test_id(f"consent-{consent}").check()
    page.get_by_test_id("continue").click()
    step(page, "consents")
    expect(page.locator('[data-part="consents-missing"]')).to_be_visible()
    missing = page.get_by_test_id(f"consent-{CONSENTS[-1]}")
    expect(missing).to_be_focused()
    expect(missing).to_have_attribute("aria-invalid", "true")


def test_only_the_photo_that_was_refused_is_taken_again(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    page.goto(link)
    agree(page)
    for pose in POSES:
        choose(page, pose, jpeg(getattr(portraits, pose)))
        expect(page.get_by_test_id(f"photo-{pose}")).to_be_visible()
    page.get_by_test_id("send").click()
    first = estate.receive(invitation)
    estate.reply(first, "retake", reason="too-dark", photo=1)
    outcome(page, "retake", "too-dark")
    page.get_by_test_id("retry").click()
    expect(page.get_by_test_id("photo-left")).to_be_hidden()
    expect(page.get_by_test_id("photo-front")).to_be_visible()
    choose(page, "left", jpeg(portraits.left))
    expect(page.get_by_test_id("photo-left")).to_be_visible()
    page.get_by_test_id("send").click()
    second = estate.receive(invitation)
    assert second.envelope != first.envelope
    assert second.reply_key != first.reply_key
    assert second.photos[0] == first.photos[0]
    estate.reply(second, "refused", reason="declined-by-desk")
    outcome(page, "refused", "declined-by-desk")
    assert kept_photos(page) == 0


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "a PIN, a pass or a card"), ("zh-CN", "密码、通行码或门禁卡")],
)
def test_whoever_sends_photos_before_faces_are_on_is_told_what_opens_meanwhile(
    estate: Estate, open_page: OpenPage, portraits: Portraits, language: str, said: str
) -> None:
    link, invitation = estate.invite()
    page = open_page(language=language)
    send_front(page, link, portraits.front)
    sent = estate.receive(invitation)
    estate.reply(sent, "received", reason="faces-not-yet")
    outcome(page, "received", "faces-not-yet")
    expect(page.get_by_test_id("outcome-advice")).to_contain_text(said)
    estate.reply(sent, "enrolled")
    outcome(page, "enrolled")


@pytest.mark.parametrize(
    ("language", "advice"),
    [("en", "Look straight into the camera."), ("zh-CN", "请正对镜头。")],
)
def test_a_front_photo_turned_away_is_asked_for_straight_ahead(
    estate: Estate, open_page: OpenPage, portraits: Portraits, language: str, advice: str
) -> None:
    link, invitation = estate.invite()
    page = open_page(language=language)
    send_front(page, link, portraits.front)
    estate.reply(estate.receive(invitation), "retake", reason="turned-away", photo=0)
    outcome(page, "retake", "turned-away")
    expect(page.get_by_test_id("outcome-advice")).to_have_text(advice)
    expect(page.locator('[data-part="promise"]')).to_be_visible()


def test_a_closed_page_goes_on_where_it_was(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    page.goto(link)
    agree(page)
    choose(page, "front", jpeg(portraits.front))
    expect(page.get_by_test_id("photo-front")).to_be_visible()
    page.reload()
    step(page, "photos")
    expect(page.get_by_test_id("photo-front")).to_be_visible()
    page.get_by_test_id("send").click()
    enrollment = estate.receive(invitation)
    page.goto("about:blank")
    page.goto(link)
    step(page, "sending")
    estate.reply(enrollment, "enrolled", pin="135790")
    outcome(page, "enrolled")
    page.goto("about:blank")
    page.goto(link)
    outcome(page, "enrolled")
    expect(page.get_by_test_id("pin")).to_have_text("135790")


def test_a_lost_envelope_is_sent_again_from_the_kept_photos(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    page.route("**/envelopes/*", _lose)
    send_front(page, link, portraits.front)
    expect(page.get_by_test_id("problem")).to_have_attribute("data-problem", "again")
    first = estate.receive(invitation)
    page.unroute("**/envelopes/*")
    page.get_by_test_id("try-again").click()
    second = estate.receive(invitation)
    assert second.photos == first.photos
    estate.reply(second, "enrolled")
    outcome(page, "enrolled")


def _lose(route: Route) -> None:
    if route.request.method == "GET":
        gone = {"error": {"code": "envelope-unknown", "message": ""}}
        route.fulfill(status=404, json=gone)
    else:
        route.continue_()


def test_a_broken_connection_only_delays(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    page.goto(link)
    agree(page)
    choose(page, "front", jpeg(portraits.front))
    expect(page.get_by_test_id("photo-front")).to_be_visible()
    page.route("**/envelopes/*", lambda route: route.abort())
    page.get_by_test_id("send").click()
    expect(page.locator('[data-part="sending-state"]')).to_contain_text("No connection")
    page.unroute("**/envelopes/*")
    enrollment = estate.receive(invitation)
    estate.reply(enrollment, "enrolled")
    outcome(page, "enrolled")
    assert estate.arrived.empty()


def test_a_reply_that_the_community_did_not_sign_changes_nothing(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, invitation = estate.invite()
    page = open_page()
    send_front(page, link, portraits.front)
    enrollment = estate.receive(invitation)
    estate.reply(enrollment, "enrolled", signer=estate.root)
    expect(page.locator('[data-part="sending-state"]')).to_contain_text("looking at it")
    expect(page.get_by_test_id("outcome")).to_be_hidden()
    estate.reply(enrollment, "retake", reason="blurred", photo=0)
    outcome(page, "retake", "blurred")


def test_a_sideways_photo_arrives_upright_and_without_its_metadata(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    upright = opened(jpeg(portraits.front))
    exif = PillowImage.Exif()
    exif[0x0112] = 6  # orientation: turn a quarter clockwise to see it upright
    exif[0x010F] = "CANARY-CAMERA"
    sideways = io.BytesIO()
    upright.transpose(PillowImage.Transpose.ROTATE_90).save(sideways, "JPEG", exif=exif)
    link, invitation = estate.invite()
    page = open_page()
    page.goto(link)
    agree(page)
    choose(page, "front", sideways.getvalue())
    page.get_by_test_id("send").click()
    (photo,) = estate.receive(invitation).photos
    arrived = opened(photo.data)
    assert arrived.size == upright.size
    assert not arrived.getexif()
    assert b"CANARY" not in photo.data


@pytest.mark.long
def test_a_photo_that_the_estate_would_refuse_is_not_kept_and_says_what_to_do(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, _ = estate.invite()
    page = open_page()
    page.goto(link)
    agree(page)
    error = page.locator('.slot[data-pose="front"] [data-part="slot-error"]')
    good = portraits.front
    whole = jpeg(good)
    for data, sentence, advice in (
        (jpeg(portraits.two_people), "more than one face", "nobody else"),
        (jpeg(np.full_like(good, 170)), "no face", "Look straight"),
        (bomb(20_000, 15_000), "too large", "choose a smaller one"),
        (bomb(10_000, 5_000), "no face", "Look straight"),  # as large as a good phone's photos
        (b"%PDF-1.7 not a photo", "cannot be read", "choose another"),
        (whole[: len(whole) // 2], "incomplete", "choose the original"),
        (jpeg(np.ascontiguousarray(good[:64, :64])), "too small", "choose the original"),
        (jpeg((good * 0.15).astype(np.uint8)), "too dark", "window or a lamp"),
        (jpeg(_blurred(good)), "blurred", "Wipe the lens"),
    ):
        choose(page, "front", data)
        expect(error).to_contain_text(sentence)
        expect(error).to_contain_text(advice)
        expect(page.get_by_test_id("photo-front")).to_be_hidden()
        expect(page.get_by_test_id("send")).to_be_disabled()
    assert kept_photos(page) == 0
    page.get_by_test_id("lang-zh-CN").click()
    expect(error).to_contain_text("照片模糊。请擦一擦镜头")
    choose(page, "front", whole)
    expect(page.get_by_test_id("photo-front")).to_be_visible()
    expect(error).to_be_hidden()


def test_of_two_files_chosen_in_a_row_the_last_counts_however_long_the_first_takes(
    estate: Estate, open_page: OpenPage, portraits: Portraits
) -> None:
    link, _ = estate.invite()
    page = open_page()
    page.goto(link)
    agree(page)
    choose(page, "front", bomb(10_000, 5_000))
    choose(page, "front", jpeg(portraits.front))
    expect(page.get_by_test_id("photo-front")).to_be_visible()
    # By then the large one would have come, had it not been dropped.
    choose(page, "left", bomb(10_000, 5_000))
    left = page.locator('.slot[data-pose="left"] [data-part="slot-error"]')
    expect(left).to_contain_text("no face")
    expect(page.locator('.slot[data-pose="front"] [data-part="slot-error"]')).to_be_hidden()
    expect(page.get_by_test_id("photo-front")).to_be_visible()


def _blurred(portrait: Image) -> Image:
    """As out of focus as the detector still finds a face."""
    return np.asarray(cv2.GaussianBlur(portrait, (0, 0), portrait.shape[0] / 60), np.uint8)
