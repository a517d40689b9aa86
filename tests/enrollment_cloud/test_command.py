"""The operator's commands, and the limits that the settings set."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner, Result
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from enrollment_cloud.command import cloud as command
from tests.enrollment_cloud.cloud_process import CloudProcess
from tier_link.channel import dial_pairing
from tier_link.errors import PairingRefused


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GATEHOUSE_CONFIG", raising=False)


def call(*arguments: str) -> Result:
    return CliRunner().invoke(command, arguments)


def listed() -> list[dict[str, str]]:
    rows: list[dict[str, str]] = json.loads(call("communities", "--json").stdout)
    return rows


def test_pairing_prints_an_id_and_a_code() -> None:
    facts: dict[str, Any] = json.loads(call("pair", "Sunny Court", "--json").stdout)
    assert facts["community"].startswith("sunny-court-")
    assert len(facts["code"]) == 19
    assert 0 < facts["expires_at"] - time.time() <= 600
    assert [(row["community"], row["state"]) for row in listed()] == [
        (facts["community"], "unpaired")
    ]


def test_people_read_the_code_too() -> None:
    said = call("pair", "阳光小区").stdout
    assert "Pairing code:" in said
    assert "阳光小区" in said
    assert "unpaired" in call("communities").stdout


def test_pairing_again_keeps_the_id() -> None:
    first = json.loads(call("pair", "Sunny Court", "--json").stdout)
    again = json.loads(call("pair", "--again", first["community"], "--json").stdout)
    assert again["community"] == first["community"]
    assert again["code"] != first["code"]


def test_revoking_is_for_good() -> None:
    facts = json.loads(call("pair", "Sunny Court", "--json").stdout)
    assert call("revoke", facts["community"]).exit_code == 0
    assert [row["state"] for row in listed()] == ["revoked"]
    assert call("pair", "--again", facts["community"]).exit_code == 1


def test_a_restored_database_begins_a_new_epoch() -> None:
    epochs = [int(call("restored").stdout.split()[-1].rstrip(".")) for _ in range(2)]
    assert epochs[0] < epochs[1]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("revoke", "nobody"), "no community 'nobody'"),
        (("pair", "--again", "nobody"), "no community 'nobody'"),
        (("pair", " "), "1 to 100 characters"),
    ],
)
def test_a_mistake_is_answered_in_a_sentence(arguments: tuple[str, ...], says: str) -> None:
    result = call(*arguments)
    assert (result.exit_code, says in result.stderr) == (1, True)


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_CLOUD_PORT", "many")
    result = call("communities")
    assert (result.exit_code, "port" in result.stderr) == (1, True)


def test_a_database_of_another_kind_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GATEHOUSE_CLOUD_DATABASE", "mysql://localhost/x")
    for arguments in (("communities",), ("pair", "x"), ("run",)):
        result = call(*arguments)
        assert (result.exit_code, "not supported" in result.stderr) == (1, True)


def test_a_database_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    nowhere = "postgresql+psycopg://nobody:secret@127.0.0.1:1/none"
    monkeypatch.setenv("GATEHOUSE_CLOUD_DATABASE", nowhere)
    result = call("communities")
    assert (result.exit_code, "database cannot be used" in result.stderr) == (1, True)
    assert "secret" not in result.stderr


def test_a_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = call("run", "--port", str(port))
    assert (result.exit_code, f"port {port}" in result.stderr) == (1, True)


@pytest.fixture
def strict_cloud(tmp_path: Path) -> Iterator[CloudProcess]:
    process = CloudProcess(
        tmp_path,
        f"sqlite:///{tmp_path}/data/cloud.sqlite",
        extra={"GATEHOUSE_CLOUD_READS_PER_MINUTE": "3"},
    )
    process.start()
    yield process
    process.kill()


def test_an_address_that_asks_too_often_is_told_when_to_come_back(
    strict_cloud: CloudProcess,
) -> None:
    path = "/api/v1/communities/nowhere-0000"
    for _ in range(3):
        assert strict_cloud.get(path).status_code == 404
    refused = strict_cloud.get(path)
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "rate-limited")
    assert int(refused.headers["retry-after"]) > 0
    # Behind a trusted proxy it is the proxy's word that counts.
    elsewhere = strict_cloud.get(path, headers={"x-forwarded-for": "198.51.100.7"})
    assert elsewhere.status_code == 404
    assert "198.51.100.7" not in strict_cloud.log.read_text()


def test_guessing_codes_is_slow_and_uses_them_up(strict_cloud: CloudProcess) -> None:
    code = strict_cloud.register("Sunny Court")["code"]
    why = [refusal(strict_cloud, "0000-0000-0000-0000") for _ in range(5)]
    assert why == ["pairing-code-unknown"] * 5
    assert refusal(strict_cloud, code) == "pairing-code-used-up"
    for _ in range(4):
        refusal(strict_cloud, code)
    with pytest.raises(Exception, match="403"):
        refusal(strict_cloud, code)


def refusal(cloud: CloudProcess, code: str) -> str:
    with pytest.raises(PairingRefused) as refused:
        asyncio.run(
            dial_pairing(
                f"{cloud.link_address}/pair",
                code,
                role="server",
                private_key=Ed25519PrivateKey.generate(),
                name="",
            )
        )
    return refused.value.code


def test_the_operators_description_of_a_wrong_request_holds_nothing_of_it(
    strict_cloud: CloudProcess,
) -> None:
    secret = "canary-in-the-query"  # noqa: S105  # a word to look for
    answer = httpx.put(f"{strict_cloud.api}/a/envelopes/b", params={"key": secret}, trust_env=False)
    assert answer.status_code == 400
    assert secret not in answer.text
    assert secret not in strict_cloud.log.read_text()
