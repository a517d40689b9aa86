"""Pictures as files, for the tests of what takes files."""

import cv2
import numpy as np

from face_engine.faces import Image


def jpeg(image: Image, quality: int = 92) -> bytes:
    """The picture as a JPEG file."""
    done, data = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, quality])
    assert done
    return data.tobytes()


def relit(image: Image, factor: float, add: float = 0) -> Image:
    """The picture under other light."""
    return np.asarray(np.clip(image * factor + add, 0, 255), np.uint8)
