"""How strict each door is: the error budget, spent with public and the estate's own scores."""

from community_server.thresholds.scores import ScoreBook
from community_server.thresholds.thresholds import Thresholds

__all__ = ["ScoreBook", "Thresholds"]
