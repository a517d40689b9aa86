"""Groups and operators by command, as whoever has the machine makes them."""

import json

import pytest

from tests.enrollment_cloud.cloud_process import CloudProcess

pytestmark = pytest.mark.long


def test_a_group_gets_communities_and_staff(small_cloud: CloudProcess) -> None:
    group = small_cloud.command("add-group", "Harmony").strip()
    community = small_cloud.pair("Sunny Court", "--group", group)["community"]
    said = small_cloud.command("add-operator", "Ada", "--group", group)
    listed = [json.loads(line) for line in small_cloud.command("operators").splitlines()]
    assert {"group": group, "name": "Harmony"} in listed
    (ada,) = (one for one in listed if one.get("name") == "Ada")
    assert ada["operator"] in said
    assert (ada["group"], ada["state"]) == (group, "active")
    assert "revoked" in small_cloud.command("revoke-operator", ada["operator"])
    assert community.startswith("sunny-court-")
