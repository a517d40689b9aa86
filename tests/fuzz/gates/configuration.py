"""`gatehouse.toml`, as each tier reads it: `tier_kit.settings`. The first byte says which tier."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from community_server.settings import Settings as ServerSettings
from door_terminal.settings import Settings as DoorSettings
from enrollment_cloud.settings import Settings as CloudSettings
from tests.fuzz.gate import Gate
from tier_kit.settings import FILE_VARIABLE, ConfigurationRefused, TierSettings

_TIERS: Final[dict[bytes, type[TierSettings]]] = {
    b"c": CloudSettings,
    b"s": ServerSettings,
    b"d": DoorSettings,
}
_FOLDER: Final = tempfile.TemporaryDirectory(prefix="gatehouse-fuzz-")
_FILE: Final = Path(_FOLDER.name) / "gatehouse.toml"


def one(data: bytes) -> None:
    _FILE.write_bytes(data[1:])
    before = os.environ.get(FILE_VARIABLE)
    os.environ[FILE_VARIABLE] = str(_FILE)
    try:
        _TIERS.get(data[:1], DoorSettings).read()
    finally:
        if before is None:
            del os.environ[FILE_VARIABLE]
        else:
            os.environ[FILE_VARIABLE] = before


def seeds() -> Sequence[bytes]:
    return [
        b'c[cloud]\nport = 8440\ntrusted_proxies = "10.0.0.1"\n[server]\nport = 1\n',
        b's[server]\nwebhook_networks = ["10.0.5.0/24"]\nbackup_days = 7\nown_address = "https://a"\n',
        b'd[door]\nport = 8480\nhost = "127.0.0.1"\n',
    ]


GATE = Gate(one, seeds, (ConfigurationRefused,), most=8192)
