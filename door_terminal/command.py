"""`gatehouse door`: pair a terminal, run it, ask it."""

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, TypeVar

import click
import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from websockets.exceptions import InvalidHandshake

from door_terminal.device_keys import Custody
from door_terminal.errors import DoorError, StartRefused
from door_terminal.identity import Pairing, is_paired, load_pairing, save_pairing, socket_url
from door_terminal.settings import Settings
from tier_kit.process_memory import guard_process
from tier_kit.settings import ConfigurationRefused
from tier_link.channel import dial_pairing, pairing_tls
from tier_link.errors import LinkError

T = TypeVar("T")


def _plainly(work: Callable[[], T]) -> T:
    """Turn what an installer can mend into a sentence and exit status 1."""
    try:
        return work()
    except (DoorError, ConfigurationRefused, LinkError) as error:
        raise click.ClickException(f"{error} [{error.code}]") from error


def _settings(**given: Any) -> Settings:
    return _plainly(lambda: Settings.read(**given))


@click.group()
def door() -> None:
    """Run the unit at a gate (tier 3)."""
    guard_process()


@door.command()
@click.option("--server", required=True, help="The estate's server: https://host:8443")
@click.option("--code", required=True, help="The pairing code that the console shows.")
@click.option("--name", default="", help="What to call this unit.")
@click.option(
    "--keys",
    "custody",
    type=click.Choice(["available", "confidential"]),
    default="available",
    show_default=True,
    help="Where the key of the roster is: on the device, so that a power cut alone changes nothing;"
    " or in memory alone, fetched from the server after each start.",
)
@click.option("--again", is_flag=True, help="Pair although this terminal is paired already.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder.")
def pair(
    server: str, code: str, name: str, *, custody: Custody, again: bool, data: Path | None
) -> None:
    """Make this terminal known to the estate's server."""
    settings = _settings(data=data)
    pairing = _plainly(lambda: _pair(settings, server, code, name, custody, again=again))
    click.echo(f"paired door={pairing.door} server={pairing.server}")


def _pair(
    settings: Settings, server: str, code: str, name: str, custody: Custody, *, again: bool
) -> Pairing:
    if is_paired(settings.data):
        if not again:
            raise StartRefused(
                "this terminal is paired already; --again pairs it anew", code="already-paired"
            )
        if load_pairing(settings.data).custody != custody:
            raise StartRefused(
                f"what {settings.data} holds is sealed the other way; --keys changes only with a"
                " new data folder",
                code="already-paired",
            )
    link_key = Ed25519PrivateKey.generate()
    url = socket_url(server, "/pair")
    try:
        paired = asyncio.run(
            dial_pairing(
                url,
                code,
                role="door",
                private_key=link_key,
                name=name,
                tls=pairing_tls() if url.startswith("wss:") else None,
            )
        )
    except (OSError, TimeoutError, InvalidHandshake) as error:
        raise StartRefused(
            f"nobody answers at {server}: {str(error) or type(error).__name__}",
            code="pairing-failed",
        ) from error
    configuration = paired.configuration
    pairing = Pairing(
        server_url=server,
        door=configuration.node,
        server=configuration.peer,
        server_key=paired.peer_key,
        link_key=link_key.private_bytes_raw(),
        ca_pem=configuration.ca_pem,
        custody=custody,
    )
    save_pairing(settings.data, pairing)
    return pairing


@door.command()
@click.option("--camera", help="Index, rtsp:// or http:// address, video file or folder of images.")
@click.option("--loop", is_flag=True, default=None, help="Play a recording again and again.")
@click.option(
    "--gate", type=click.Choice(["simulated", "http", "gpio", "mqtt"]), help="What opens."
)
@click.option("--gate-url", help="Where an http gate opens.")
@click.option("--mode", type=click.Choice(["auto", "local", "remote", "hybrid"]))
@click.option("--port", type=int, help="Port of the unit's page; 0 takes a free one.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder.")
def run(*, loop: bool | None, **given: object) -> None:
    """Run this door until it is told to stop."""
    # Imported here: pairing and asking need neither models nor a database.
    from door_terminal import controller  # noqa: PLC0415 - see above

    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s %(message)s")
    settings = _settings(camera_loop=loop, **given)
    _plainly(lambda: controller.run(settings, lambda url: click.echo(f"ready {url}")))


