"""From which score on two people are too alike for the doors, and who is somebody for sure."""

import math
from typing import Final

from face_engine.calibration import Calibration
from face_engine.encoder import fuse
from face_engine.faces import Vectors

RISK_TIMES: Final = 10.0
"""How much more often than at the door's own threshold the risk is taken for real. Templates are
compared at enrollment, but it is single probes that pass as somebody else, and those scatter.
Measured on 629 people with three photos or more, and the probes of their further photos: of those
that passed as somebody else, 42% to 50% were of pairs whose templates reach the threshold itself,
79% to 100% of pairs that reach a tenth of its rate; 1.6% to 2.8% of newcomers are held."""


def risk_level(threshold: float, calibration: Calibration) -> float:
    """The cosine of two templates from which on one person may open as the other.

    Args:
        threshold: of the most lenient door.
        calibration: its tail says how far below the threshold strangers pass so much more often.
    """
    return threshold - calibration.strangers.tail_scale * math.log(RISK_TIMES)


SURE_TIMES: Final = 10.0
"""How much more seldom than at a door a stranger may pass where a face is replaced for good: who
was taken for somebody once must not become them by the pictures of the same moment."""


def sure_level(threshold: float, calibration: Calibration) -> float:
    """The cosine from which on a face is somebody's beyond what opens a door.

    Args:
        threshold: the door's own.
        calibration: its tail says how far above the threshold strangers pass so much more seldom.
    """
    return threshold + calibration.strangers.tail_scale * math.log(SURE_TIMES)


def is_surely(
    vectors: Vectors, template: Vectors, threshold: float, calibration: Calibration
) -> bool:
    """Say whether all of (N, d) vectors of one sighting are somebody's, beyond what opens a door.

    Args:
        vectors: of the frames, encoded as those of a probe are.
        template: (d,), theirs, in the same space and turned alike.
        threshold: the door's own.
        calibration: of that space.
    """
    single, together = vectors @ template, fuse(vectors) @ template
    # Written so that a NaN fails it too.
    return bool(single.min() >= threshold and together >= sure_level(threshold, calibration))
