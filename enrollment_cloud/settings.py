"""How an operator configures the cloud: environment first, then `gatehouse.toml`."""

import os
from pathlib import Path
from typing import Final

from pydantic import Field, model_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

CONFIG_VARIABLE: Final = "GATEHOUSE_CONFIG"
_DEFAULT_CONFIG: Final = Path("gatehouse.toml")
_TABLE: Final = "cloud"


class Settings(BaseSettings):
    """The table `[cloud]` of the configuration file, or `GATEHOUSE_CLOUD_…` variables."""

    model_config = SettingsConfigDict(env_prefix="GATEHOUSE_CLOUD_", extra="forbid")

    host: str = "127.0.0.1"
    """Address to listen on; a proxy on the same machine is expected to carry TLS."""

    port: int = Field(default=8440, ge=0, le=65535)
    """Port to listen on; 0 lets the system choose."""

    data: Path = Path(".gatehouse/cloud")
    """Where the default database lies; unused with PostgreSQL."""

    database: str = ""
    """SQLAlchemy address; empty means a SQLite file in the data folder."""

    tls_certificate: Path | None = None
    """PEM chain, when no proxy carries TLS."""

    tls_key: Path | None = None
    """PEM private key of that chain."""

    trusted_proxies: str = "127.0.0.1"
    """Comma-separated addresses whose X-Forwarded-For is believed; they set the rate limits'
    view of who is asking."""

    reads_per_minute: int = Field(default=1200, ge=1)
    """Requests without a body that one address may make. Phones of an estate share their
    carrier's or the estate's address, and each waiting page asks every few seconds."""

    uploads_per_minute: int = Field(default=120, ge=1)
    """Uploads that one address may make: an enrollment event in the estate's hall, where
    everybody is behind one address, sends about one in two seconds at most."""

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let arguments beat the environment, and the environment beat the file."""
        del dotenv_settings, file_secret_settings
        file = Path(os.environ.get(CONFIG_VARIABLE, _DEFAULT_CONFIG))
        table = TomlConfigSettingsSource(settings_cls, file)
        return init_settings, env_settings, _OneTable(settings_cls, table)

    @model_validator(mode="after")
    def _complete(self) -> "Settings":
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        if not self.database:
            self.database = f"sqlite:///{self.data / 'cloud.sqlite'}"
        return self

    @property
    def https(self) -> bool:
        """Whether this process itself speaks TLS."""
        return self.tls_certificate is not None


class _OneTable(PydanticBaseSettingsSource):
    """The `[cloud]` table of a file that the three tiers share."""

    def __init__(
        self, settings_cls: type[BaseSettings], whole_file: TomlConfigSettingsSource
    ) -> None:
        super().__init__(settings_cls)
        self._table = whole_file.toml_data.get(_TABLE, {})

    def get_field_value(self, field: object, field_name: str) -> tuple[object, str, bool]:
        """Return one value of the table."""
        del field
        return self._table.get(field_name), field_name, False

    def __call__(self) -> dict[str, object]:
        """Return the table."""
        return dict(self._table)
