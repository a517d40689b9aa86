"""How every tier is set up: one table of one TOML file, and environment variables above it.

`GATEHOUSE_<TABLE>_<NAME>` beats `<name>` in `[<table>]` of the file that `GATEHOUSE_CONFIG`
names (default `./gatehouse.toml`, which may be absent). The file may hold the tables of all
three tiers: each looks at its own alone. A name in it that no setting has is refused, since
whoever mistyped it believes that it holds.
"""

import os
import tomllib
from pathlib import Path
from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    InitSettingsSource,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

FILE_VARIABLE: Final = "GATEHOUSE_CONFIG"
DEFAULT_FILE: Final = "gatehouse.toml"


class ConfigurationRefused(Exception):
    """What an operator configured cannot be used; the message names the file or the setting."""

    code = "configuration-malformed"


class TierSettings(BaseSettings):
    """What the settings of the three tiers have in common.

    A tier names its `table`, its variables (`env_prefix`) and the default of `data`.
    """

    model_config = SettingsConfigDict(extra="forbid", frozen=True)

    table: ClassVar[str]

    data: Path
    """Folder of this tier's files."""
    database: str = Field(default="", repr=False)
    """SQLAlchemy address; empty: SQLite in the data folder."""
    traces: Annotated[str, Field(pattern=r"^(https?://\S+)?$")] = ""
    """Where traces are sent by OTLP over HTTP, such as `http://127.0.0.1:4318/v1/traces`; empty:
    none are made. See `tier_kit.tracing`."""

    @property
    def database_url(self) -> str:
        """The database's address, the default filled in."""
        return self.database or f"sqlite:///{self.data.resolve() / f'{self.table}.sqlite'}"

    @classmethod
    def read(cls, **given: Any) -> Self:
        """Return the settings, with what was given on the command line (not None) above all.

        Raises:
            ConfigurationRefused: the file or a setting cannot be used.
        """
        try:
            return cls(**{name: value for name, value in given.items() if value is not None})
        except ValidationError as error:
            # Without the values, which may be secrets.
            raise ConfigurationRefused(
                "; ".join(
                    cls._explain(one["type"], one["loc"], one["msg"]) for one in error.errors()
                )
            ) from None

    @classmethod
    def _explain(cls, kind: str, place: tuple[int | str, ...], message: str) -> str:
        name = ".".join((cls.table, *map(str, place)))
        if kind == "extra_forbidden":
            return f"there is no setting '{name}'"
        return f"the setting '{name}' cannot be used: {message}"

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
        return init_settings, env_settings, InitSettingsSource(settings_cls, _read(cls.table))


def models_folder() -> Path:
    """Return where face models lie, as the face engine has it, but without loading the engine."""
    named = os.environ.get("GATEHOUSE_MODELS") or "~/.cache/gatehouse/models"
    return Path(named).expanduser()


def _read(name: str) -> dict[str, Any]:
    """Return one table of the configuration file, empty where there is none.

    Raises:
        ConfigurationRefused: the file cannot be read, or holds something else there.
    """
    file = Path(os.environ.get(FILE_VARIABLE, DEFAULT_FILE))
    try:
        table = tomllib.loads(file.read_text("utf-8")).get(name, {})
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigurationRefused(f"{file} cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        # tomllib's error, text that is not UTF-8, numbers and brackets by the thousand.
        raise ConfigurationRefused(f"{file} is not TOML: {error}") from error
    if not isinstance(table, dict):
        raise ConfigurationRefused(f"[{name}] in {file} is not a table")
    return table
