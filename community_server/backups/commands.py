"""`gatehouse server backup`, `restore` and `test-restore`."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click
from sqlalchemy.orm import Session

from community_server.backups.making import make_backup
from community_server.backups.recovery_key import RecoveryKey, read_kit
from community_server.backups.restoring import restore
from community_server.backups.service import note_kit_checked
from community_server.backups.trial import Contents, examine, keys_beside
from community_server.errors import ServerError, StartRefused
from community_server.settings import Settings
from community_server.vault.erasure_key import open_erasure_keys
from community_server.vault.master_key import choose_source
from community_server.vault.safe import Safe
from tier_kit.settings import ConfigurationRefused
from tier_link.errors import LinkError
from tier_link.store import open_database

SECRET_VARIABLE: Final = "GATEHOUSE_RECOVERY_SECRET"  # noqa: S105 -- a name, no secret
"""Where programs put the recovery kit's secret; people are asked for it."""

_FILE: Final = click.Path(dir_okay=False, path_type=Path)
_KEYS_HELP: Final = "The bundle of keys; default: keys.gatehouse-backup beside the data backup."


@click.command("backup")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def backup(folder: Path) -> None:
    """Write an encrypted backup into FOLDER; the server may go on running meanwhile."""
    with said():
        settings = Settings.read()
        engine = open_database(settings.database_url)
        try:
            made = make_backup(
                engine, lambda: _safe_of(settings), folder, keep=settings.backups_kept
            )
        finally:
            engine.dispose()
    click.echo(f"Data: {made.data}\nKeys: {made.keys}")
    click.echo("Both open with the recovery kit alone, and only together.")


@click.command("restore")
@click.argument("data_file", type=_FILE)
@click.option("--keys", type=_FILE, help=_KEYS_HELP)
def restore_backup(data_file: Path, keys: Path | None) -> None:
    """Put a backup back into an empty data folder and database; asks for the recovery kit."""
    with said():
        restored = restore(Settings.read(), data_file, keys or keys_beside(data_file), ask_kit())
    _describe(restored.contents)
    click.echo(
        f"Restored: {restored.revived.people} people; the server is in epoch {restored.epoch}."
    )
    if restored.revived.erased:
        click.echo(f"{restored.revived.erased} people who were erased since are gone again.")
    click.echo(
        "Once it runs, it asks doors and cloud what must not come back, and serves after that; "
        "its console says how far that is."
    )


@click.command("test-restore")
@click.argument("data_file", type=_FILE)
@click.option("--keys", type=_FILE, help=_KEYS_HELP)
def test_restore(data_file: Path, keys: Path | None) -> None:
    """Open a backup with the recovery kit and say what is in it; nothing is kept."""
    with said():
        settings = Settings.read()
        contents = examine(data_file, keys or keys_beside(data_file), ask_kit())
        noted = _note_at_home(settings, contents)
    _describe(contents)
    for table, count in sorted(contents.counts.items()):
        if count:
            click.echo(f"  {table}: {count}")
    click.echo("This backup can be restored with this recovery kit.")
    if noted:
        click.echo("The server here has noted that the kit was tried.")


def _describe(contents: Contents) -> None:
    click.echo(
        f"Data of {_moment(contents.data.made_at)}, keys of {_moment(contents.keys.made_at)}."
    )
    click.echo(
        f"{contents.people} people; {contents.erased} more are in the data and were erased before "
        "the keys were bundled."
    )


def _note_at_home(settings: Settings, contents: Contents) -> bool:
    """Note the trial where this machine's own server is the one that the backup is of."""
    if not (settings.data / "vault" / "erasure.key").exists():
        return False
    try:
        if _safe_of(settings).estate != contents.data.estate:
            return False
    except StartRefused:  # a passphrase that is not at hand here
        return False
    engine = open_database(settings.database_url)
    try:
        with Session(engine) as session, session.begin():
            note_kit_checked(session, "")
    finally:
        engine.dispose()
    return True


def _safe_of(settings: Settings) -> Safe:
    vault = settings.data / "vault"
    if not (vault / "erasure.key").exists():
        raise StartRefused(f"there is no server's data in {settings.data}", code="no-data")
    return Safe(open_erasure_keys(vault / "erasure.key", choose_source(settings.master_key, vault)))


def ask_kit() -> RecoveryKey:
    """Ask for the recovery kit's secret, unless a program has given it.

    Raises:
        BackupRefused: `kit-mistyped`.
    """
    given = os.environ.get(SECRET_VARIABLE, "")
    return read_kit(given or click.prompt("The recovery kit's secret", hide_input=True))


def _moment(unix: int) -> str:
    return datetime.fromtimestamp(unix, UTC).isoformat(timespec="minutes").replace("+00:00", "Z")


@contextmanager
def said() -> Iterator[None]:
    """Say what was refused, in a sentence and with its code."""
    try:
        yield
    except (ServerError, ConfigurationRefused, LinkError) as error:
        raise click.ClickException(f"{error} [{error.code}]") from error
