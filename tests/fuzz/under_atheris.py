"""One gate under Atheris, in a process of its own: libFuzzer ends the process when it is done.

    python -m tests.fuzz.under_atheris GATE [options of libFuzzer] FOLDER…

Atheris sees the branches of our own packages. Native code (decoders, ciphers) is not instrumented.
"""

import sys
from typing import Final

import atheris

from tests.fuzz.gate import load

OURS: Final = [
    "access_rules",
    "community_server",
    "door_terminal",
    "enrollment_cloud",
    "face_engine",
    "tier_kit",
    "tier_link",
]


def main() -> None:
    """Fuzz the gate that the first argument names."""
    name = sys.argv.pop(1)
    with atheris.instrument_imports(include=OURS):
        gate = load(name)

    def one(data: bytes) -> None:
        gate.takes(data)

    atheris.Setup(sys.argv, one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
