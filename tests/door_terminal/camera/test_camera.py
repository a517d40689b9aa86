"""Pictures come from whatever is named, at its own pace; a lost camera is found again."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from door_terminal.camera.reader import CameraReader, Frame, retry_delay
from door_terminal.camera.sources import Image, Source, open_source
from door_terminal.errors import CameraLost
from gatehouse.camera_feed import CameraFeed
from tests.door_terminal.estate import eventually


def shade(image: Image) -> int:
    """Return which picture of a recording this is: they get brighter one by one."""
    return round(float(image.mean()) / 20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number in (3, 1, 2):
        cv2.imwrite(str(folder / f"{number}.png"), np.full((48, 64, 3), 20 * number, np.uint8))
    (folder / "notes.txt").write_text("not a picture")
    return folder


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "walk.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 25.0, (64, 48))
    for number in (1, 2, 3, 4, 5):
        writer.write(np.full((48, 64, 3), 20 * number, np.uint8))
    writer.release()
    return path


def play(source: Source, most: int) -> list[int]:
    shades = []
    for _ in range(most):
        source.grab()
        shades.append(shade(source.retrieve()))
    return shades


def ends(source: Source) -> bool:
    with pytest.raises(CameraLost) as lost:
        source.grab()
    source.close()
    return lost.value.code == "camera-ended"


def test_a_folder_is_shown_in_order_at_the_given_rate(folder: Path) -> None:
    naps: list[float] = []
    source = open_source(str(folder), rate=4, sleep=naps.append)
    assert play(source, 3) == [1, 2, 3]
    assert ends(source)
    assert naps[0] == pytest.approx(0.25, abs=0.05)


def test_a_recording_keeps_its_own_pace_and_ends(video: Path) -> None:
    naps: list[float] = []
    source = open_source(str(video), sleep=naps.append)
    assert play(source, 5) == [1, 2, 3, 4, 5]
    assert ends(source)
    assert naps[0] == pytest.approx(0.04, abs=0.02)


@pytest.mark.parametrize("kind", ["folder", "video"])
def test_a_loop_begins_again(kind: str, request: pytest.FixtureRequest) -> None:
    path = request.getfixturevalue(kind)
    source = open_source(str(path), loop=True, sleep=lambda _: None)
    shades = play(source, 11)
    source.close()
    length = 3 if kind == "folder" else 5
    assert shades == [1 + number % length for number in range(11)]


@pytest.mark.parametrize("camera", ["/nowhere/at/all.mp4", "97", "http://127.0.0.1:9/video.mjpg"])
def test_a_camera_that_is_not_there_says_so(camera: str) -> None:
    with pytest.raises(CameraLost) as lost:
        open_source(camera)
    assert lost.value.code == "camera-absent"


def test_a_folder_without_pictures_says_so(tmp_path: Path) -> None:
    with pytest.raises(CameraLost):
        open_source(str(tmp_path))


@pytest.fixture
def readers() -> Iterator[list[CameraReader]]:
    started: list[CameraReader] = []
    yield started
    for reader in started:
        reader.stop()


def test_a_network_camera_that_goes_away_is_found_again(readers: list[CameraReader]) -> None:
    feed = CameraFeed()
    address = [feed.url]
    with feed:
        reader = CameraReader(lambda sleep: open_source(address[0], sleep=sleep))
        readers.append(reader)
        reader.start()
        frame = reader.next_frame(10)
        assert frame is not None
        assert frame.image.shape == (480, 640, 3)
        assert reader.state == ""
    eventually(lambda: reader.state != "")
    with CameraFeed() as again:
        address[0] = again.url
        eventually(lambda: reader.state == "")
        assert reader.next_frame(10) is not None


def test_only_the_newest_picture_waits(folder: Path, readers: list[CameraReader]) -> None:
    reader = CameraReader(lambda sleep: open_source(str(folder), rate=100, sleep=sleep))
    readers.append(reader)
    reader.start()
    eventually(lambda: reader.state == "camera-ended")
    frame = reader.next_frame(1)
    assert frame is not None
    assert (frame.number, shade(frame.image)) == (3, 3)
    assert reader.next_frame(0) is None


def test_an_idle_door_decodes_few_pictures(folder: Path, readers: list[CameraReader]) -> None:
    reader = CameraReader(lambda sleep: open_source(str(folder), loop=True, rate=100, sleep=sleep))
    reader.interval_s = 3600
    readers.append(reader)
    reader.start()
    first = reader.next_frame(5)
    assert isinstance(first, Frame)
    assert reader.next_frame(0.3) is None
    reader.interval_s = 0
    later = reader.next_frame(5)
    assert later is not None
    assert later.number > first.number + 5


def test_an_idle_door_only_glances_at_a_network_camera(readers: list[CameraReader]) -> None:
    with CameraFeed() as feed:
        reader = CameraReader(lambda sleep: open_source(feed.url, sleep=sleep))
        reader.interval_s, reader.glances = 0.05, True
        readers.append(reader)
        reader.start()
        idle = reader.next_frame(10)
        assert idle is not None
        assert idle.glance
        reader.interval_s, reader.glances = 0, False
        reader.next_frame(5)  # may still be a glance
        whole = reader.next_frame(5)
        assert whole is not None
        assert not whole.glance
        assert idle.image.ndim == 2
        assert whole.image.shape[0] == 8 * idle.image.shape[0]


@pytest.mark.parametrize(("rate", "least", "most"), [(15.0, 13, 16), (5.0, 4, 6)])
def test_pictures_are_looked_at_at_most_so_often_and_as_often_as_that(
    rate: float, least: int, most: int, readers: list[CameraReader]
) -> None:
    with CameraFeed() as feed:  # fifteen a second
        reader = CameraReader(lambda sleep: open_source(feed.url, sleep=sleep))
        reader.interval_s = 1 / rate
        readers.append(reader)
        reader.start()
        first = reader.next_frame(10)
        assert first is not None
        seen, frame = 0, first
        while frame.captured_ns < first.captured_ns + 2e9:
            latest = reader.next_frame(5)
            assert latest is not None
            seen, frame = seen + 1, latest
        assert 2 * least <= seen <= 2 * most


def test_who_looks_at_an_idle_door_gets_whole_pictures_beside_the_glances(
    readers: list[CameraReader],
) -> None:
    with CameraFeed() as feed:
        reader = CameraReader(lambda sleep: open_source(feed.url, sleep=sleep))
        reader.interval_s, reader.glances, reader.still_s = 0.05, True, 0.3
        readers.append(reader)
        reader.start()
        frames = [reader.next_frame(10) for _ in range(10)]
    wholes = [frame.whole for frame in frames if frame is not None]
    assert all(frame is not None and frame.glance for frame in frames)
    seen = [whole.shape for whole in wholes if whole is not None]
    assert set(seen) == {(480, 640, 3)}
    assert 1 <= len(seen) < len(frames)


def test_a_driver_that_hangs_is_noticed(readers: list[CameraReader]) -> None:
    answer = threading.Event()

    def hang(_sleep: object) -> Source:
        answer.wait()
        raise CameraLost("it came back after all")

    reader = CameraReader(hang)
    readers.append(reader)
    reader.start()
    eventually(lambda: reader.stuck_for() > 0.2)
    answer.set()
    eventually(lambda: reader.stuck_for() == 0)


def test_waiting_for_a_slow_recordings_next_picture_is_not_hanging(
    folder: Path, readers: list[CameraReader]
) -> None:
    reader = CameraReader(lambda sleep: open_source(str(folder), rate=0.5, sleep=sleep))
    readers.append(reader)
    reader.start()
    assert reader.next_frame(5) is not None
    began = time.monotonic()
    while time.monotonic() - began < 0.5:
        assert reader.stuck_for() < 0.3


def test_retries_back_off() -> None:
    assert [retry_delay(failures) for failures in (1, 2, 3, 4, 5, 6, 99)] == [
        0.5,
        1,
        2,
        4,
        8,
        10,
        10,
    ]
