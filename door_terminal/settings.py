"""How one terminal is set up: environment variables, then the `[door]` table of the TOML file.

`GATEHOUSE_DOOR_<NAME>` beats `[door] <name>` in the file that `GATEHOUSE_CONFIG` names
(default `./gatehouse.toml`, which may be absent). What the estate decides (zone, threshold,
hours) is not here: it comes from the server.
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

from door_terminal.errors import StartRefused

Mode = Literal["auto", "local", "remote", "hybrid"]


class Settings(BaseSettings):
    """The settings of a door terminal."""

    model_config = SettingsConfigDict(env_prefix="GATEHOUSE_DOOR_", extra="ignore", frozen=True)

    data: Path = Path(".gatehouse/door")
    """Keys, roster, log. One running terminal per folder."""
    database: str = ""
    """SQLAlchemy address; empty: SQLite in the data folder."""
    models: Path = Field(
        default_factory=lambda: Path(
            os.environ.get("GATEHOUSE_MODELS", "~/.cache/gatehouse/models")
        ).expanduser()
    )
    model_pack: str = "opencv-zoo"
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of one model run."""

    camera: str = ""
    """An index (`0`), an `rtsp://` or `http://` address, a video file, a folder of images.
    Empty: no camera; PIN only."""
    camera_loop: bool = False
    """Play a file or folder again from its start."""
    camera_rate: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Images a second from a folder."""
    camera_hang_s: Annotated[float, Field(gt=0, le=600)] = 15.0
    """A driver that keeps one call this long is taken for dead, and vision starts anew."""

    gate: Literal["simulated", "http"] = "simulated"
    gate_url: str = ""
    """`http`: address that opens; `{seconds}` in it becomes the opening time."""
    gate_method: Literal["GET", "POST", "PUT"] = "POST"
    gate_body: str = ""
    """`http`: body to send, `{seconds}` as above; empty for none."""
    gate_headers: dict[str, str] = Field(default_factory=dict, repr=False)
    gate_timeout_s: Annotated[float, Field(gt=0, le=10)] = 2.0

    mode: Mode | None = None
    """Where faces are matched, whatever the server says; unset: the server's choice."""

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    """The unit's own page is for the unit's own screen."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8480
    """0 takes a free port; `<data>/door.url` then says which."""

    @property
    def database_url(self) -> str:
        """The database's address, the default filled in."""
        return self.database or f"sqlite:///{self.data.resolve() / 'door.sqlite'}"

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
        return init_settings, env_settings, InitSettingsSource(settings_cls, _read_table())


def _read_table() -> dict[str, Any]:
    """Return the `[door]` table of the configuration file, empty where there is none."""
    file = Path(os.environ.get("GATEHOUSE_CONFIG", "gatehouse.toml"))
    try:
        table = tomllib.loads(file.read_text("utf-8")).get("door", {})
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise StartRefused(
            f"{file} is not TOML: {error}", code="configuration-malformed"
        ) from error
    if not isinstance(table, dict):
        raise StartRefused(f"[door] in {file} is not a table", code="configuration-malformed")
    return table
