"""What a tier reaches, or is reached by: itself while it runs, its port, cameras, brokers, mail."""

import contextlib
import json
import socket
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from gatehouse.finding import Finding, found
from gatehouse.installation import Installed
from gatehouse.memory_findings import holder_of

WAIT_S: Final = 3.0
"""Seconds for something on the estate's network to answer."""
_PORTS: Final = {"rtsp": 554, "rtsps": 322, "http": 80, "https": 443}
_MQTT: Final = {False: 1883, True: 8883}
_NATS: Final = 4222
MAX_ANSWER: Final = 64 * 1024
_SECOND_SERVER: Final = frozenset({"standby", "superseded"})


def network_findings(tiers: list[Installed]) -> Iterator[Finding]:
    """Look at what runs here and what it needs to reach; nothing is changed by it."""
    for one in tiers:
        if one.tier != "cloud":
            yield from _process(one)
        yield from _reaches(one)
        if one.tier == "door":
            yield from _camera(one.settings)


def _process(one: Installed) -> Iterator[Finding]:
    settings: Any = one.settings
    running = one.lock is not None and holder_of(one.lock) is not None
    if running:
        yield from _answers(one)
    elif settings.port and _is_taken(settings.host, settings.port):
        yield found("port.taken", "problem", tier=one.tier, port=settings.port)
    else:
        yield found("process.stopped", "warning", tier=one.tier)


def _answers(one: Installed) -> Iterator[Finding]:
    """Ask the tier itself, by the address that it wrote down."""
    address = _address_of(one.data / f"{one.tier}.url")
    said = _ask(f"{address}/health/ready") if address else None
    if said is None:
        yield found("process.silent", "problem", tier=one.tier)
    elif not _SECOND_SERVER.isdisjoint(said.get("hindrances", ())):
        return  # told by what stands in its data folder
    elif hindrances := said.get("hindrances"):
        codes = ", ".join(map(str, hindrances))
        yield found("process.hindered", "problem", tier=one.tier, codes=codes)
    elif troubles := said.get("troubles"):
        codes = ", ".join(map(str, troubles))
        yield found("process.troubled", "warning", tier=one.tier, codes=codes)
    else:
        yield found("process.ready", "fine", tier=one.tier)


def _address_of(file: Path) -> str:
    try:
        return file.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""


def _ask(address: str) -> dict[str, Any] | None:
    # The estate's certificate is its own, and nothing secret goes to this machine's own port.
    trusting = ssl.create_default_context()
    trusting.check_hostname, trusting.verify_mode = False, ssl.CERT_NONE
    opener = urllib.request.build_opener(
        urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=trusting)
    )
    try:
        with opener.open(address, timeout=WAIT_S) as answer:
            body = answer.read(MAX_ANSWER)
    except urllib.error.HTTPError as refused:
        body = refused.read(MAX_ANSWER)
    except OSError:
        return None
    with contextlib.suppress(ValueError):
        said = json.loads(body)
        return said if isinstance(said, dict) else None
    return None


def _reaches(one: Installed) -> Iterator[Finding]:
    settings: Any = one.settings
    places = []
    if getattr(settings, "mqtt_host", ""):
        places.append(("mqtt", settings.mqtt_host, settings.mqtt_port or _MQTT[settings.mqtt_tls]))
    if getattr(settings, "mail_host", ""):
        places.append(("mail", settings.mail_host, settings.mail_port))
    if one.tier == "cloud":
        brokers = [urlsplit(server) for server in settings.relay_servers if "://" in server]
        places.extend(("relay", at.hostname or "", at.port or _NATS) for at in brokers)
    if one.tier == "door":
        from door_terminal.errors import DoorError  # noqa: PLC0415 - not on every machine

        with contextlib.suppress(DoorError):  # told with the door's settings
            places.append(_server_of(one.data))
    for what, host, port in places:
        place = f"{host}:{port}"
        if _is_reachable(host, port):
            yield found(f"{what}.reached", "fine", place=place)
        else:
            yield found(f"{what}.away", "problem", place=place)


def _server_of(data: Path) -> tuple[str, str, int]:
    from door_terminal.identity import load_pairing  # noqa: PLC0415 - not on every machine

    parts = urlsplit(load_pairing(data).server_url)
    return "server-of-door", parts.hostname or "", parts.port or _PORTS.get(parts.scheme, 443)


def _camera(settings: Any) -> Iterator[Finding]:
    camera: str = settings.camera
    parts = urlsplit(camera)
    if not camera:
        yield found("camera.none", "warning")
    elif parts.scheme in _PORTS:
        port = parts.port or _PORTS[parts.scheme]
        place = f"{parts.hostname}:{port}"  # never the address: it may hold a password
        if _is_reachable(parts.hostname or "", port):
            yield found("camera.there", "fine", place=place)
        else:
            yield found("camera.away", "problem", place=place)
    else:
        file = Path(f"/dev/video{camera}" if camera.isdecimal() else camera)
        there = file.exists()
        yield found(
            "camera.there" if there else "camera.away", "fine" if there else "problem", place=file
        )


def _is_reachable(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=WAIT_S):
            return True
    except OSError:
        return False


def _is_taken(host: str, port: int) -> bool:
    try:
        socket.create_server(
            (host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET
        ).close()
    except OSError:
        return True
    return False
