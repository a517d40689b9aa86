"""Looking for bytes in everything an estate has written: files and PostgreSQL's own."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import sqlalchemy as sa

from community_server.estate import Estate
from gatehouse.local_estate import wait_for


def traces(estate: Estate, folder: Path, needles: Sequence[bytes]) -> list[str]:
    """Return where any of the needles stands: files below `folder`, tables of PostgreSQL."""
    places = [(str(path), path.read_bytes()) for path in folder.rglob("*") if path.is_file()]
    if estate.engine.dialect.name == "postgresql":
        places += _tables(estate.engine)
    return [place for place, content in places if any(needle in content for needle in needles)]


def traces_in_the_end(estate: Estate, folder: Path, needles: Sequence[bytes]) -> list[str]:
    """Return what is left once the sweeper has had its way.

    PostgreSQL keeps deleted rows while a snapshot of anybody in the cluster is older; the
    sweeper rewrites the tables again until nothing is kept.
    """

    def swept() -> bool:
        return estate.changer.traces.sweep() and not estate.changer.traces.due

    wait_for("the traces to be swept", swept)
    return traces(estate, folder, needles)


def _tables(engine: sa.Engine) -> Iterable[tuple[str, bytes]]:
    """Yield each table's heap and TOAST as PostgreSQL has them on disk, dead rows included."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("CHECKPOINT"))
        paths = connection.execute(
            sa.text(
                "SELECT relname, pg_relation_filepath(oid) FROM pg_class "
                "WHERE relkind IN ('r', 't') AND relname !~ '^(pg_[a-su-z]|sql_)'"
            )
        ).all()
        for name, path in paths:
            content = connection.execute(
                sa.text("SELECT pg_read_binary_file(:path)"), {"path": path}
            ).scalar()
            yield name, bytes(content or b"")
