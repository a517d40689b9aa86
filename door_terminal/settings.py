"""How one terminal is set up: `GATEHOUSE_DOOR_…` variables, then the table `[door]`.

What the estate decides (zone, threshold, hours) is not here: it comes from the server.
"""

from pathlib import Path
from typing import Annotated, ClassVar, Final, Literal

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from tier_kit.settings import TierSettings, models_folder

LOCK_FILE: Final = "lock"
"""In the data folder: a running terminal holds it."""

Mode = Literal["auto", "local", "remote", "hybrid"]


class Settings(TierSettings):
    """The settings of a door terminal."""

    table: ClassVar[str] = "door"
    model_config = SettingsConfigDict(env_prefix="GATEHOUSE_DOOR_")

    data: Path = Path(".gatehouse/door")
    """Keys, roster, log. One running terminal per folder."""
    models: Path = Field(default_factory=models_folder)
    model_pack: str = ""
    """The pack to run whatever the estate's is, a name or a folder; empty: the estate's."""
    model_runtime: Literal["onnxruntime", "openvino"] = "onnxruntime"
    """`openvino` needs the extra of that name; the vectors stay the same."""
    liveness_pack: Literal["silent-face", "insightface-liveness"] = "silent-face"
    """The networks that tell faces from pictures, at doors that look for these."""
    threads: Annotated[int, Field(ge=1, le=64)] = 1
    """Threads of one model run."""

    camera: str = Field(default="", repr=False)
    """An index (`0`), an `rtsp://` or `http://` address, a video file, a folder of images.
    Empty: no camera; PIN only."""
    camera_loop: bool = False
    """Play a file or folder again from its start."""
    camera_rate: Annotated[float, Field(gt=0, le=120)] = 10.0
    """Images a second from a folder."""
    camera_hang_s: Annotated[float, Field(gt=0, le=600)] = 15.0
    """A driver that keeps one call this long is taken for dead, and vision starts anew."""

    gate: Literal["simulated", "http", "gpio", "mqtt"] = "simulated"
    gate_url: str = Field(default="", repr=False)
    """`http`: address that opens; `{seconds}` in it becomes the opening time."""
    gate_method: Literal["GET", "POST", "PUT"] = "POST"
    gate_body: str = ""
    """`http`: body to send, `{seconds}` as above; empty for none."""
    gate_headers: dict[str, str] = Field(default_factory=dict, repr=False)
    gate_timeout_s: Annotated[float, Field(gt=0, le=10)] = 2.0
    gate_pin: str = ""
    """`gpio`: the relay's line, as gpiozero names it: `17`, `GPIO17`, `BOARD11`."""
    gate_active: Literal["high", "low"] = "high"
    """`gpio`: the level that switches the relay on."""
    gate_fail: Literal["secure", "safe"] = "secure"
    """`gpio`: `secure` switches the relay on to release, so that a stopped terminal leaves the
    gate shut; `safe` switches it on to keep the gate shut, so that a stopped one lets go."""
    gate_topic: str = ""
    """`mqtt`: topic to which one message opens."""
    gate_payload: str = '{"open_s": {seconds}, "entry": "{entry}"}'
    """`mqtt`: that message; `{seconds}` and `{entry}` are filled in."""
    gate_confirm_topic: str = ""
    """`mqtt`: where the relay answers; empty: the broker's having taken the message is enough."""
    gate_confirm: str = ""
    """`mqtt`: the answer that counts, filled in like the payload; empty: any."""

    mqtt_host: str = ""
    mqtt_port: Annotated[int, Field(ge=0, le=65535)] = 0
    """0: 8883 with TLS, else 1883."""
    mqtt_tls: bool = False
    mqtt_ca: Path | None = None
    """PEM file of the authority that certified the broker; unset: the system's."""
    mqtt_username: str = ""
    mqtt_password: str = Field(default="", repr=False)
    mqtt_version: Literal["5", "3.1.1"] = "5"

    input_exit: str = ""
    """The exit button: `gpio:17?active=low&pull=up` or `simulated`."""
    input_fire: str = ""
    """The fire panel's contact: likewise, or `mqtt:topic?active=ON`."""
    input_contact: str = ""
    """The door contact; active means open."""
    input_tamper: str = ""
    """The switch in the unit's case; active means opened."""
    input_call: str = ""
    """A call button beside the one on the unit's own page."""
    input_presence: str = ""
    """A button, or a sensor of somebody standing there: likewise; active means they want in."""
    card_reader: str = ""
    """`serial:/dev/ttyUSB0?baud=9600&format=decimal` or
    `keyboard:/dev/input/by-id/…-event-kbd?format=hex`; empty: none."""
    input_debounce_ms: Annotated[int, Field(ge=0, le=1000)] = 30
    """A level counts once it has lasted so long."""

    mode: Mode | None = None
    """Where faces are matched, whatever the server says; unset: the server's choice."""

    host: Literal["127.0.0.1", "::1"] = "127.0.0.1"
    """The unit's own page is for the unit's own screen."""
    port: Annotated[int, Field(ge=0, le=65535)] = 8480
    """0 takes a free port; `<data>/door.url` then says which."""
