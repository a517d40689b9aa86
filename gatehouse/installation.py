"""Which tiers were set up here, by the same settings that they run with."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.engine import make_url

from tier_kit.settings import ConfigurationRefused, TierSettings


@dataclass(frozen=True)
class Installed:
    """One tier that has its data here; `lock` is the file that it holds while it runs."""

    tier: str
    settings: TierSettings
    data: Path
    database: str
    lock: Path | None


def installed() -> list[Installed]:
    """Return the tiers that have data here; one whose settings cannot be read is told elsewhere."""
    return [one for one in (_server(), _door(), _cloud()) if one is not None]


def _server() -> Installed | None:
    try:
        from community_server.instance_lock import FILE_NAME  # noqa: PLC0415 - not everywhere
        from community_server.settings import Settings  # noqa: PLC0415 - the same

        settings = Settings.read()
    except (ModuleNotFoundError, ConfigurationRefused):
        return None
    if not (settings.data / "vault").is_dir():
        return None
    data = settings.data
    return Installed("server", settings, data, settings.database_url, data / FILE_NAME)


def _door() -> Installed | None:
    try:
        from door_terminal.identity import is_paired  # noqa: PLC0415 - not on every machine
        from door_terminal.settings import LOCK_FILE, Settings  # noqa: PLC0415 - the same

        settings = Settings.read()
    except (ModuleNotFoundError, ConfigurationRefused):
        return None
    if not is_paired(settings.data):
        return None
    return Installed("door", settings, settings.data, "", settings.data / LOCK_FILE)


def _cloud() -> Installed | None:
    try:
        from enrollment_cloud.settings import Settings  # noqa: PLC0415 - not on every machine

        settings = Settings.read()
    except (ModuleNotFoundError, ConfigurationRefused):
        return None
    address = make_url(settings.database_url)
    here = bool(settings.database) or Path(address.database or "").is_file()
    return (
        Installed("cloud", settings, settings.data, settings.database_url, None) if here else None
    )
