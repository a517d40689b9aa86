"""Migrations add, so that the version before goes on working on what they leave."""

import json
from pathlib import Path
from typing import Final

import pytest
import sqlalchemy as sa

from tests.migrations.make_schema import FOLDER
from tests.migrations.schemas import TIERS, breaches, describe, migrated

NEWEST: Final = max(FOLDER.glob("*.json"), key=lambda file: [*map(int, file.stem.split("."))])
"""Of the last release: a version runs beside the one before it, not beside all of them."""

BEFORE: Final = "CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note TEXT)"
REMADE: Final = "DROP TABLE people; CREATE TABLE people (id INTEGER PRIMARY KEY,"


@pytest.mark.parametrize("tier", TIERS)
def test_the_last_release_goes_on_after_the_migrations_of_this_one(
    tier: str, tmp_path: Path
) -> None:
    then = json.loads(NEWEST.read_text("utf-8"))[tier]
    assert len(then) >= 5
    now = migrated(tier, f"sqlite:///{tmp_path}/{tier}.sqlite")
    assert list(breaches(then, now)) == []


@pytest.mark.parametrize(
    ("after", "breach"),
    [
        ("ALTER TABLE people ADD COLUMN unit TEXT", ""),
        ("ALTER TABLE people ADD COLUMN unit TEXT NOT NULL DEFAULT ''", ""),
        ("CREATE TABLE cards (id INTEGER PRIMARY KEY)", ""),
        ("CREATE INDEX ix_name ON people (name)", ""),
        ("ALTER TABLE people DROP COLUMN note", "people.note is gone"),
        ("ALTER TABLE people RENAME COLUMN note TO remark", "people.note is gone"),
        ("ALTER TABLE people RENAME TO persons", "people is gone"),
        ("CREATE UNIQUE INDEX ux_name ON people (name)", "people has a new rule (unique)"),
        (f"{REMADE} name TEXT NOT NULL, note TEXT, unit TEXT NOT NULL)", "people.unit is new"),
        (f"{REMADE} name TEXT NOT NULL, note TEXT NOT NULL)", "people.note must be filled now"),
        (f"{REMADE} name INTEGER NOT NULL, note TEXT)", "people.name was TEXT"),
    ],
)
def test_what_breaks_the_version_before_is_noticed(after: str, breach: str) -> None:
    engine = sa.create_engine("sqlite://", poolclass=sa.StaticPool)
    with engine.begin() as connection:
        connection.execute(sa.text(BEFORE))
    then = json.loads(json.dumps(describe(engine)))
    with engine.begin() as connection:
        for statement in after.split("; "):
            connection.execute(sa.text(statement))
    found = list(breaches(then, describe(engine)))
    assert [one[: len(breach)] for one in found] == ([breach] if breach else [])
