"""How one cloud is set up: `GATEHOUSE_CLOUD_…` variables, then the table `[cloud]`."""

import re
from pathlib import Path
from typing import ClassVar, Final, Self

from pydantic import Field, SecretStr, model_validator
from pydantic_settings import SettingsConfigDict

from tier_kit.settings import TierSettings

EMBEDDED: Final = "embedded"
"""The relay that lies in the cloud's own database."""

_BROKER: Final = re.compile(r"(nats|tls)://[A-Za-z0-9.-]+(:\d{1,5})?")


class Settings(TierSettings):
    """The settings of an enrollment cloud."""

    table: ClassVar[str] = "cloud"
    model_config = SettingsConfigDict(env_prefix="GATEHOUSE_CLOUD_")

    host: str = "127.0.0.1"
    """Address to listen on; a proxy on the same machine is expected to carry TLS."""

    port: int = Field(default=8440, ge=0, le=65535)
    """Port to listen on; 0 lets the system choose."""

    data: Path = Path(".gatehouse/cloud")
    """Where the default database lies; unused with PostgreSQL."""

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

    requests_per_minute: int = Field(default=6000, ge=1)
    """Everything that one address may ask, static files and links included: a form brings a dozen
    files, and phones share addresses."""

    metrics_token: SecretStr | None = Field(default=None, min_length=16)
    """What Prometheus shows at `/metrics` as a bearer's token; without it there is no such page."""

    relay: str = EMBEDDED
    """Where sealed envelopes wait: `embedded`, or the addresses of NATS brokers with JetStream,
    `nats://` or `tls://`, with commas between."""

    relay_replicas: int = Field(default=3, ge=1, le=5)
    """On how many brokers each envelope lies: three survive the loss of one."""

    relay_memory_mib: int = Field(default=1024, ge=64)
    """MiB of envelopes that each broker may hold, of all communities together."""

    relay_user: str | None = None
    """Name by which the brokers know this cloud, where they ask for one."""

    relay_password: SecretStr | None = Field(default=None, repr=False)
    """Its password."""

    relay_ca: Path | None = None
    """PEM of the authorities trusted for `tls://` brokers; the system's by default."""

    relay_certificate: Path | None = None
    """PEM chain shown to brokers that ask for a certificate."""

    relay_key: Path | None = None
    """PEM private key of that chain."""

    @model_validator(mode="after")
    def _check_pairs(self) -> Self:
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise ValueError("tls_certificate and tls_key belong together")
        if (self.relay_certificate is None) != (self.relay_key is None):
            raise ValueError("relay_certificate and relay_key belong together")
        return self

    @model_validator(mode="after")
    def _check_relay(self) -> Self:
        if self.relay != EMBEDDED and not all(map(_BROKER.fullmatch, self.relay_servers)):
            raise ValueError("relay is 'embedded' or a list like nats://a:4222,nats://b:4222")
        if len({server.partition(":")[0] for server in self.relay_servers}) > 1:
            raise ValueError("all brokers of relay are nats:// or all are tls://")
        return self

    @property
    def relay_servers(self) -> tuple[str, ...]:
        """The brokers' addresses, without spaces."""
        return tuple(server.strip() for server in self.relay.split(","))

    @property
    def https(self) -> bool:
        """Whether this process itself speaks TLS."""
        return self.tls_certificate is not None
