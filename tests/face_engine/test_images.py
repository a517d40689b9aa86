import contextlib
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from face_engine.errors import PhotoReason, PhotoRefused
from face_engine.faces import Image
from face_engine.images import DECODING_MEMORY, LARGEST_FILE, WORKING_SIDE, decode_photo


def scene(width: int = 200, height: int = 120) -> Image:
    """Four corners of four colours, so that every turn shows."""
    image = np.full((height, width, 3), 128, np.uint8)
    image[: height // 2, : width // 2] = (255, 0, 0)
    image[: height // 2, width // 2 :] = (0, 255, 0)
    image[height // 2 :, : width // 2] = (0, 0, 255)
    return image


def encoded(suffix: str, image: npt.NDArray[Any] | None = None, *options: int) -> bytes:
    done, data = cv2.imencode(suffix, scene() if image is None else image, options)
    assert done
    return data.tobytes()


def exif(orientation: int, order: str) -> bytes:
    start = b"II*\0" if order == "<" else b"MM\0*"
    return (
        b"Exif\0\0" + start + struct.pack(order + "IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)
    )


def with_exif(jpeg: bytes, orientation: int, order: str) -> bytes:
    block = exif(orientation, order)
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block + jpeg[2:]


def png_claiming(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        check = zlib.crc32(kind + body)
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", check)

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(b"\0" * 1000))
        + chunk(b"IEND", b"")
    )


def reason_of(data: bytes) -> PhotoReason:
    with pytest.raises(PhotoRefused) as refused:
        decode_photo(data)
    return refused.value.reason


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_the_three_kinds_pass(suffix: str) -> None:
    image = decode_photo(encoded(suffix))
    assert image.shape == (120, 200, 3)
    assert image.dtype == np.uint8
    assert np.abs(image[10, 10].astype(int) - (255, 0, 0)).max() < 12


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
        b"GIF89a" + bytes(100),
        b"\0\0\0\x18ftypheic" + bytes(100),
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        b"BM" + bytes(100),
        bytes(1000),
    ],
)
def test_anything_else_is_not_an_image_whatever_it_is_called(data: bytes) -> None:
    assert reason_of(data) is PhotoReason.NOT_AN_IMAGE


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("share", [0.3, 0.6, 0.95, 0.999])
def test_a_cut_off_file_is_refused_as_truncated(suffix: str, share: float) -> None:
    noise = np.random.default_rng(1).integers(0, 255, (300, 400, 3), dtype=np.uint8)
    whole = encoded(suffix, noise)
    assert reason_of(whole[: int(len(whole) * share)]) is PhotoReason.IMAGE_TRUNCATED


def test_a_cut_off_jpeg_with_a_whole_preview_inside_is_refused_as_truncated() -> None:
    preview = encoded(".jpg", scene(32, 20))
    block = b"Exif\0\0II*\0\x08\0\0\0\0\0" + preview
    whole = encoded(".jpg")
    start = whole[:2] + b"\xff\xe1" + struct.pack(">H", len(block) + 2) + block
    assert decode_photo(start + whole[2:]).shape == (120, 200, 3)
    assert reason_of(start + whole[2:-200]) is PhotoReason.IMAGE_TRUNCATED


def test_what_a_camera_appends_after_the_end_does_no_harm() -> None:
    assert decode_photo(encoded(".jpg") + b"MotionPhoto" + bytes(5000)).shape == (120, 200, 3)


def test_a_picture_bomb_is_refused_by_its_header() -> None:
    assert reason_of(png_claiming(10_000, 5_000)) is PhotoReason.IMAGE_TOO_LARGE
    assert reason_of(png_claiming(1_000_000, 20)) is PhotoReason.IMAGE_TOO_LARGE


def test_a_jpeg_of_50_megapixels_is_refused_before_decoding() -> None:
    grey = np.zeros((5000, 10_000), np.uint8)
    assert reason_of(encoded(".jpg", grey)) is PhotoReason.IMAGE_TOO_LARGE


def test_a_file_larger_than_any_photo_is_refused() -> None:
    assert reason_of(encoded(".jpg") + bytes(LARGEST_FILE)) is PhotoReason.IMAGE_TOO_LARGE


def test_sizes_that_make_no_sense_are_not_an_image() -> None:
    assert reason_of(png_claiming(0, 0)) is PhotoReason.NOT_AN_IMAGE
    assert reason_of(png_claiming(2, 400)) is PhotoReason.NOT_AN_IMAGE


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("order", ["<", ">"])
def test_every_exif_orientation_comes_out_upright(orientation: int, order: str) -> None:
    data = with_exif(encoded(".jpg"), orientation, order)
    # OpenCV turns by the same tag when it is not told otherwise.
    expected = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert expected is not None
    np.testing.assert_array_equal(decode_photo(data), expected)


def test_a_nonsense_orientation_is_ignored() -> None:
    assert decode_photo(with_exif(encoded(".jpg"), 77, "<")).shape == (120, 200, 3)


def test_a_large_photo_is_shrunk_and_grey_or_transparent_ones_become_colour() -> None:
    assert max(decode_photo(encoded(".jpg", scene(3000, 2000))).shape) == 1600
    assert decode_photo(encoded(".png", np.zeros((40, 50), np.uint8))).shape == (40, 50, 3)
    assert decode_photo(encoded(".png", np.zeros((40, 50, 4), np.uint8))).shape == (40, 50, 3)


def with_more_scans(count: int) -> bytes:
    """A progressive JPEG of 25 megapixels in which a scan that says nothing comes so many times."""
    jpeg = encoded(".jpg", np.full((5000, 5000), 128, np.uint8), cv2.IMWRITE_JPEG_PROGRESSIVE, 1)
    table = jpeg.index(b"\xff\xc4", jpeg.index(b"\xff\xda"))
    scan = jpeg.index(b"\xff\xda", table)
    end = jpeg.index(b"\xff\xc4", scan)
    return jpeg[:scan] + jpeg[scan:end] * count + b"\xff\xd9"


def test_a_jpeg_of_empty_scans_without_end_is_refused_before_decoding() -> None:
    decode_photo(with_more_scans(10))
    began = time.process_time()
    assert reason_of(with_more_scans(100_000)) is PhotoReason.NOT_AN_IMAGE
    assert time.process_time() - began < 2.0  # decoding it takes five minutes


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xd8" + b"\xff" * (LARGEST_FILE - 4) + b"\xff\xd9",
        b"\xff\xd8" + b"\xff\xd0" * (LARGEST_FILE // 2 - 2) + b"\xff\xd9",
        b"\x89PNG\r\n\x1a\n" + bytes(LARGEST_FILE - 8),
        b"\x89PNG\r\n\x1a\n" + (b"\0\0\0\0tEXt" + bytes(4)) * (LARGEST_FILE // 12 - 1),
        b"RIFF" + struct.pack("<I", LARGEST_FILE - 8) + b"WEBP" + bytes(LARGEST_FILE - 12),
    ],
)
def test_a_large_file_of_nothing_but_beginnings_is_refused_at_once(data: bytes) -> None:
    began = time.process_time()
    assert reason_of(data) in {PhotoReason.NOT_AN_IMAGE, PhotoReason.IMAGE_TRUNCATED}
    assert time.process_time() - began < 0.5


def test_a_picture_that_states_two_sizes_is_refused_before_decoding() -> None:
    jpeg = encoded(".jpg")
    frame = jpeg.index(b"\xff\xc0")
    small = jpeg[frame : frame + 5] + struct.pack(">HH", 20, 20) + jpeg[frame + 9 : frame + 19]
    bomb = jpeg[: frame + 5] + struct.pack(">HH", 60_000, 60_000) + jpeg[frame + 9 :]
    assert reason_of(bomb) is PhotoReason.IMAGE_TOO_LARGE
    assert reason_of(bomb[:-2] + small + b"\xff\xd9") is PhotoReason.NOT_AN_IMAGE
    png, other = png_claiming(60_000, 60_000), png_claiming(20, 20)
    assert reason_of(png[:-12] + other[8:]) is PhotoReason.NOT_AN_IMAGE
    assert reason_of(png[:8] + other[8:33] + png[8:]) is PhotoReason.NOT_AN_IMAGE
    webp = encoded(".webp")[12:]
    canvas = b"VP8X" + struct.pack("<I", 10) + bytes(4) + b"\x13\0\0\x13\0\0"
    riff = b"RIFF" + struct.pack("<I", 4 + len(canvas) + len(webp)) + b"WEBP" + canvas + webp
    assert reason_of(riff) is PhotoReason.NOT_AN_IMAGE


def test_a_chunk_of_gigabytes_in_a_file_of_bytes_is_refused_before_decoding() -> None:
    for end in (b"IEND", b"tEXt"):
        bomb = encoded(".png")[:-12] + struct.pack(">I", 0x6000_0000) + end + bytes(4)
        began = time.process_time()
        assert reason_of(bomb) is PhotoReason.IMAGE_TRUNCATED
        assert time.process_time() - began < 0.2


def test_a_film_is_not_a_photo() -> None:
    png = encoded(".png")
    film = png[:33] + b"\0\0\0\x08acTL" + bytes(12) + png[33:]
    assert reason_of(film) is PhotoReason.NOT_AN_IMAGE


LARGEST = {
    "jpeg": (".jpg", (5000, 5000, 3), np.uint8, (cv2.IMWRITE_JPEG_PROGRESSIVE, 1)),
    "png": (".png", (5000, 5000, 4), np.uint16, (cv2.IMWRITE_PNG_COMPRESSION, 1)),
    "webp": (".webp", (5000, 5000, 3), np.uint8, (cv2.IMWRITE_WEBP_QUALITY, 50)),
    "webp-lossless": (".webp", (5000, 5000, 4), np.uint8, (cv2.IMWRITE_WEBP_QUALITY, 101)),
}
DECODING = """
import resource, sys
from pathlib import Path
from face_engine.images import decode_photo

def kib(name):
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(name + ":"))

picture, most = Path(sys.argv[1]).read_bytes(), int(sys.argv[2])
ahead = kib("VmRSS")
resource.setrlimit(resource.RLIMIT_AS, ((kib("VmSize") << 10) + most,) * 2)
height, width = decode_photo(picture).shape[:2]
print(height, width, kib("VmHWM") - ahead)
"""


@pytest.mark.parametrize(
    "kind",
    ["jpeg", *(pytest.param(kind, marks=pytest.mark.long) for kind in LARGEST if kind != "jpeg")],
)
def test_the_largest_picture_decodes_within_the_memory_that_is_stated(
    kind: str, tmp_path: Path
) -> None:
    """In a process that can have no more: address space, and what of it was ever in memory."""
    suffix, shape, depth, options = LARGEST[kind]
    file = tmp_path / "picture"
    file.write_bytes(encoded(suffix, np.full(shape, 90, depth), *options))
    child = [sys.executable, "-c", DECODING, str(file), str(DECODING_MEMORY)]
    done = subprocess.run(child, check=True, capture_output=True, text=True)
    height, width, held = map(int, done.stdout.split())
    assert (height, width) == (WORKING_SIDE, WORKING_SIDE)
    assert 0 < held << 10 < DECODING_MEMORY
    print(f"{kind}: {held >> 10} MiB")


def test_any_bytes_at_all_are_decoded_or_refused_but_never_crash() -> None:
    source = np.random.default_rng(7)
    for suffix in (".jpg", ".png", ".webp"):
        whole = np.frombuffer(encoded(suffix, scene(64, 48)), np.uint8)
        for _ in range(150):
            broken = whole.copy()
            where = source.integers(0, len(broken), 6)
            broken[where] = source.integers(0, 256, 6)
            with contextlib.suppress(PhotoRefused):
                decode_photo(broken.tobytes())
