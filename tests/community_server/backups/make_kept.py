"""Freeze a release's backup files: `python -m tests.community_server.backups.make_kept 0.1`, once.

Writes one file of each kind to `tests/fixtures/backup/<release>/`, and the shape of their header.
The body is a sentence: what stands in it is the business of the schemas that are kept.
"""

import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from community_server.backups.recovery_key import recovery_key
from community_server.backups.sealed_file import Header, Kind, sealed_file
from tests.tier_link.wire.schema import describe

FOLDER = Path(__file__).parents[2] / "fixtures" / "backup"
KEY = recovery_key(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))
ESTATE = "sunny-court-4f2a"
MADE_AT = 1_795_000_000
BODY = "What was kept. 留存的内容。".encode()
KINDS: tuple[Kind, ...] = ("data", "keys")


def write(folder: Path) -> None:
    for kind in KINDS:
        path = folder / f"{kind}.gatehouse-backup"
        with sealed_file(path, KEY, kind, ESTATE, MADE_AT) as take:
            take(BODY)


def main(release: str) -> None:
    folder = FOLDER / release
    folder.mkdir(parents=True)
    write(folder)
    (folder / "header.json").write_text(json.dumps(describe(Header), indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main(sys.argv[1])
