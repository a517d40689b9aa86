"""Copies of good photos as a door's camera would have taken them in bad conditions.

Each model acts where nature does: light, noise, blur and reflections in linear light, before the
tone curve; quantisation and compression after it. How bad a copy is (its severity, 0 to 1) comes
from the photo's own digest, so that everybody who degrades a photo gets the same copy.

What each one models, from severity 0 to 1:

- `low-light`: 1/8 to 1/180 of the light, a gain of 24 dB at most, photon and read noise (R. Healey,
  R. Kondepudy, "Radiometric CCD camera calibration and noise estimation", IEEE PAMI 16, 1994) of a
  sensor with 8,000 electrons at full scale, mixed among neighbours by the colour filter's
  interpolation: dim, and grainy as the gain is high.
- `backlight`: a glass door and daylight behind the person, five or six stops brighter than the
  hall. The exposure lies in between: the background clips, the face is 2 to 4 stops too dark, and
  the lens spreads 1% to 3% of the background's light over it (veiling glare).
- `infrared`: a monochrome camera with lamps at 850 nm beside the lens. Skin is bright and flat
  (melanin and blood hardly absorb there, and light scatters deeper), lips and brows lose contrast,
  pupils shine, light falls off to the sides, and the gain is high.
- `blur`: a step during the exposure, as a straight smear of 4% to 30% of the distance between the
  eyes, and a lens out of focus by a disc of up to 10% of it.
- `small`: a face far away: eyes 26 down to 10 pixels apart, with the noise and JPEG of a camera
  picture. A zone may accept faces from 8 pixels on; 40 is its default.
- `compression`: a video encoder short of bits: 4:2:0, coarse 8x8 blocks (JPEG quality 25 down to
  5), smoothed at their edges as H.264's in-loop filter does.
"""

import hashlib
from collections.abc import Callable
from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Face, Image

# Electrons of a pixel at white in full light, and the noise of reading them out: a cheap camera.
_FULL_WELL = 8000.0
_READ_NOISE = 3.0
_MOST_GAIN = 16.0
# Of the tone curve: close to sRGB's.
_GAMMA = 2.2
_TO_LINEAR = ((np.arange(256) / 255.0) ** _GAMMA).astype(np.float32)

Light = NDArray[np.float32]


class Degradation(StrEnum):
    """What may be wrong with a look at a face."""

    LOW_LIGHT = "low-light"
    BACKLIGHT = "backlight"
    INFRARED = "infrared"
    BLUR = "blur"
    SMALL = "small"
    COMPRESSION = "compression"


def _linear(image: Image) -> Light:
    return _TO_LINEAR[image]


def _picture(light: Light) -> Image:
    """The tone curve, and eight bits."""
    return np.asarray(np.rint(255 * np.clip(light, 0, 1) ** (1 / _GAMMA)), np.uint8)


def _jpeg(image: Image, quality: int) -> Image:
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    decoded = cv2.imdecode(data, cv2.IMREAD_COLOR) if done else None
    return image if decoded is None else np.asarray(decoded, np.uint8)


def _exposed(light: Light, exposure: float, gain: float, source: np.random.Generator) -> Light:
    """What the sensor reads of `light` (1 is white in full light), amplified."""
    electrons = light * (exposure * _FULL_WELL)
    noise = source.standard_normal(light.shape, np.float32)
    # The colour filter's interpolation mixes neighbours: coarser grain, a little less of it.
    noise = np.asarray(cv2.GaussianBlur(noise, (0, 0), 0.6), np.float32) * np.float32(1.6)
    read = electrons + noise * np.sqrt(electrons + _READ_NOISE**2)
    return np.asarray(read * (gain / _FULL_WELL), np.float32)


def _low_light(image: Image, _face: Face, severity: float, source: np.random.Generator) -> Image:
    exposure = 2.0 ** -(3 + 4.5 * severity)
    gain = min(1 / exposure, _MOST_GAIN)
    return _jpeg(_picture(_exposed(_linear(image), exposure, gain, source)), 85)


def _person(image: Image, face: Face) -> Light:
    """(H, W, 1): 1 on head and shoulders, 0 behind them, with a soft edge."""
    left, top, width, height = (float(value) for value in face.box)
    mask = np.zeros(image.shape[:2], np.float32)
    middle = round(left + width / 2), round(top + 0.45 * height)
    cv2.ellipse(mask, middle, (round(0.62 * width), round(0.72 * height)), 0, 0, 360, 1.0, -1)
    shoulders = round(left + width / 2), round(top + 2.1 * height)
    cv2.ellipse(mask, shoulders, (round(1.4 * width), round(1.0 * height)), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), max(1.0, 0.06 * width))
    return np.asarray(soft, np.float32)[..., None]


def _backlight(image: Image, face: Face, severity: float, source: np.random.Generator) -> Image:
    person = _person(image, face)
    darker = np.float32(2.0 ** -(2 + 2 * severity))
    behind = np.float32(0.75) + _linear(image)
    light = person * _linear(image) * darker + (1 - person) * behind
    light += np.float32(0.01 + 0.02 * severity) * (1 - person).mean()
    return _jpeg(_picture(_exposed(np.minimum(light, 1), 0.5, 2.0, source)), 85)


