"""A database's shape as plain data, and what in a newer one breaks the code of an older release."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from tier_link.store import bring_up_to_date, open_database

TIERS = ("cloud", "community", "door")
Schema = dict[str, dict[str, Any]]


def migrated(tier: str, address: str) -> Schema:
    """Run a tier's migrations on an empty database; return its shape."""
    engine = open_database(address)
    try:
        bring_up_to_date(engine, tier)
        return describe(engine)
    finally:
        engine.dispose()


def describe(engine: sa.Engine) -> Schema:
    """Return tables with their columns, what must be unique and what is checked."""
    inspector = sa.inspect(engine)
    return {
        table: {
            "columns": {
                column["name"]: {
                    "type": str(column["type"]),
                    "nullable": column["nullable"],
                    "default": column["default"] is not None,
                }
                for column in inspector.get_columns(table)
            },
            "unique": sorted(
                [sorted(one["column_names"]) for one in inspector.get_unique_constraints(table)]
                + [
                    sorted(name or "" for name in one["column_names"])
                    for one in inspector.get_indexes(table)
                    if one["unique"]
                ]
            ),
            "checks": sorted(one["sqltext"] for one in inspector.get_check_constraints(table)),
            "foreign": sorted(
                sorted(one["constrained_columns"]) for one in inspector.get_foreign_keys(table)
            ),
        }
        for table in sorted(inspector.get_table_names())
        if table != "alembic_version"
    }


def breaches(then: Schema, now: Schema) -> Iterator[str]:
    """Say what the code of `then` could not read or write any more in a database like `now`."""
    for table, old in then.items():
        if table not in now:
            yield f"{table} is gone"
            continue
        yield from _columns(table, old["columns"], now[table]["columns"])
        for rule in ("unique", "checks", "foreign"):
            for one in now[table][rule]:
                if one not in old[rule]:
                    yield f"{table} has a new rule ({rule}) that rows of before may break: {one}"


def _columns(table: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    for name, column in old.items():
        if name not in new:
            yield f"{table}.{name} is gone"
        elif column["type"] != new[name]["type"]:
            yield f"{table}.{name} was {column['type']} and is {new[name]['type']}"
        elif column["nullable"] and not new[name]["nullable"]:
            yield f"{table}.{name} must be filled now"
        elif column["default"] and not (new[name]["default"] or new[name]["nullable"]):
            yield f"{table}.{name} fills itself no more"
    for name in new.keys() - old.keys():
        if not (new[name]["nullable"] or new[name]["default"]):
            yield f"{table}.{name} is new, and the code of before does not fill it"
