"""What the processes of `benchmarks.cloud_scale` must know of each other, and how they talk.

A generator process reads its plan from a file and then answers questions on standard input, one
word a line, with a line of JSON each.
"""

import asyncio
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

REPLY_BYTES: Final = 4096 + 81
"""A sealed reply of the smallest size."""
SEALED_BYTES: Final = (256 << 10) + 81
"""An enrollment with three photos is mostly of this size."""


class Plan(msgspec.Struct, frozen=True):
    """Addresses of the cloud's processes, its link key, and who takes part.

    `rate` is in uploads a second; `invitations` are of estate 0, 1, … in turn.
    """

    clouds: tuple[str, ...]
    cloud_key: bytes
    estates: int
    rate: float
    invitations: tuple[str, ...]


def community(number: int) -> str:
    """Return the id of an estate."""
    return f"estate-{number:05d}"


def link_key(number: int) -> Ed25519PrivateKey:
    """Return an estate's link key, the same in every process; it guards nothing."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(f"bench {number}".encode()).digest())


def read_plan(file: str) -> Plan:
    """Read what `cloud_scale` wrote."""
    return msgspec.json.decode(Path(file).read_bytes(), type=Plan)


async def answer_questions(answers: dict[str, Callable[[], Any]]) -> None:
    """Answer until standard input ends."""
    loop = asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        print(json.dumps(answers[line.strip()]()), flush=True)
