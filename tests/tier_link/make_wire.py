"""Freeze what a release sends: `python -m tests.tier_link.make_wire 0.1`, once, when it is made.

Writes `tests/fixtures/wire/<release>/`: `messages.json` with the shape of every message and some
of each, as bytes and as values, and a copy of the vectors. A folder of a release that is out is
never written anew: what is in the field stays as it was.
"""

import json
import shutil
import sys
import warnings
from pathlib import Path
from typing import Any

import msgspec
from hypothesis.errors import NonInteractiveExampleWarning

from tests.tier_link import make_vectors
from tests.tier_link.strategies import messages
from tests.tier_link.wire.schema import describe, wire_messages

FOLDER = Path(__file__).parents[1] / "fixtures" / "wire"
SAMPLES = 3


def main(release: str) -> None:
    folder = FOLDER / release
    folder.mkdir(parents=True)
    warnings.simplefilter("ignore", NonInteractiveExampleWarning)
    frozen: dict[str, Any] = {}
    for name, type_ in wire_messages().items():
        strategy = messages(type_)
        samples = []
        for _ in range(SAMPLES):
            message = strategy.example()
            body = msgspec.msgpack.encode(message)
            samples.append({"body_hex": body.hex(), "fields": fields_of(message)})
        frozen[name] = {"shape": describe(type_), "samples": samples}
    lines = [f"{json.dumps(name)}: {json.dumps(one)}" for name, one in frozen.items()]
    text = "{\n" + ",\n".join(lines) + "\n}\n"
    (folder / "messages.json").write_text(text, "utf-8")
    shutil.copytree(make_vectors.FOLDER, folder / "vectors")


def fields_of(message: msgspec.Struct) -> dict[str, Any]:
    """Return a message's fields as JSON has them."""
    plain = {name: getattr(message, name) for name in message.__struct_fields__}
    return msgspec.json.decode(msgspec.json.encode(plain), type=dict[str, Any])


if __name__ == "__main__":
    main(sys.argv[1])