@door.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder.")
def status(*, as_json: bool, data: Path | None) -> None:
    """Ask the running door how it is."""
    state = _ask(_settings(data=data), "GET", "/state")
    if as_json:
        click.echo(json.dumps(state))
        return
    for label, value in _for_people(state):
        click.echo(f"{label:<14} {value}")


@door.command()
@click.option("--unit", required=True, help="Number of the unit.")
@click.option("--pin", prompt="PIN", hide_input=True, help="Asked for when left out.")
@click.option("--data", type=click.Path(path_type=Path), help="Data folder.")
def pin(unit: str, pin: str, data: Path | None) -> None:
    """Enter a PIN at the running door, as on its pad."""
    outcome = _ask(_settings(data=data), "POST", "/pin", {"unit": unit, "pin": pin})
    click.echo(outcome["message"]["en"])
    if not outcome["granted"]:
        raise click.exceptions.Exit(1)


_INPUT_WORDS: Final = {True: "active", False: "not active", None: "not known"}
_READER_WORDS: Final = {"": "fine", "card-reader-none": "none"}
_LOOKING_WORDS: Final = {
    "slow": "slower, outside of the door's hours",
    "off": "not for faces, outside of the door's hours",
}
_CAMERA_WORDS: Final = {"": "fine", "camera-none": "none; PINs open"}


def _pack_in_words(state: Mapping[str, Any]) -> str:
    runs, wanted, problem = (
        state[key] for key in ("model_pack", "model_pack_wanted", "model_pack_problem")
    )
    if runs in {"", wanted}:
        return f"{runs or 'none yet'}" + (f" ({problem})" if problem else "")
    return f"{runs}, since {wanted} does not come up here ({problem or 'changing'})"


def _link_in_words(state: Mapping[str, Any]) -> str:
    if state["link"]:
        return "connected"
    return "down; the door goes on without" + (", and more slowly" if state["slow"] else "")


def _health_in_words(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    if state["looking"]:
        yield "looking", _LOOKING_WORDS[state["looking"]]
    if state["decisions_timed"]:
        last = f"of the last {state['decisions_timed']} by face"
        yield "decisions", f"{state['decision_ms']:.0f} ms, median {last}"
    if state["disk_free"] is not None:
        yield "disk", f"{state['disk_free'] / 1024**3:.1f} GiB free"
    if state["temperature_c"] is not None:
        yield "temperature", f"{state['temperature_c']:.0f} °C"
    yield "software", state["software"]


def _for_people(state: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Say a door's state in words; `--json` has all of it."""
    yield "door", state["door"] or "not configured yet"
    yield "id", state["id"]
    if state["locked_down"]:
        yield "lockdown", "in force: nobody is let in"
    if not state["key"]:
        yield "key", "awaited from the server: nobody is known until it comes"
    yield "link", _link_in_words(state)
    yield "roster", f"{state['people']} people, version {state['roster_version']}"
    yield "time", "known" if state["time_known"] else "unknown until the server says it"
    yield "camera", _CAMERA_WORDS.get(state["camera"], state["camera"])
    yield "vision", state["vision"] or "fine"
    yield "card reader", _READER_WORDS.get(state["card_reader"], state["card_reader"])
    yield "gate", state["gate"] or "fine"
    for name, active in state["inputs"].items():
        yield f"{name} input", _INPUT_WORDS[active]
    if state["alarms"]:
        yield "alarms", ", ".join(state["alarms"])
    since = f"for {state['mode_for_s'] / 3600:.1f} h"
    yield "matching", f"{state['mode']} {since}, {state['template_space'] or 'no model yet'}"
    yield "model pack", _pack_in_words(state)
    if state["detect_ms"]:
        yield "speed", f"detect {state['detect_ms']:.0f} ms, encode {state['encode_ms']:.0f} ms"
    yield from _health_in_words(state)
    yield "not yet sent", f"{state['unsent']} entries"
    yield "up for", f"{state['uptime_s'] / 3600:.1f} h"
    if state["last"] is not None:
        yield "last", state["last"]["message"]["en"]


def _ask(settings: Settings, method: str, path: str, body: object = None) -> dict[str, Any]:
    address = settings.data / "door.url"
    try:
        url = address.read_text("utf-8")
        response = httpx.request(method, url + path, json=body, timeout=30, trust_env=False)
        response.raise_for_status()
    except (OSError, httpx.HTTPError) as error:
        raise click.ClickException(
            f"no door runs on {settings.data}; start it with 'gatehouse door run'"
        ) from error
    answer: dict[str, Any] = response.json()
    return answer
