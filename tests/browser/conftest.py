"""Real Chromium against a real cloud process; the camera is a film that the tests make."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from face_engine.errors import ModelsMissing
from face_engine.models import DEFAULT_PACK, FacePack, default_folder, load_pack
from face_engine.quality import pose
from gatehouse.local_estate import LocalEstate
from gatehouse.sample_people import sample_people
from tests.browser.console import Desk
from tests.browser.estate import Estate
from tests.enrollment_cloud.cloud_process import CloudProcess

Image = NDArray[np.uint8]

CAMERA_SIZE = (640, 480)
FRAMES_PER_SECOND = 10
PHONE: ViewportSize = {"width": 360, "height": 740}
ACTION_MS = 30_000


@dataclass(frozen=True)
class Portraits:
    """Upright portraits of people of the sample photo, and of one who turns the head."""

    front: Image
    left: Image
    right: Image
    two_people: Image


@pytest.fixture(scope="session")
def chromium_path() -> str:
    """The system's Chromium; Playwright's own is not downloaded."""
    found = shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture(scope="session")
def pack() -> FacePack:
    """The default model pack."""
    try:
        return load_pack(DEFAULT_PACK, default_folder())
    except ModelsMissing as missing:
        pytest.skip(str(missing))


@pytest.fixture(scope="module")
def desk(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """An estate that was set up through its own pages."""
    with LocalEstate(tmp_path_factory.mktemp("estate")) as estate:
        estate.start_cloud()
        estate.start_server()
        opened = Desk(estate, browser)
        opened.set_up()
        yield opened


@pytest.fixture(scope="session")
def portraits(pack: FacePack) -> Portraits:
    """Portraits from the sample photo, turned upright."""
    people = {person.name: decode(person.portrait) for person in sample_people(pack)}
    front = upright(pack, people["Chen"])
    turned = upright(pack, people["Dora"])
    other = cv2.resize(turned, front.shape[1::-1])
    return Portraits(
        front=front,
        left=np.asarray(cv2.flip(turned, 1), np.uint8),
        right=turned,
        two_people=np.hstack([front, np.asarray(other, np.uint8)]),
    )


@pytest.fixture(scope="session")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudProcess]:
    """A cloud as its operator runs it."""
    process = CloudProcess(
        tmp_path_factory.mktemp("cloud"),
        # One address asks for everything here.
        extra={
            "GATEHOUSE_CLOUD_READS_PER_MINUTE": "100000",
            "GATEHOUSE_CLOUD_UPLOADS_PER_MINUTE": "10000",
        },
    )
    process.start()
    yield process
    process.stop()


@pytest.fixture(scope="session")
def paired_estate(
    cloud: CloudProcess, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Estate]:
    """The community that most tests share: pairing one takes seconds."""
    with Estate(cloud, tmp_path_factory.mktemp("estate")) as opened:
        yield opened


@pytest.fixture
def estate(paired_estate: Estate) -> Estate:
    """A community to which nothing has been sent yet."""
    while not paired_estate.arrived.empty():
        paired_estate.arrived.get_nowait()
    return paired_estate


@pytest.fixture
def own_estate(cloud: CloudProcess, tmp_path: Path) -> Iterator[Estate]:
    """A community whose profile the test may change."""
    with Estate(cloud, tmp_path) as opened:
        yield opened


Launch = Callable[..., Browser]


@pytest.fixture(scope="module")
def launch(chromium_path: str) -> Iterator[Launch]:
    """Start Chromium with more arguments.

    Not for longer than a module: Playwright keeps a loop in this thread, in which no other test
    can run one of its own.
    """
    with sync_playwright() as playwright:
        playwright.selectors.set_test_id_attribute("data-testid")

        def start(*arguments: str) -> Browser:
            return playwright.chromium.launch(
                executable_path=chromium_path, args=["--no-sandbox", *arguments]
            )

        yield start


@pytest.fixture(scope="module")
def browser(launch: Launch) -> Iterator[Browser]:
    """Chromium on a machine without a camera."""
    started = launch()
    yield started
    started.close()


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open pages as a phone does; what the page or its policy complains of fails the test."""
    complaints: list[str] = []
    with ExitStack() as stack:

        def start(
            *,
            language: str = "en",
            on: Browser | None = None,
            camera: bool = False,
            **options: object,
        ) -> Page:
            context = (on or browser).new_context(
                viewport=PHONE,
                device_scale_factor=2,
                locale=language,
                permissions=["camera"] if camera else [],
                **options,  # type: ignore[arg-type]  # Playwright's own keyword arguments
            )
            stack.callback(context.close)
            return _watched(context, complaints)

        yield start
    assert not complaints


def _watched(context: BrowserContext, complaints: list[str]) -> Page:
    page = context.new_page()
    page.set_default_timeout(ACTION_MS)
    page.on("pageerror", lambda error: complaints.append(str(error)))

    def note(kind: str, text: str) -> None:
        # A refused request is the test's own doing; everything else is the page's.
        if kind == "error" and "Failed to load resource" not in text:
            complaints.append(text)

    page.on("console", lambda message: note(message.type, message.text))
    return page


def jpeg(image: Image) -> bytes:
    """Encode as a phone would."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 92])
    assert done
    return data.tobytes()


def camera_film(path: Path, shots: Sequence[tuple[Image, float]]) -> str:
    """Write what Chromium's fake camera plays in a loop; return its argument.

    Args:
        path: the film's file, which must end in `.mjpeg`.
        shots: portraits and the seconds that each is to be seen.
    """
    with path.open("wb") as film:
        for portrait, seconds in shots:
            frame = jpeg(_before_camera(portrait))
            film.write(frame * max(1, round(seconds * FRAMES_PER_SECOND)))
    return f"--use-file-for-fake-video-capture={path}"


def _before_camera(portrait: Image) -> Image:
    width, height = CAMERA_SIZE
    scale = height / portrait.shape[0]
    small = cv2.resize(portrait, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    margin = max(0, width - small.shape[1])
    framed = cv2.copyMakeBorder(
        small, 0, 0, margin // 2, margin - margin // 2, cv2.BORDER_REPLICATE
    )
    return np.asarray(cv2.resize(framed, CAMERA_SIZE), np.uint8)


def decode(data: bytes) -> Image:
    """Read a JPEG."""
    return np.asarray(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), np.uint8)


def upright(pack: FacePack, portrait: Image) -> Image:
    """Turn a portrait so that the eyes are level."""
    (face, *_) = pack.detector.detect(portrait)
    _, _, roll = pose(face.landmarks)
    x, y, width, height = (float(value) for value in face.box)
    turn = cv2.getRotationMatrix2D((x + width / 2, y + height / 2), roll, 1.0)
    size = (portrait.shape[1], portrait.shape[0])
    turned = cv2.warpAffine(portrait, turn, size, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(turned, np.uint8)