def _infrared(image: Image, face: Face, severity: float, source: np.random.Generator) -> Image:
    blue, green, red = cv2.split(_linear(image))
    light = np.asarray(0.85 * red + 0.1 * green + 0.05 * blue, np.float32)
    eyes = face.eye_distance
    # Light scatters below the skin; what is dark in it gets paler.
    light = np.asarray(cv2.GaussianBlur(light, (0, 0), max(0.3, 0.02 * eyes)), np.float32)
    light = light ** np.float32(1 - 0.45 * severity)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]].astype(np.float32)
    centre = face.landmarks.mean(axis=0)
    distance = np.hypot(x - centre[0], y - centre[1]) / (4 * eyes)
    light *= (1.1 + 0.3 * severity) / (1 + distance**2)
    for eye in face.landmarks[:2]:
        spot = np.exp(-((x - eye[0]) ** 2 + (y - eye[1]) ** 2) / (2 * (0.035 * eyes) ** 2))
        light += np.float32(0.3 + 0.7 * severity) * spot
    exposure = 2.0 ** -(2 + 2.5 * severity)
    grey = _exposed(np.minimum(light, 1), exposure, 1 / exposure, source)
    return _jpeg(_picture(np.repeat(grey[..., None], 3, axis=2)), 80)


def _smear(length: float, degrees: float) -> Light:
    """A straight line of so many pixels as a kernel that sums to one."""
    half = max(1, int(np.ceil(length / 2)))
    kernel = np.zeros((2 * half + 1, 2 * half + 1), np.float32)
    angle = np.radians(degrees)
    for step in np.linspace(-length / 2, length / 2, 8 * half + 1):
        x, y = half + step * np.cos(angle), half + step * np.sin(angle)
        column, row = int(x), int(y)
        right, below = x - column, y - row
        for dy, share_y in ((0, 1 - below), (1, below)):
            for dx, share_x in ((0, 1 - right), (1, right)):
                if share_x * share_y > 0:
                    kernel[row + dy, column + dx] += share_x * share_y
    return np.asarray(kernel / kernel.sum(), np.float32)


def _disc(radius: float) -> Light:
    """An out-of-focus point as a kernel that sums to one."""
    half = int(np.ceil(radius)) + 1
    y, x = np.mgrid[-half : half + 1, -half : half + 1]
    kernel = np.clip(radius + 0.5 - np.hypot(x, y), 0, 1)
    return np.asarray(kernel / kernel.sum(), np.float32)


def _blur(image: Image, face: Face, severity: float, source: np.random.Generator) -> Image:
    eyes = face.eye_distance
    light = _linear(image)
    smear = _smear((0.04 + 0.26 * severity) * eyes, source.uniform(0, 180))
    light = np.asarray(cv2.filter2D(light, -1, smear), np.float32)
    out_of_focus = _disc(source.uniform(0, 0.05 + 0.05 * severity) * eyes)
    light = np.asarray(cv2.filter2D(light, -1, out_of_focus), np.float32)
    return _jpeg(_picture(_exposed(light, 0.5, 2.0, source)), 85)


def _small(image: Image, face: Face, severity: float, source: np.random.Generator) -> Image:
    factor = min(1.0, (26 - 16 * severity) / face.eye_distance)
    light = np.asarray(
        cv2.resize(_linear(image), None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA),
        np.float32,
    )
    return _jpeg(_picture(_exposed(light, 0.5, 2.0, source)), 85)


def _compression(image: Image, _face: Face, severity: float, _s: np.random.Generator) -> Image:
    coarse = _jpeg(image, round(25 - 20 * severity))
    # Only the blocks' edges are smoothed: two pixels on either side of each.
    smooth = np.asarray(cv2.GaussianBlur(coarse, (5, 5), 1.2), np.uint8)
    height, width = coarse.shape[:2]
    near = np.isin(np.arange(max(height, width)) % 8, (0, 7))
    edge = near[:height, None] | near[None, :width]
    return np.where(edge[..., None], smooth, coarse)


_MODELS: dict[Degradation, Callable[[Image, Face, float, np.random.Generator], Image]] = {
    Degradation.LOW_LIGHT: _low_light,
    Degradation.BACKLIGHT: _backlight,
    Degradation.INFRARED: _infrared,
    Degradation.BLUR: _blur,
    Degradation.SMALL: _small,
    Degradation.COMPRESSION: _compression,
}


def seeded(photo: bytes, degradation: Degradation) -> np.random.Generator:
    """The randomness of one photo's copy: from the photo's digest and the degradation's name."""
    seed = hashlib.sha256(photo + b"/" + degradation.encode()).digest()
    return np.random.default_rng(np.frombuffer(seed, "<u8"))


def degrade(
    image: Image,
    face: Face,
    degradation: Degradation,
    source: np.random.Generator,
    severity: float | None = None,
) -> Image:
    """A worse copy of a picture: (H, W, 3) uint8 BGR, smaller where the face is to be small.

    Args:
        image: (H, W, 3) uint8 BGR, a good photo.
        face: the face in it that counts.
        degradation: what is to be wrong.
        source: where noise and directions come from; see `seeded`.
        severity: 0 to 1; drawn when None.
    """
    severity = float(source.uniform()) if severity is None else severity
    return _MODELS[degradation](image, face, severity, source)
