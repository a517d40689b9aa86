"""`gatehouse demo`: the main job on this machine, then an estate to play with."""

import io
import json
import shutil
import signal
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

import click
import segno

from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import Demo, DemoFailed, Say
from gatehouse.lan import lan_address
from gatehouse.local_estate import USERNAME, EstateFailed, LocalEstate

# Easy to remember and to type into a phone; another is taken where one is in use.
CLOUD_PORT = 8000
SERVER_PORT = 8443


@click.command()
@click.option("--once", is_flag=True, help="Stop when all six people have been at the door.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")
@click.option("--camera", help="Add a second door with this camera: an index, address or file.")
@click.option("--lan", is_flag=True, help="Let phones on this network reach the form.")
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    help="Keep the data here instead of in a temporary folder.",
)
def demo(*, once: bool, as_json: bool, camera: str | None, lan: bool, folder: Path | None) -> None:
    """Run all three tiers here: enroll some people, open the gate for them and nobody else."""
    if camera is not None and not _may_be_a_camera(camera):
        raise click.BadParameter(f"there is no camera or file '{camera}'", param_hint="--camera")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    data = folder or Path(tempfile.mkdtemp(prefix="gatehouse-demo-"))

    def say(sentence: str) -> None:
        click.echo(sentence, err=as_json)

    try:
        with (
            LocalEstate(
                data,
                cloud_port=CLOUD_PORT,
                server_port=SERVER_PORT,
                lan=lan_address() if lan else "",
            ) as estate,
            CameraFeed() as feed,
        ):
            running = Demo(estate, feed, say)
            door = running.run()
            if as_json:
                click.echo(json.dumps(asdict(running.result), ensure_ascii=False))
            _report(running, say)
            if not once:
                _invite_user(estate, door, camera, say)
                signal.pause()
            sys.exit(0 if running.result.right else 1)
    except KeyboardInterrupt:
        say("\nStopped.")
    except (EstateFailed, DemoFailed) as failed:
        raise click.ClickException(f"{failed}\nThe tiers' logs are in {data}") from failed
    finally:
        if folder is None and sys.exc_info()[0] in {None, SystemExit, KeyboardInterrupt}:
            shutil.rmtree(data, ignore_errors=True)


def _may_be_a_camera(camera: str) -> bool:
    """Say whether this is an index, a network address, or a file or folder that is there."""
    return camera.isdecimal() or "://" in camera or Path(camera).exists()


def _report(running: Demo, say: Say) -> None:
    result = running.result
    say(f"Enrolled: {', '.join(result.enrolled)}")
    say(f"Admitted: {', '.join(result.admitted) or 'nobody'}")
    say(f"Refused:  {', '.join(result.refused) or 'nobody'}")
    say("The impact assessment was signed by the demo, as the privacy officer would.")
    say("Liveness is off for this door: a photo held before the camera would open it.")


def _invite_user(estate: LocalEstate, door: str, camera: str | None, say: Say) -> None:
    with estate.staff() as staff:
        link = staff.call(
            "POST",
            "invitations",
            {"kind": "resident", "name": "Guest of the demo", "unit": "1-102"},
        )["link"]
    say("")
    say("ready")
    say(f"  Enroll yourself:  {link}")
    say(f"  Staff console:    {estate.server_address}  ({USERNAME} / {estate.password})")
    say(f"  The door's page:  http://127.0.0.1:{estate.door_ports[door]}")
    if camera is not None:
        second = estate.add_door("Your camera", camera, gate="simulated")
        say(f"  Your camera's:    http://127.0.0.1:{estate.door_ports[second]}")
    if estate.lan:
        code = io.StringIO()
        segno.make(link, micro=False).terminal(code, compact=True)
        say(code.getvalue())
        say("Phones will warn about the form's certificate too: it was made for this demo alone.")
    say("The console's certificate is the community's own; your browser will ask about it once.")
    if camera is None:
        say("No camera of yours is used; 'gatehouse demo --camera 0' adds a webcam as a door.")
    say("Approve yourself in the console, then look into your camera. Ctrl-C stops.")
