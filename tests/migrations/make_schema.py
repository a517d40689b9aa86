"""Freeze a release's databases: `python -m tests.migrations.make_schema 0.1`, once.

When the release is made. Writes `tests/fixtures/schema/<release>.json`, from SQLite.
"""

import json
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.migrations.schemas import TIERS, migrated

FOLDER = Path(__file__).parents[1] / "fixtures" / "schema"


def main(release: str) -> None:
    with TemporaryDirectory() as folder:
        found = {tier: migrated(tier, f"sqlite:///{folder}/{tier}.sqlite") for tier in TIERS}
    file = FOLDER / f"{release}.json"
    with file.open("x", encoding="utf-8") as written:
        json.dump(found, written, indent=1, sort_keys=True)
        written.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
