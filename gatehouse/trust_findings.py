"""What a server or door here is trusted with by its settings, and where that is little."""

from collections.abc import Collection, Iterator
from typing import Final
from urllib.parse import urlsplit

from gatehouse.finding import Finding
from tier_kit.settings import ConfigurationRefused

_RELAYS: Final = {
    "http": "anybody on the network who knows its address can open this gate",
    "mqtt": "whoever may publish to its topic at the broker can open this gate",
}


def server_findings() -> Iterator[Finding]:
    """Look at how a server that was started here keeps its master key."""
    try:
        from community_server.keys.authority import own_names  # noqa: PLC0415 - the same
        from community_server.settings import Settings  # noqa: PLC0415 - not on every machine
    except ModuleNotFoundError:
        return
    try:
        settings = Settings.read()
    except ConfigurationRefused as refused:
        yield Finding("server", "problem", str(refused), "mend the setting")
        return
    if not (settings.data / "vault").is_dir():
        return
    if settings.master_key == "file":
        yield Finding(
            "master key of the server",
            "warning",
            "it lies beside the data: whoever takes the disk can read everything",
            "master_key = 'path:<file>' on another medium, or 'passphrase'",
        )
    else:
        yield Finding("master key of the server", "fine", "it is not beside the data")
    if settings.own_forms and settings.own_address:
        yield _own_address(settings.own_address, own_names(settings.host, settings.names))


def _own_address(address: str, names: Collection[str]) -> Finding:
    """Say whether the server's certificate is for the address in links to its own forms."""
    about, host = "address of the server's own forms", urlsplit(address).hostname or ""
    if host in names:
        return Finding(about, "fine", f"the server's certificate names {host}")
    return Finding(
        about,
        "problem",
        f"links name {host}, and the server's certificate does not: phones refuse it even with"
        " the estate's authority installed",
        f'names = ["{host}"] in [server], and start the server again',
    )


def door_findings() -> Iterator[Finding]:
    """Look at what opens the gate of a door that is paired here, and where its key is."""
    try:
        from door_terminal.errors import DoorError  # noqa: PLC0415 - not on every machine
        from door_terminal.identity import is_paired, load_pairing  # noqa: PLC0415
        from door_terminal.settings import Settings  # noqa: PLC0415
    except ModuleNotFoundError:
        return
    try:
        settings = Settings.read()
        if not is_paired(settings.data):
            return
        pairing = load_pairing(settings.data)
    except (ConfigurationRefused, DoorError) as refused:
        yield Finding("door", "problem", str(refused), "mend the setting, or pair the door anew")
        return
    yield _gate(settings.gate)
    kept = "in memory alone" if pairing.custody == "confidential" else "on this machine"
    yield Finding("key of the door", "fine", f"{pairing.custody}: {kept}")


def _gate(gate: str) -> Finding:
    if gate == "simulated":
        return Finding(
            "gate of the door",
            "warning",
            "it is simulated: openings are written to a file, and nothing opens",
            "gate = 'gpio', 'http' or 'mqtt'",
        )
    if gate in _RELAYS:
        return Finding(
            "gate of the door",
            "warning",
            f"its relay hangs on the network: {_RELAYS[gate]}",
            "wire a relay to this unit, on the inside of the door (gate = 'gpio'), or keep the"
            " relay in a network of its own",
        )
    return Finding("gate of the door", "fine", "its relay is wired to this unit")
