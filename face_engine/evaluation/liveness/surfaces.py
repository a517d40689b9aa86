"""Heads, sheets and screens in front of a simulated camera.

Everything is a textured height field, seen by marching along each pixel's ray through planes of
equal depth until it meets the surface (relief mapping: F. Policarpo, M. Oliveira, J. Comba,
"Real-time relief mapping on arbitrary polygonal surfaces", 2005), so that a nose covers the cheek
behind it as a head turns. Lengths are metres; the camera looks along +z, x goes right, y down.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from face_engine.faces import Image

EYE_DISTANCE_M: Final = 0.063
"""Of a mean adult."""
_MARCH_STEPS: Final = 16

_At: TypeAlias = Callable[[float], tuple[NDArray[np.float32], NDArray[np.float32]]]
_HEAD_MARGIN: Final = 1.15


@dataclass(frozen=True, slots=True, eq=False)
class Surface:
    """A textured height field over the plane that faces its own +z.

    Attributes:
        texture: (H, W, 3) uint8 BGR.
        cover: (H, W) float32, 0 where there is nothing, 1 where the surface is.
        height: (H, W) float32 metres toward the viewer.
        density: texture pixels per metre.
        centre: (x, y) of the texture that the surface turns about.
    """

    texture: Image
    cover: NDArray[np.float32]
    height: NDArray[np.float32]
    density: float
    centre: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Pose:
    """Where a surface is.

    Attributes:
        yaw: degrees, turned toward the picture's right.
        pitch: degrees, down.
        roll: degrees, clockwise.
        x: metres to the right of the picture's middle.
        y: metres below it.
        z: metres from the camera.
    """

    yaw: float = 0.0
    pitch: float = 0.0
    roll: float = 0.0
    x: float = 0.0
    y: float = 0.0
    z: float = 0.8

    @property
    def rotation(self) -> NDArray[np.float64]:
        """(3, 3), from the surface's axes to the camera's."""
        about_y, _ = cv2.Rodrigues(np.array([0.0, np.radians(-self.yaw), 0.0]))
        about_x, _ = cv2.Rodrigues(np.array([np.radians(-self.pitch), 0.0, 0.0]))
        about_z, _ = cv2.Rodrigues(np.array([0.0, 0.0, np.radians(self.roll)]))
        return np.asarray(about_z @ about_x @ about_y, np.float64)

    @property
    def shift(self) -> NDArray[np.float64]:
        """(3,) metres."""
        return np.array([self.x, self.y, self.z])


@dataclass(frozen=True, slots=True)
class Camera:
    """A pinhole: size of its picture and focal length, in pixels."""

    width: int = 640
    height: int = 480
    focal: float = 600.0


def _sample(
    field: NDArray[np.uint8] | NDArray[np.float32], u: NDArray[np.float32], v: NDArray[np.float32]
) -> NDArray[np.float32]:
    return np.asarray(
        cv2.remap(field, u, v, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT), np.float32
    )


def _bounds(surface: Surface, pose: Pose, camera: Camera) -> tuple[int, int, int, int]:
    """The part of the picture that the surface can cover: left, top, right, bottom."""
    rows, columns = surface.cover.shape
    top = float(surface.height.max())
    corners = np.array(
        [(x, y, -h) for x in (0, columns) for y in (0, rows) for h in (0.0, top)], np.float64
    )
    corners[:, :2] = (corners[:, :2] - surface.centre) / surface.density
    seen = corners @ pose.rotation.T + pose.shift
    points = seen[:, :2] / seen[:, 2:] * camera.focal + (camera.width / 2, camera.height / 2)
    low = np.floor(points.min(axis=0)).astype(int)
    high = np.ceil(points.max(axis=0)).astype(int) + 1
    left, upper = np.clip(low, 0, (camera.width, camera.height))
    right, lower = np.clip(high, 0, (camera.width, camera.height))
    return int(left), int(upper), int(right), int(lower)


def render(surface: Surface, pose: Pose, camera: Camera, background: Image) -> Image:
    """The surface before a background, (H, W, 3) uint8, of the camera's size."""
    left, upper, right, lower = _bounds(surface, pose, camera)
    picture = background.copy()
    if right <= left or lower <= upper:
        return picture
    x, y = np.meshgrid(
        (np.arange(left, right) - camera.width / 2) / camera.focal,
        (np.arange(upper, lower) - camera.height / 2) / camera.focal,
    )
    # The rays and the camera in the surface's own axes, where heights are planes: a ray's place in
    # the texture is a straight line over depth.
    rays = np.stack((x, y, np.ones_like(x)), axis=-1) @ pose.rotation
    eye = -pose.shift @ pose.rotation
    slopes = rays[..., :2] / rays[..., 2:] * surface.density
    starts = eye[:2] * surface.density + surface.centre - eye[2] * slopes
    u0, v0, du, dv = (
        np.ascontiguousarray(part, np.float32)
        for part in (starts[..., 0], starts[..., 1], slopes[..., 0], slopes[..., 1])
    )

    def at(depth: float | NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        return u0 + du * np.asarray(depth, np.float32), v0 + dv * np.asarray(depth, np.float32)

    top = float(surface.height.max())
    depth = np.zeros(x.shape, np.float32)
    if top > 0:
        depth = _march(surface.height, at, top, x.shape)
    u, v = at(depth)
    texture = _sample(surface.texture, u, v)
    cover = _sample(surface.cover, u, v)[..., None]
    part = picture[upper:lower, left:right]
    part[:] = np.clip(texture * cover + part * (1 - cover) + 0.5, 0, 255).astype(np.uint8)
    return picture


def _march(
    height: NDArray[np.float32],
    at: _At,
    top: float,
    shape: tuple[int, ...],
) -> NDArray[np.float32]:
    """The depth, at most 0, where each ray first meets the surface; 0 where it never does."""
    met = np.zeros(shape, bool)
    depth = np.zeros(shape, np.float32)
    before, below = -top, np.full(shape, -top, np.float32)
    for plane in np.linspace(-top, 0, _MARCH_STEPS + 1)[1:]:
        gap = _sample(height, *at(float(plane))) + np.float32(plane)
        first = ~met & (gap >= 0)
        share = -below[first] / np.maximum(gap[first] - below[first], 1e-9)
        depth[first] = before + (plane - before) * np.clip(share, 0, 1)
        met |= first
        before, below = float(plane), gap
    return depth


def head(photo: Image, landmarks: NDArray[np.floating]) -> Surface:
    """A head and shoulders from a portrait: a flattened ellipsoid with eyes, a nose and a chin.

    `landmarks` is (5, 2), of a face that looks about straight ahead. The shape is one for all; the
    picture alone is the person's.
    """
    # Shoulders go on below the portrait.
    photo = np.pad(photo, ((0, photo.shape[0]), (0, 0), (0, 0)), mode="edge")
    points = np.asarray(landmarks, np.float64)
    across = points[1] - points[0]
    unit = float(np.linalg.norm(across))
    middle = (points[0] + points[1]) / 2
    right = across / unit
    rows, columns = photo.shape[:2]
    grid = np.stack(np.meshgrid(np.arange(columns), np.arange(rows)), axis=-1) - middle
    x = grid @ right / unit
    y = grid @ np.array([-right[1], right[0]]) / unit
    nose = (points[2] - middle) / unit
    tip_x, tip_y = float(nose @ right), float(nose @ np.array([-right[1], right[0]]))

    inside = 1 - (np.abs(x) / 1.25) ** 2.4 - (np.abs(y - 0.25) / 1.85) ** 2.2
    skull = 1.3 * np.sqrt(np.clip(inside, 0, None))
    down = np.clip(y / max(tip_y, 0.3), 0, None)
    ridge = np.where(down <= 1, down, np.exp(-(((down - 1) / 0.18) ** 2)))
    width = 0.10 + 0.10 * np.clip(down, 0, 1)
    nose_height = 0.34 * ridge * np.exp(-(((x - tip_x * down) / width) ** 2))
    sockets = sum(
        np.exp(-(((x - side) / 0.28) ** 2) - ((y + 0.02) / 0.2) ** 2) for side in (-0.5, 0.5)
    )
    lips = np.exp(-((x / 0.35) ** 2) - ((y - 1.15) / 0.15) ** 2)
    chin = np.exp(-((x / 0.35) ** 2) - ((y - 1.7) / 0.2) ** 2)
    shape = skull + (inside > 0) * (nose_height - 0.09 * sockets + 0.06 * lips + 0.1 * chin)

    shoulders = 1 - (np.abs(x) / 3.2) ** 4 - ((y - 6.0) / 4.3) ** 4
    cover = np.maximum(np.clip(inside * _HEAD_MARGIN * 12, 0, 1), np.clip(shoulders * 8, 0, 1))
    metre = EYE_DISTANCE_M
    return Surface(
        texture=photo,
        cover=cover.astype(np.float32),
        height=(np.clip(shape, 0, None) * metre).astype(np.float32),
        density=unit / metre,
        centre=(float(middle[0]), float(middle[1] + 0.25 * unit)),
    )


def sheet(picture: Image, width: float, *, radius: float = 0.0) -> Surface:
    """A sheet of some width, flat, or bent about an upright axis to a radius (both metres).

    A positive radius bends its middle toward the viewer, a negative one away.
    """
    rows, columns = picture.shape[:2]
    density = columns / width
    x = (np.arange(columns) - columns / 2) / density
    height = np.zeros((rows, columns), np.float32)
    if radius:
        sag = abs(radius) - np.sqrt(np.maximum(radius**2 - x**2, 0))
        height[:] = sag.max() - sag if radius > 0 else sag
    return Surface(
        texture=picture,
        cover=np.ones((rows, columns), np.float32),
        height=height,
        density=density,
        centre=(columns / 2, rows / 2),
    )


def screen_picture(picture: Image, *, bezel: int, seed: int) -> Image:
    """A picture as a phone or tablet shows it: bezel, bluish light, pixel grid, a reflection."""
    source = np.random.default_rng(seed)
    large = cv2.resize(picture, None, fx=3, fy=3, interpolation=cv2.INTER_CUBIC)
    lit = np.asarray(large, np.float32) * np.array([1.08, 1.0, 0.94], np.float32) * 1.05 + 6
    rows, columns = lit.shape[:2]
    lit[:, ::3] *= 0.82
    lit[::3] *= 0.82
    y, x = np.mgrid[0:rows, 0:columns].astype(np.float32)
    at = source.uniform(0.1, 0.9, 2) * (columns, rows)
    gleam = np.exp(-(((x - at[0]) / columns) ** 2 + ((y - at[1]) / rows) ** 2) * 40)
    lit += 90 * gleam[..., None]
    wide = bezel * 3
    framed = np.full((rows + 2 * wide, columns + 2 * wide, 3), 19, np.uint8)
    framed[wide:-wide, wide:-wide] = np.clip(lit, 0, 255)
    return framed
