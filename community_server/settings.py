"""How one server is set up: environment variables, then the `[server]` table of the TOML file.

`GATEHOUSE_SERVER_<NAME>` beats `[server] <name>` in the file that `GATEHOUSE_CONFIG` names
(default `./gatehouse.toml`, which may be absent).
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

from community_server.errors import StartRefused

FirstOpening = Literal["desk", "pin"]


class Settings(BaseSettings):
    """The settings of a community server."""

    model_config = SettingsConfigDict(env_prefix="GATEHOUSE_SERVER_", extra="ignore", frozen=True)

    host: str = "0.0.0.0"  # noqa: S104 -- doors and desks are other machines on the estate's network
    port: Annotated[int, Field(ge=0, le=65535)] = 8443
    """0 takes a free port; `<data>/server.url` then says which."""
    names: tuple[str, ...] = ()
    """Further host names and addresses that the console's certificate shall name."""
    data: Path = Path(".gatehouse/server")
    database: str = ""
    """SQLAlchemy address; empty: SQLite in the data folder."""
    master_key: str = "file"
    """`file` (beside the data: for trying out), `path:<file>` (another medium), `passphrase`."""
    models: Path = Field(
        default_factory=lambda: Path(
            os.environ.get("GATEHOUSE_MODELS", "~/.cache/gatehouse/models")
        ).expanduser()
    )
    model_pack: str = "opencv-zoo"
    encoder_threads: Annotated[int, Field(ge=1, le=64)] = 1

    first_opening: FirstOpening = "desk"
    """Against forwarded links: staff compare the photo, or the first opening needs a PIN."""
    unsealed_uploads: bool = False
    """Whether the cloud may take plain photos from clients that cannot seal."""
    wrong_openings_per_month: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Error budget: how many wrong openings a month the estate accepts."""
    strangers_per_day: Annotated[float, Field(gt=0, le=1_000_000)] = 50.0
    """Sightings a day, over all doors, of people who are not enrolled."""
    time_zone: str = "Asia/Shanghai"
    """IANA name of the estate's time zone: weekly windows mean this clock."""
    invitation_days: Annotated[int, Field(ge=1, le=90)] = 14
    """Days in which an invitation can be used."""

    @property
    def database_url(self) -> str:
        """The database's address, the default filled in."""
        return self.database or f"sqlite:///{self.data.resolve() / 'server.sqlite'}"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments beat the environment, the environment beats the file."""
        del dotenv_settings, file_secret_settings
        table = InitSettingsSource(settings_cls, _read_table())
        return init_settings, env_settings, table


def _read_table() -> dict[str, Any]:
    """Return the `[server]` table of the configuration file, empty where there is none."""
    file = Path(os.environ.get("GATEHOUSE_CONFIG", "gatehouse.toml"))
    try:
        table = tomllib.loads(file.read_text("utf-8")).get("server", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartRefused(
            f"{file} is not TOML: {error}", code="configuration-malformed"
        ) from error
    if not isinstance(table, dict):
        raise StartRefused(f"[server] in {file} is not a table", code="configuration-malformed")
    return table
