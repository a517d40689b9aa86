"""A server whose disk is full to the last byte takes nothing in, says so, and catches up."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from gatehouse.local_estate import wait_for
from gatehouse.sample_people import SamplePerson
from tests.community_server.doubles import COMMUNITY, CloudDouble
from tests.community_server.server_process import Desk, run_server, start
from tests.community_server.whole_way import draft_for, pair_cloud, reply_to
from tests.support.small_disks import fill, make_read_only, small_disk
from tier_link.invitations import parse_link


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    with small_disk(tmp_path / "disk", megabytes=16) as disk:
        yield disk


@pytest.mark.long
def test_a_full_disk_is_said_to_whoever_asks_and_an_envelope_waits_for_room(
    disk: Path, models: Path, people: Sequence[SamplePerson], tmp_path: Path
) -> None:
    invitation = {"kind": "resident", "name": "Ada", "unit": "1-101"}
    with (
        CloudDouble(tmp_path) as cloud,
        run_server(disk / "data", database="", models=models) as server,
    ):
        desk = Desk(server)
        desk.set_up()
        desk.sign_in()
        pair_cloud(desk, cloud)
        link = desk.call("POST", "/api/v1/invitations", invitation)["link"]
        wait_for(
            "the invitation at the cloud", lambda: parse_link(link).invitation.id in cloud.open
        )

        filler = fill(disk)
        draft = draft_for(cloud, link, [people[0].portrait])
        cloud.deposit(draft.deposit())
        wait_for("the full disk", lambda: any("reason=disk-full" in line for line in server.log))
        for language, words in (("en", "disk is full"), ("zh-CN", "磁盘")):
            answer = desk.http.post(
                "/api/v1/invitations", json=invitation, headers={"accept-language": language}
            )
            error = answer.json()["error"]
            assert (answer.status_code, error["code"]) == (507, "disk-full")
            assert words in error["message"]
        assert cloud.store.waiting(COMMUNITY) == 1, "not acknowledged, so not deleted above"
        assert desk.call("GET", "/api/v1/approvals") == []
        assert len(desk.call("GET", "/api/v1/people")) == 1

        filler.unlink()
        assert reply_to(cloud, draft, 1, link).outcome == "received"
        wait_for("the acknowledgement", lambda: cloud.store.waiting(COMMUNITY) == 0)
        assert len(desk.call("GET", "/api/v1/approvals")) == 1
        desk.close()
    assert "Traceback" not in "".join(server.log)


def test_a_disk_that_takes_nothing_at_the_start_is_named_without_a_traceback(
    disk: Path, models: Path
) -> None:
    make_read_only(disk)
    process = start(disk / "data", database="", models=models, temporary=disk.parent / "tmp")
    _, said = process.communicate(timeout=60)
    assert process.returncode == 1
    assert f"{disk / 'data'} cannot be written: Read-only file system" in said
    assert "Traceback" not in said
