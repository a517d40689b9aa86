"""How one server is set up: `GATEHOUSE_SERVER_…` variables, then the table `[server]`."""

from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, field_validator, model_validator
from pydantic_settings import SettingsConfigDict

from community_server.staff.permissions import Role
from tier_kit.settings import TierSettings, models_folder

FirstOpening = Literal["desk", "pin"]
VisitsDecidedBy = Literal["host", "desk"]
UnsupportedBudget = Literal["propose", "demand"]
LEAST_SECRET: Final = 16


class Settings(TierSettings):
    """The settings of a community server."""

    table: ClassVar[str] = "server"
    model_config = SettingsConfigDict(env_prefix="GATEHOUSE_SERVER_")

    host: str = "0.0.0.0"  # noqa: S104 -- doors and desks are other machines on the estate's network
    port: Annotated[int, Field(ge=0, le=65535)] = 8443
    """0 takes a free port; `<data>/server.url` then says which."""
    names: tuple[str, ...] = ()
    """Further host names and addresses that the console's certificate shall name."""
    own_forms: bool = True
    """Whether residents' and visitors' forms are served here too, on the estate's own network."""
    own_address: str = ""
    """Address by which phones on the estate's network reach this server, for the links of those
    forms, such as `https://gate.example:8443`; empty: the one that the console was opened by."""
    data: Path = Path(".gatehouse/server")
    master_key: str = "file"
    """`file` (beside the data: for trying out), `path:<file>` (another medium), `passphrase`, or
    `credential[:<name>]` (of the service manager's, sealed to a TPM)."""
    models: Path = Field(default_factory=models_folder)
    model_pack: str = "opencv-zoo"
    model_runtime: Literal["onnxruntime", "openvino"] = "onnxruntime"
    """`openvino` needs the extra of that name; the vectors stay the same."""
    former_pack: str = ""
    """The pack before `model_pack`: it goes on serving the faces that were not renewed yet."""
    encoder_threads: Annotated[int, Field(ge=1, le=64)] = 1

    first_opening: FirstOpening = "desk"
    """Against forwarded links: staff compare the photo, or the first opening needs a PIN."""
    visits_decided_by: VisitsDecidedBy = "host"
    """Whether whom a resident invites may come at once, or once the `desk` has agreed."""
    unsealed_uploads: bool = False
    """Whether the cloud may take plain photos from clients that cannot seal."""
    wrong_openings_per_month: Annotated[float, Field(gt=0, le=1000)] = 1.0
    """Error budget: how many wrong openings a month the estate accepts."""
    strangers_per_day: Annotated[float, Field(gt=0, le=1_000_000)] = 50.0
    """Sightings a day, over all doors, of people who are not enrolled."""
    unsupported_budget: UnsupportedBudget = "propose"
    """Where no scores measured so far can show that the budget is kept: `propose` a second
    credential in the console, or `demand` it of faces at every door that takes PINs."""
    time_zone: str = "Asia/Shanghai"
    """IANA name of the estate's time zone: weekly windows mean this clock."""
    resident_lease_days: Annotated[int, Field(ge=1, le=30)] = 7
    """Days for which doors that hear nothing of this server go on letting residents in."""
    snapshot_hours: Annotated[int, Field(ge=1, le=168)] = 72
    """Hours for which pictures of refused faces are kept, of doors that take any, until the privacy
    officer sets another time in the console."""
    backup_folder: Path | None = None
    """Where this server puts an encrypted backup daily: another disk, or a share."""
    backups_kept: Annotated[int, Field(ge=1, le=1000)] = 14
    """Data backups that stay in such a folder; of the bundle of keys there is one alone."""
    backup_days: Annotated[int, Field(ge=0, le=3650)] = 7
    """Days for which the estate keeps a copy of this server's data, at most: receipts say so."""
    invitation_days: Annotated[int, Field(ge=1, le=90)] = 14
    """Days in which an invitation can be used."""
    second_factor_roles: tuple[Role, ...] = ()
    """Roles whose accounts may do nothing before they have a second factor."""

    webhook_networks: tuple[str, ...] = ()
    """Internal networks that webhooks may be sent to, such as `10.0.5.0/24`; the internet always
    is. Not set in the console, so that nobody who can sign in there can make this server knock at
    the machines around it."""
    webhook_ca: Path | None = None
    """PEM file of a further authority that certifies receivers of webhooks."""
    mqtt_host: str = ""
    """Broker that events are published to; empty for none."""
    mqtt_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0: 8883 with TLS, else 1883."""
    mqtt_tls: bool = False
    mqtt_ca: Path | None = None
    """PEM file of the authority that certified the broker; unset: the system's."""
    mqtt_username: str = ""
    mqtt_password: str = Field(default="", repr=False)
    mqtt_version: Literal["5", "3.1.1"] = "5"
    mqtt_topic: Annotated[str, Field(pattern=r"^[^+#\x00/][^+#\x00]*[^+#\x00/]$")] = "gatehouse"
    """What every topic begins with."""

    @field_validator("own_address")
    @classmethod
    def _is_address(cls, text: str) -> str:
        parts = urlsplit(text)
        rest = (parts.path.strip("/"), parts.query, parts.fragment, parts.username)
        if text and (parts.scheme != "https" or not parts.hostname or any(rest)):
            raise ValueError("an address begins with https:// and has no path")
        return text.rstrip("/")

    @field_validator("webhook_networks")
    @classmethod
    def _are_networks(cls, texts: tuple[str, ...]) -> tuple[str, ...]:
        for text in texts:
            ip_network(text)
        return texts

    mail_host: str = ""
    """The estate's SMTP server; empty for none."""
    mail_port: Annotated[int, Field(ge=1, le=65535)] = 587
    mail_security: Literal["starttls", "tls", "none"] = "starttls"
    """`none` is for a server on this very machine: anybody else's mail could be read on the way."""
    mail_ca: Path | None = None
    """PEM file of the authority that certified the SMTP server; unset: the system's."""
    mail_user: str = ""
    mail_password: str = Field(default="", repr=False)
    mail_from: str = ""
    """The address that mail comes from."""
    sms_url: str = ""
    """Address of an HTTP gateway for text messages; empty for none. See operations."""
    sms_secret: str = Field(default="", repr=False)
    """The key by which it knows that a request is this server's: at least 16 characters."""
    sms_ca: Path | None = None
    """PEM file of the authority that certified the gateway; unset: the system's."""
    requests_per_minute: Annotated[int, Field(ge=60)] = 3000
    """Everything that one address may ask of this server, signed in or not, static files and links
    included. A console that is left open asks every few seconds, several tabs of it some hundred
    times a minute; half a dozen desks may share an address."""
    messages_per_minute: Annotated[int, Field(ge=1, le=1000)] = 30
    """Of each kind, so that no provider takes a building's invitations for abuse."""

    @model_validator(mode="after")
    def _gateways_are_whole(self) -> Self:
        if self.mail_host and not self.mail_from:
            raise ValueError("mail_host needs mail_from")
        if self.sms_url and len(self.sms_secret) < LEAST_SECRET:
            raise ValueError(f"sms_url needs an sms_secret of at least {LEAST_SECRET} characters")
        if self.sms_url and not self.sms_url.startswith(("https://", "http://127.0.0.1")):
            raise ValueError("sms_url begins with https://")
        return self
