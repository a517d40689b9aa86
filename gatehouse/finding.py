"""One thing that `gatehouse doctor` has looked at."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at. `remedy` is empty when it is fine."""

    subject: str
    state: Literal["fine", "warning", "problem"]
    sentence: str
    remedy: str = ""
