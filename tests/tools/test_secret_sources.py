"""A secret that is made somewhere and has no row in the table is named."""

from pathlib import Path

import pytest

from tools import secret_sources
from tools.secret_sources import secrets_without_a_row

TABLE = "| secret | holder |\n|---|---|\n| door's charm (256 bits) | door |\n"


@pytest.fixture(autouse=True)
def _little(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(secret_sources, "ROWS", {"charms.py": ("door's charm",)})
    monkeypatch.setattr(secret_sources, "NO_SECRET", {"ids.py": "ids"})
    monkeypatch.setattr(secret_sources, "SETTINGS", {})


def lacking(folder: Path, table: str = TABLE, **files: str) -> list[str]:
    texts = {"charms": "k = secrets.token_bytes(32)", "ids": "i = secrets.token_hex(8)"} | files
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text)
    return list(secrets_without_a_row(sorted(folder.glob("*.py")), folder, table))


def test_nothing_is_said_where_each_has_its_row(tmp_path: Path) -> None:
    assert lacking(tmp_path) == []


@pytest.mark.parametrize(
    "text",
    [
        "key = os.urandom(32)",
        "key = Ed25519PrivateKey.generate()",
        "key = ec.generate_private_key(ec.SECP256R1())",
        "key = HKDF(algorithm=SHA256())",
        "pin = secrets.randbelow(10)",
    ],
)
def test_a_place_that_nobody_has_entered_is_named(tmp_path: Path, text: str) -> None:
    (said,) = lacking(tmp_path, fresh=text)
    assert said.startswith("fresh.py makes or takes a secret")


def test_a_setting_named_like_a_secret_is_named(tmp_path: Path) -> None:
    (said,) = lacking(tmp_path, settings='class Settings:\n    gate_password: str = ""\n')
    assert said.startswith("settings.py")


def test_a_row_that_is_gone_and_an_entry_for_nothing_are_named(tmp_path: Path) -> None:
    (said,) = lacking(tmp_path, table="| secret |\n|---|\n")
    assert said == "docs/security.md has no row 'door's charm', which charms.py makes"
    (said,) = lacking(tmp_path, ids="i = 7")
    assert said == "tools/secret_sources.py names ids.py, which makes no secret"
