"""The installer's guide is followed, from its first command to a first opening.

Commands, settings and units are those that stand there, with other folders and addresses. What
would change the system that runs the tests is not run; it stands in `NOT_RUN`, with the reason.
"""

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from community_server.settings import Settings as ServerSettings
from door_terminal.settings import Settings as DoorSettings
from face_engine.models import load_pack
from gatehouse.local_estate import wait_for
from gatehouse.sample_people import SamplePerson, sample_people
from gatehouse.scenes import walk_up
from gatehouse.staff_client import StaffClient
from tests.support.guided_site import (
    NOT_RUN,
    PASSWORD,
    USERNAME,
    Site,
    lines_of,
    new_site,
    phone,
    typed,
)
from tests.support.guides import GUIDES, ROOT, blocks_of

TIERS: Final = ("cloud", "server", "door")


def test_both_languages_have_the_same_commands_and_settings_in_the_same_order() -> None:
    english, chinese = (blocks_of(guide) for guide in GUIDES.values())
    assert english == chinese
    assert {block.language for block in english} == {"sh", "toml", "caddyfile"}
    assert {block.section for block in english} == {1, 2, 3, 4, 5, 6}


def test_every_line_can_be_read_by_the_shell_and_no_reason_is_left_over() -> None:
    lines = lines_of(blocks_of(GUIDES["en"]))
    for line in lines:
        subprocess.run(["bash", "-n", "-c", line], check=True)
    assert [begin for begin in NOT_RUN if not any(line.startswith(begin) for line in lines)] == []


def test_settings_in_the_guide_are_settings_of_the_tiers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = [block.text for block in blocks_of(GUIDES["en"]) if block.language == "toml"]
    (tmp_path / "gatehouse.toml").write_text("\n".join(written))
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(tmp_path / "gatehouse.toml"))
    assert ServerSettings.read().own_address == "https://192.0.2.11:8443"
    assert DoorSettings.read().gate == "gpio"


