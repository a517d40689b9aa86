"""Which secret each place of the sources makes, so that the table of secrets stays complete.

`docs/security.md` has a row for each. A file that draws random bytes or makes a key, or a setting
named like a secret, stands here with the rows it belongs to, or with the reason why what it makes
is none. A new one breaks the check until somebody has written its row.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Final

_DRAWS: Final = re.compile(
    r"\b(?:secrets\.(?:token_\w+|randbelow|randbits|choice)|token_bytes|os\.urandom|HKDF"
    r"|generate_private_key|new_sealing_key|random_rotation|getRandomValues)\("
    r"|PrivateKey\.generate\(\)"
)
_SETTING: Final = re.compile(
    r"^    (\w*(?:password|secret|token|headers)|tls_key|database|camera):", re.MULTILINE
)
ROWS: Final[Mapping[str, tuple[str, ...]]] = {
    "community_server/backups/recovery_key.py": ("recovery key",),
    "community_server/backups/sealed_file.py": ("key of one backup file",),
    "community_server/estate.py": (
        *("link key of the server", "outbox key", "card key", "attempts key"),
        "community's matrix",
    ),
    "community_server/keys/authority.py": ("community CA", "TLS key of the server"),
    "community_server/keys/certified.py": (
        *("envelope keys", "reply signing key", "pass key", "receipt key"),
    ),
    "community_server/keys/door_keys.py": ("device key of a door, *confidential*",),
    "community_server/keys/root.py": ("root signing key",),
    "community_server/passes/service.py": ("phone key of a pass", "fixed pass"),
    "community_server/people/pins.py": ("PIN (six digits", "PIN that ends a fire release"),
    "community_server/staff/second_factor.py": ("second factor's secret", "recovery codes"),
    "community_server/staff/sessions.py": ("session cookie", "token against forged forms"),
    "community_server/staff/signing_in.py": ("browser cookie",),
    "community_server/staff/tickets.py": ("link to a password",),
    "community_server/staff/tokens.py": ("program's token",),
    "community_server/standby/asking.py": ("key of a letter between the two servers",),
    "community_server/vault/erasure_key.py": ("erasure key",),
    "community_server/vault/master_key.py": ("master key",),
    "community_server/vault/safe.py": ("data keys", "key of what waits for doors"),
    "community_server/webhooks/service.py": ("receiver's secret",),
    "door_terminal/command.py": ("link key of a door",),
    "door_terminal/device_keys.py": ("device key of a door, *available*",),
    "door_terminal/decisions/remote_opening.py": ("nonce of an opening",),
    "enrollment_cloud/communities/service.py": ("link key of the cloud",),
    "enrollment_cloud/operators/accounts.py": ("operator's key", "operator's session"),
    "gatehouse/enrollment_client.py": ("reply key",),
    "tier_kit/forms/limits.py": ("key that counts addresses",),
    "tier_link/invitations.py": (
        *("invitation link", "link of a resident's own page", "link of a door's poster"),
    ),
    "tier_link/pairing.py": ("pairing code", "set-up code"),
    "tier_link/sealing.py": ("envelope keys", "reply key"),
    "web/form/bytes.ts": ("reply key",),
}
"""By file, how the rows of its secrets begin."""
NO_SECRET: Final[Mapping[str, str]] = {
    "community_server/database.py": "ids",
    "community_server/imports/book.py": "the number of an import, for its maker alone",
    "community_server/link_cipher.py": "nonces",
    "community_server/setup/service.py": "a part of a public id",
    "community_server/standby/commands.py": "ids",
    "door_terminal/alarms.py": "ids",
    "door_terminal/calls.py": "ids",
    "door_terminal/decisions/renewal.py": "the number of an offer, which lives at the door",
    "door_terminal/entries.py": "ids",
    "door_terminal/sensors/egress.py": "ids",
    "door_terminal/vision/watcher.py": "ids",
    "enrollment_cloud/enrollment/unsealed.py": "ids",
    "face_engine/liveness/challenge.py": "which way to turn, shown to whoever stands there",
    "face_engine/rotation.py": "draws what `community_server/estate.py` keeps",
    "face_engine/self_calibration.py": "rounding",
    "gatehouse/lan.py": "the certificate of a demonstration",
    "gatehouse/local_estate.py": "the password of a demonstration",
    "tier_link/channel/connection.py": "nonces",
}
"""By file, what it draws instead."""
SETTINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "community_server/settings.py": ("passwords of the database, mail, text messages and MQTT",),
    "door_terminal/settings.py": (
        *("headers that a relay board asks for", "passwords of the camera and MQTT at a door"),
    ),
    "enrollment_cloud/settings.py": (
        *("TLS key of the cloud", "passwords of the database, mail, text messages and MQTT"),
    ),
    "tier_kit/settings.py": ("passwords of the database, mail, text messages and MQTT",),
}


def secrets_without_a_row(files: Iterable[Path], root: Path, table: str) -> Iterator[str]:
    """Yield what the table of secrets lacks.

    Args:
        files: the sources.
        root: of the repository.
        table: the table, as Markdown.
    """
    rows = [line.removeprefix("| ") for line in table.splitlines() if line.startswith("| ")]
    named = {**ROWS, **SETTINGS}
    drawing = set()
    for file in files:
        name, text = str(file.relative_to(root)), file.read_text("utf-8")
        if _DRAWS.search(text) or (name.endswith("settings.py") and _SETTING.search(text)):
            drawing.add(name)
            if name not in named and name not in NO_SECRET:
                yield f"{name} makes or takes a secret that tools/secret_sources.py does not know"
    for name in sorted((named.keys() | NO_SECRET.keys()) - drawing):
        yield f"tools/secret_sources.py names {name}, which makes no secret"
    for name, wanted in sorted(named.items()):
        for label in wanted:
            if not any(row.startswith(label) for row in rows):
                yield f"docs/security.md has no row '{label}', which {name} makes"
