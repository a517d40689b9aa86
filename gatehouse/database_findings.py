"""What a tier's database says without the tier: is it there, of which release, and the backups."""

import sqlite3
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import sqlalchemy as sa
from cryptography import x509
from sqlalchemy.exc import SQLAlchemyError

from gatehouse.finding import Finding, found
from gatehouse.installation import Installed
from tier_link.store import is_known_revision, newest_revision

DAY_S: Final = 24 * 3600
WAIT_S: Final = 3
"""Seconds for a database server to answer: one that is there does in milliseconds."""
SOON_DAYS: Final = 90
"""Before its authority ends every phone and PC that trusts it has to be told: a season for that."""
_MIGRATIONS: Final = {"server": "community", "cloud": "cloud"}


def database_findings(tiers: list[Installed]) -> Iterator[Finding]:
    """Look at the databases of server and cloud; nothing is written."""
    for one in tiers:
        if one.tier in _MIGRATIONS:
            yield from _look(one)
        if one.tier == "server":
            yield from _authority(one.data / "ca.pem")


def _look(one: Installed) -> Iterator[Finding]:
    url = sa.make_url(one.database)
    shown = url.render_as_string(hide_password=True)
    sqlite = url.drivername.startswith("sqlite")
    if sqlite and not Path(url.database or "").is_file():
        yield found("database.missing", "problem", tier=one.tier, address=shown)
        return
    engine = _open_file(Path(url.database or "")) if sqlite else _open_server(url)
    try:
        with engine.connect() as connection:
            revision = connection.scalar(sa.text("SELECT version_num FROM alembic_version"))
            yield _revision(one.tier, str(revision))
            if one.tier == "server":
                yield from _backups(connection, one)
    except SQLAlchemyError as error:
        trouble = type(error).__name__
        yield found("database.away", "problem", tier=one.tier, address=shown, trouble=trouble)


def _open_file(file: Path) -> sa.Engine:
    """Open a SQLite file so that nothing is written beside it.

    Whoever runs the doctor is often root: a log that they made could not be opened by the tier.
    """
    how = "mode=ro" if file.with_name(f"{file.name}-wal").exists() else "immutable=1"
    address = f"{file.absolute().as_uri()}?{how}"

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(address, uri=True, timeout=WAIT_S)

    return sa.create_engine("sqlite://", creator=connect, poolclass=sa.NullPool)


def _open_server(url: sa.URL) -> sa.Engine:
    arguments = {"connect_timeout": WAIT_S}
    return sa.create_engine(url, connect_args=arguments, poolclass=sa.NullPool)


def _revision(tier: str, revision: str) -> Finding:
    folder = _MIGRATIONS[tier]
    values = {"tier": tier, "revision": revision, "newest": newest_revision(folder)}
    if revision == values["newest"]:
        return found("database.fine", "fine", **values)
    if is_known_revision(folder, revision):
        return found("database.older", "warning", **values)
    return found("database.newer", "problem", **values)


def _backups(connection: sa.Connection, one: Installed) -> Iterator[Finding]:
    kit = connection.scalar(sa.text("SELECT kit_checked_at FROM community"))
    if kit is None:
        yield found("server.empty", "warning")
        return
    yield found("kit.tried", "fine") if kit else found("kit.untried", "warning")
    made = connection.scalar(sa.text("SELECT made_at FROM backup_note")) or 0
    age = time.time() - made
    if not made:
        yield found("backup.never", "warning")
    elif age > DAY_S:
        yield found("backup.old", "warning", hours=int(age // 3600))
    else:
        yield found("backup.fresh", "fine", hours=int(age // 3600))
    folder: Path | None = getattr(one.settings, "backup_folder", None)
    if folder is None:
        yield found("backup-folder.none", "warning")
    elif not folder.is_dir():
        yield found("backup-folder.missing", "problem", folder=folder)
    elif folder.stat().st_dev == one.data.stat().st_dev:
        yield found("backup-folder.same-disk", "warning", folder=folder)
    else:
        yield found("backup-folder.apart", "fine", folder=folder)


def _authority(file: Path) -> Iterator[Finding]:
    try:
        certificate = x509.load_pem_x509_certificate(file.read_bytes())
    except (OSError, ValueError):
        return  # it is written at the first start
    ends = certificate.not_valid_after_utc
    days = (ends - datetime.now(UTC)).days
    values = {"days": days, "ends": f"{ends:%Y-%m-%d}"}
    if days < 0:
        yield found("authority.over", "problem", **values)
    elif days < SOON_DAYS:
        yield found("authority.soon", "warning", **values)
    else:
        yield found("authority.valid", "fine", **values)
