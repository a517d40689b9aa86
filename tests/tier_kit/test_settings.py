"""What holds for the settings of all three tiers alike."""

from collections.abc import Callable
from pathlib import Path

import pytest
from click import Group
from click.testing import CliRunner

from community_server.command import server
from community_server.settings import Settings as ServerSettings
from door_terminal.command import door
from door_terminal.settings import Settings as DoorSettings
from enrollment_cloud.command import cloud
from enrollment_cloud.settings import Settings as CloudSettings
from tier_kit.settings import ConfigurationRefused, TierSettings

TIERS = pytest.mark.parametrize("tier", [CloudSettings, ServerSettings, DoorSettings])


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    file = tmp_path / "gatehouse.toml"
    monkeypatch.setenv("GATEHOUSE_CONFIG", str(file))

    def to_file(content: str) -> Path:
        file.write_text(content)
        return file

    return to_file


def refusal(tier: type[TierSettings], **given: object) -> str:
    with pytest.raises(ConfigurationRefused) as refused:
        tier.read(**given)
    assert refused.value.code == "configuration-malformed"
    return str(refused.value)


@TIERS
def test_a_misspelt_setting_is_refused_by_name(
    tier: type[TierSettings], write: Callable[[str], Path]
) -> None:
    write(f"[{tier.table}]\nprot = 9\n")
    assert refusal(tier) == f"there is no setting '{tier.table}.prot'"


@TIERS
def test_tables_of_other_tiers_are_not_looked_at(
    tier: type[TierSettings], write: Callable[[str], Path]
) -> None:
    write("[elsewhere]\nprot = 9\n")
    assert tier.read().database_url.endswith(f"/{tier.table}.sqlite")


@TIERS
def test_a_value_that_cannot_be_used_is_named_and_not_repeated(
    tier: type[TierSettings], write: Callable[[str], Path]
) -> None:
    write(f'[{tier.table}]\nport = "s3cret"\n')
    said = refusal(tier)
    assert said.startswith(f"the setting '{tier.table}.port' cannot be used: ")
    assert "s3cret" not in said


@TIERS
@pytest.mark.parametrize("content", ["not toml [", "{table} = 3"])
def test_a_broken_file_is_named(
    tier: type[TierSettings], content: str, write: Callable[[str], Path]
) -> None:
    file = write(content.format(table=tier.table))
    assert str(file) in refusal(tier)


@TIERS
def test_what_is_given_beats_the_environment_and_none_is_not_given(
    tier: type[TierSettings], write: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    write(f'[{tier.table}]\ndata = "file"\n')
    monkeypatch.setenv(f"GATEHOUSE_{tier.table.upper()}_DATA", "environment")
    assert tier.read(data=None).data == Path("environment")
    assert tier.read(data="argument").data == Path("argument")


@pytest.mark.parametrize(
    ("group", "arguments"),
    [(cloud, ["run"]), (cloud, ["communities"]), (server, ["setup-code"]), (door, ["status"])],
)
def test_commands_say_so_in_a_sentence(
    group: Group, arguments: list[str], write: Callable[[str], Path]
) -> None:
    write("".join(f"[{table}]\nprot = 9\n" for table in ("cloud", "server", "door")))
    result = CliRunner().invoke(group, arguments)
    assert result.exit_code == 1
    assert "there is no setting" in result.stderr
    assert "[configuration-malformed]" in result.stderr
