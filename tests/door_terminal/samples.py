"""Roster rows and configurations for tests."""

from typing import Any

import argon2
import numpy as np
from numpy.typing import NDArray

from tier_link.estate_messages import DoorConfigured, RosterPerson
from tier_link.relay_messages import ConsentText

SPACE = "sface-2021dec-int8bq-centred"
RENEWAL = (
    ConsentText(
        "renew-at-door", "2026-11", "zh-CN", False, "是否更新人脸", "将发送画面。\n\n可不同意。"
    ),
    ConsentText(
        "renew-at-door", "2026-11", "en", False, "Renew?", "Pictures go.\n\nSay no if you like."
    ),
)
QUICK = argon2.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Cheap to check, so that tests of everything else are quick."""


def person(name: str, **more: Any) -> RosterPerson:
    return RosterPerson(**{"person": name * 32, "category": "resident", "unit": "3-1-1201"} | more)


def unit_vector(seed: int, dimension: int = 128) -> NDArray[np.float32]:
    vector = np.random.default_rng(seed).standard_normal(dimension)
    return np.asarray(vector / np.linalg.norm(vector), np.float32)


def packed(vector: NDArray[np.float32]) -> bytes:
    return vector.astype("<f4").tobytes()


def configured(**more: Any) -> DoorConfigured:
    fields: dict[str, Any] = {
        "name": "North gate",
        "mode": "local",
        "direction": "in",
        "template_space": SPACE,
        "matrix": b"",
        "threshold": 0.42,
    }
    return DoorConfigured(**(fields | more))
