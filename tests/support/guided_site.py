"""Who follows the guide: types its commands at its machines, and copies its settings."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import httpx

from gatehouse.camera_feed import CameraFeed
from gatehouse.demo import submit_when_known
from gatehouse.enrollment_client import EnrollmentClient
from gatehouse.local_estate import free_port, wait_for
from gatehouse.sample_people import SamplePerson
from gatehouse.staff_client import StaffClient
from tests.support.guides import GUIDES, Block, blocks_of
from tests.support.machines import Machine
from tier_link.replies import Reply

NOT_RUN: Final = {
    "sudo apt-get update": "needs root and Debian's servers",
    "sudo apt-get install --yes ": "changes this system; read by bash alone",
    "sudo git clone ": "the tree under test stands in for the clone",
    "sudo make install TIER=": "downloads for minutes; make says what it would do",
    "sudo useradd ": "makes a user of this system; the test's own user stands in",
    "sudo groupadd ": "makes a group of this system",
    "sudo nano ": "an editor; the test writes what the next block says",
    "sudo systemctl daemon-reload": "no systemd runs here; the units are verified",
    "sudo systemctl reload caddy": "no Caddy is here; its file was not parsed",
}
"""What is not run, by how the line begins, and why."""
ENABLE: Final = "sudo systemctl enable --now "
"""Done by `Machine.start`: what the unit says, without systemd."""

MACHINE_OF: Final = {2: "cloud", 3: "server", 4: "door", 5: "door", 6: "server"}
"""At which machine a section's commands are typed; the first one's at each."""
CODE: Final = "XXXX-XXXX-XXXX-XXXX"
BACKUP: Final = "data-20261127T020000Z.gatehouse-backup"
PASSWORD: Final = "a calm horse reads slowly"  # noqa: S105 -- of a test's own estate
USERNAME: Final = "manager"


def typed(section: int, language: str = "en") -> list[Block]:
    return [block for block in blocks_of(GUIDES[language]) if block.section == section]


def lines_of(blocks: list[Block]) -> list[str]:
    texts = [block.text for block in blocks if block.language == "sh"]
    return [line for text in texts for line in text.splitlines()]


def is_run(line: str) -> bool:
    return not line.startswith((*NOT_RUN, ENABLE))


@dataclass(frozen=True)
class Site:
    """The guide's three machines, and the camera at the door."""

    cloud: Machine
    server: Machine
    door: Machine
    feed: CameraFeed

    def follow(self, section: int, language: str = "en", **given: str) -> dict[str, str]:
        """Type what a section says at its machine; return what each line printed.

        Args:
            section: its number.
            language: whose guide is read.
            **given: what the installer reads from another screen: `code`, `backup`, `secret`.
        """
        machine: Machine = getattr(self, MACHINE_OF[section])
        secrets = {"GATEHOUSE_RECOVERY_SECRET": given["secret"]} if "secret" in given else {}
        printed: dict[str, str] = {}
        for block in typed(section, language):
            if block.language == "toml":
                machine.write("/etc/gatehouse/gatehouse.toml", self._wired(block.text))
            for line in lines_of([block]):
                if line.startswith(ENABLE):
                    machine.start(line.removeprefix(ENABLE))
                    self._await(line.removeprefix(ENABLE))
                elif is_run(line):
                    if BACKUP in line:
                        given["backup"] = Path(printed["gatehouse server backup /mnt/backups"]
                                               .split()[1]).name  # fmt: skip
                    words = line.replace(CODE, given.get("code", CODE))
                    words = words.replace(BACKUP, given.get("backup", BACKUP))
                    printed[line] = machine.run(words, **secrets)
        return printed

    def install(self) -> None:
        """Do the first section at each machine."""
        for machine in (self.cloud, self.server, self.door):
            printed = [machine.run(line) for line in lines_of(typed(1)) if is_run(line)]
            assert printed[-1].startswith("gatehouse, version")

    def _wired(self, text: str) -> str:
        """Put the fake camera and the simulated lines in place of the guide's."""
        text = re.sub(r'^camera = ".*"$', f'camera = "{self.feed.url}"', text, flags=re.MULTILINE)
        text = text.replace('gate = "gpio"', 'gate = "simulated"')
        return re.sub(r'^(input_\w+) = ".*"$', r'\1 = "simulated"', text, flags=re.MULTILINE)

    def _await(self, service: str) -> None:
        """Wait as an installer does, whose next line takes a while to type."""
        addresses = {
            "gatehouse-cloud": self.door.replaced["127.0.0.1:8440"],
            "gatehouse-server": self.door.replaced["192.0.2.11:8443"],
        }
        if address := addresses.get(service):
            scheme = "https" if service == "gatehouse-server" else "http"
            wait_for(service, lambda: answers(f"{scheme}://{address}/health/live"))

    @property
    def console(self) -> str:
        return f"https://{self.server.replaced['192.0.2.11:8443']}"

    def staff(self, *, signed_in: bool = True) -> StaffClient:
        authority = (self.server.root / "var/lib/gatehouse-server/ca.pem").read_text()
        client = StaffClient.connect(self.console, authority_pem=authority)
        if signed_in:
            client.sign_in(USERNAME, PASSWORD)
        return client

    def door_row(self) -> dict[str, Any]:
        with self.staff() as staff:
            (row,) = staff.call("GET", "doors")
        found: dict[str, Any] = row
        return found

    def await_people(self, number: int) -> None:
        """Wait until the door is in step and holds so many people."""
        wait_for("the door in step", lambda: self._holds(number))

    def _holds(self, number: int) -> bool:
        row = self.door_row()
        return bool(row["in_step"]) and row["people"] == number

    @property
    def openings(self) -> int:
        log = self.door.root / "var/lib/gatehouse-door/gate.jsonl"
        return len(log.read_text().splitlines()) if log.exists() else 0


def answers(address: str) -> bool:
    try:
        return httpx.get(address, verify=False, trust_env=False).is_success  # noqa: S501 -- alive?
    except httpx.TransportError:
        return False


@contextmanager
def phone(link: str, person: SamplePerson) -> Iterator[Iterator[Reply]]:
    """Send somebody's photo by a link, as their phone does; yield the answers as they come."""
    with httpx.Client(timeout=30.0, trust_env=False) as http:
        client = EnrollmentClient(http)
        submission = submit_when_known(client, link, person)
        yield client.replies(submission, seconds=60.0)


@contextmanager
def new_site(folder: Path) -> Iterator[Site]:
    """Yield three machines on which nothing is installed; their services end with it."""
    cloud, server, door = (free_port() for _ in range(3))
    replaced = {
        "127.0.0.1:8440": f"127.0.0.1:{cloud}",
        "192.0.2.11:8443": f"127.0.0.1:{server}",
        "192.0.2.11": "127.0.0.1",
    }
    ports = {
        "GATEHOUSE_CLOUD_PORT": str(cloud),
        "GATEHOUSE_SERVER_PORT": str(server),
        "GATEHOUSE_DOOR_PORT": str(door),
    }
    at_cloud, at_server, at_door = (
        Machine(folder / name, replaced, ports) for name in ("cloud", "server", "door")
    )
    with CameraFeed() as feed:
        try:
            yield Site(at_cloud, at_server, at_door, feed)
        finally:
            for machine in (at_door, at_server, at_cloud):
                machine.stop()