def test_what_the_guide_installs_is_there() -> None:
    named = re.findall(r"/opt/gatehouse/(deploy/\S+)", GUIDES["en"].read_text())
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("tier", TIERS)
def test_make_install_takes_the_locks_of_the_tier(tier: str) -> None:
    (line,) = (line for line in lines_of(typed(1)) if line.startswith("sudo make"))
    words = line.replace("TIER=door", f"TIER={tier}").split()[1:]
    said = subprocess.run(
        [*words, "--dry-run"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout
    assert f"deploy/requirements/{tier}.lock" in said
    assert "--require-hashes" in said
    for lock in re.findall(r"-r (\S+)", said):
        assert (ROOT / lock).is_file()


@pytest.mark.parametrize("tier", TIERS)
def test_units_pass_systemds_own_check(tier: str, tmp_path: Path) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("no systemd-analyze on this machine")
    unit = tmp_path / f"gatehouse-{tier}.service"
    text = (ROOT / "deploy/systemd" / unit.name).read_text()
    # The one thing that is checked against this machine: the command is somewhere else here.
    unit.write_text(text.replace("/opt/gatehouse/.venv/bin/gatehouse", "/bin/true"))
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], check=False, capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def catalogue(language: str) -> set[str]:
    """Every sentence that a person may be shown."""

    def sentences(branch: Any) -> Iterator[str]:
        if isinstance(branch, str):
            yield branch
        else:
            for twig in branch.values():
                yield from sentences(twig)

    files = ROOT.glob(f"*/locales/{language}.json")
    return {one for file in files for one in sentences(json.loads(file.read_text("utf-8")))}


@pytest.mark.parametrize(
    ("language", "names"),
    [("en", r"(?<!\*)\*([A-Z][^*\n]*)\*(?!\*)"), ("zh-CN", r"“([^”]+)”")],
    ids=["en", "zh-CN"],
)
def test_menus_and_buttons_are_named_as_the_pages_name_them(language: str, names: str) -> None:
    named = set(re.findall(names, GUIDES[language].read_text("utf-8")))
    remarks = {name for name in named if name.endswith(":") or name == "It worked when"}
    assert len(named - remarks) > 30
    assert named - remarks - catalogue(language) == set()


@pytest.fixture
def site(tmp_path: Path, models: Path) -> Iterator[Site]:
    """Three machines on which nothing is installed, at addresses of their own."""
    del models
    with new_site(tmp_path) as opened:
        yield opened


@pytest.mark.long
def test_followed_to_the_letter_the_guide_ends_with_a_first_opening(
    site: Site, models: Path
) -> None:
    people = {person.name: person for person in sample_people(load_pack(folder=models))}
    site.install()

    said = site.follow(2)
    assert '"status"' in next(text for line, text in said.items() if line.startswith("curl"))
    paired = said['gatehouse cloud pair "Sunny Court"']
    cloud_code = re.search(r"Pairing code: (\S+)", paired)
    assert cloud_code

    setup_code = site.follow(3)["gatehouse server setup-code"].strip()
    kit = set_up(site, setup_code, cloud_code[1])

    with site.staff() as staff:
        door = staff.call("POST", "doors", {"name": "North gate", "direction": "both"})["door"]
        code = staff.call("POST", f"doors/{door}/pairing")["code"]
    said = site.follow(4, code=code)
    assert any(text.startswith("paired door=") for text in said.values())
    site.await_people(0)
    status = site.door.run("gatehouse door status")
    assert re.search(r"^link +connected$", status, re.MULTILINE)
    wait_for("vision", lambda: sees(site))

    try_the_door(site, door)
    site.feed.show(walk_up(people["Bao"].cutout, np.random.default_rng(1), seconds=2.5))
    assert not wait_for("the camera's first face", lambda: entry_by_face(site, ""))["granted"]
    assert "problem" not in site.follow(5)["gatehouse doctor"]

    said = site.follow(6, secret=kit)
    assert len(list((site.server.root / "mnt/backups").iterdir())) == 2
    with site.staff() as staff:
        staff.call("POST", "recovery-kit/check", {"secret": kit})
        sign(staff)

    enroll(site, people["Ada"])
    known = site.openings
    site.feed.show(walk_up(people["Ada"].cutout, np.random.default_rng(0), seconds=2.5))
    assert wait_for("an entry", lambda: entry_by_face(site, "Ada"))["granted"]
    assert site.openings == known + 1


def set_up(site: Site, setup_code: str, cloud_code: str) -> str:
    """Section 3 in the console; return the recovery secret."""
    given = {"community_name": "Sunny Court", "username": USERNAME, "password": PASSWORD}
    with site.staff(signed_in=False) as staff:
        kit = staff.call("POST", "setup", {"code": setup_code, **given})
    cloud = f"http://{site.cloud.replaced['127.0.0.1:8440']}"
    with site.staff() as staff:
        staff.call("POST", "cloud", {"url": cloud, "code": cloud_code})
    secret: str = kit["recovery_secret"]
    return secret


def sees(site: Site) -> bool:
    status = json.loads(site.door.run("gatehouse door status --json"))
    return (status["camera"], status["vision"], status["gate"]) == ("", "", "")


def try_the_door(site: Site, door: str) -> None:
    """Section 5 by hand: open once from the desk, press the exit button, look at the line."""
    with site.staff() as staff:
        order = {"password": PASSWORD, "reason": "other", "note": "the gate is tried"}
        staff.call("POST", f"doors/{door}/open", order)
    assert site.openings == 1
    lines = site.door.root / "var/lib/gatehouse-door/inputs.json"
    lines.write_text('{"exit": true}')
    wait_for("the exit button", lambda: site.openings == 2)
    assert "exit input" in site.door.run("gatehouse door status")
    lines.write_text('{"exit": false}')


def sign(staff: StaffClient) -> None:
    """Section 7 in the console."""
    staff.call("PUT", "privacy/details", {"controller": "Sunny Property", "contact": "0755-1"})
    staff.call("POST", "session/proof", {"password": PASSWORD})
    staff.call("POST", "privacy/assessments", {"name": USERNAME})


def enroll(site: Site, person: SamplePerson) -> None:
    """Section 8: the resident's phone, and the desk that compares and approves."""
    wanted = {"kind": "resident", "name": person.name, "unit": "1-101"}
    with site.staff() as staff:
        link = staff.call("POST", "invitations", wanted)["link"]
        with phone(link, person) as replies:
            assert next(replies).outcome == "received"
            (waiting,) = staff.call("GET", "approvals")
            staff.call("POST", f"approvals/{waiting['id']}", {"decision": "approve"})
            assert next(replies).outcome == "enrolled"
    site.await_people(1)


def entry_by_face(site: Site, name: str) -> dict[str, Any] | None:
    """Return an entry by face of somebody of that name; of whoever is not known it is empty."""
    with site.staff() as staff:
        rows = staff.call("GET", "entries?limit=10")["entries"]
    return next((row for row in rows if (row["credential"], row["name"]) == ("face", name)), None)
