"""What a server or door here is trusted with by its settings, and where that is little."""

from collections.abc import Collection, Iterator
from urllib.parse import urlsplit

from gatehouse.finding import Finding, found
from tier_kit.settings import ConfigurationRefused


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
        yield found("settings.refused", "problem", tier="server", trouble=refused)
        return
    if not (settings.data / "vault").is_dir():
        return
    if settings.master_key == "file":
        yield found("master-key.beside", "warning")
    else:
        yield found("master-key.apart", "fine")
    if settings.own_forms and settings.own_address:
        yield _own_address(settings.own_address, own_names(settings.host, settings.names))


def _own_address(address: str, names: Collection[str]) -> Finding:
    """Say whether the server's certificate is for the address in links to its own forms."""
    host = urlsplit(address).hostname or ""
    if host in names:
        return found("own-address.named", "fine", host=host)
    return found("own-address.unnamed", "problem", host=host)


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
        yield found("settings.refused", "problem", tier="door", trouble=refused)
        return
    yield _gate(settings.gate)
    yield found(f"door-key.{pairing.custody}", "fine")


def _gate(gate: str) -> Finding:
    if gate == "gpio":
        return found("gate.wired", "fine")
    return found(f"gate.{gate}", "warning")
