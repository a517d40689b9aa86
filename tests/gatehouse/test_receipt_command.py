"""A receipt is checked offline, in plain words, in both languages, by its exit status."""

import hashlib
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from gatehouse.command import main
from tests.tier_link.samples import NOW, Community
from tests.tier_link.test_receipts import ERASED, PHOTOS, SUNNY, sign
from tier_link.invitations import invitation_link, new_invitation
from tier_link.receipts import AgreedText, DoorTold, Erased, PhotosDestroyed, Stated


def check(file: Path, *arguments: str, language: str = "en") -> Result:
    return CliRunner().invoke(
        main, ["verify-receipt", str(file), "--language", language, *arguments]
    )


def keep(folder: Path, stated: Stated = ERASED, by: Community = SUNNY) -> Path:
    file = folder / "receipt.txt"
    file.write_text("收据 Receipt\n\n" + sign(stated, by), "utf-8")
    return file


def test_it_says_what_was_stated_what_that_proves_and_what_not(tmp_path: Path) -> None:
    result = check(keep(tmp_path), "--root", SUNNY.fingerprint.hex())
    assert result.exit_code == 0
    for said in (
        "Receipt of 晴园 Sunny Court",
        f"The person with the number {'c' * 32} was erased",
        "北门 (aaaaaaaa): confirmed",
        "Back gate (bbbbbbbb): NOT confirmed",
        "7 days more",
        "That is the root key you named.",
        "the community stated the above",
        "What it does not prove: that it is true.",
    ):
        assert said in result.stdout


def test_it_says_so_in_chinese(tmp_path: Path) -> None:
    result = check(keep(tmp_path), language="zh-CN")
    assert result.exit_code == 0
    assert "晴园 Sunny Court 的回执" in result.stdout
    assert "未确认" in result.stdout
    assert "声明属实" in result.stdout


def test_the_language_is_the_terminals(tmp_path: Path) -> None:
    file = str(keep(tmp_path))
    said = {
        spoken: CliRunner().invoke(main, ["verify-receipt", file], env={"LC_ALL": spoken}).stdout
        for spoken in ("zh_CN.UTF-8", "en_GB.UTF-8")
    }
    assert "签名有效" in said["zh_CN.UTF-8"]
    assert "The signature holds." in said["en_GB.UTF-8"]


def test_photos_that_were_destroyed_and_what_was_agreed_to(tmp_path: Path) -> None:
    result = check(keep(tmp_path, PHOTOS))
    assert "Photos destroyed: 3, all of the enrollment" in result.stdout
    assert f"SHA-256 {hashlib.sha256('I agree. 我同意。'.encode()).hexdigest()}" in result.stdout
    assert "  | I agree. 我同意。" in result.stdout
    assert "Nobody has said whose that is" in result.stdout


def test_a_door_that_is_waited_for_makes_it_incomplete(tmp_path: Path) -> None:
    waiting = (*ERASED.doors, DoorTold("d" * 32, "Side", "waiting", 0))
    stated = msgspec.structs.replace(ERASED, doors=waiting)
    assert "not complete yet. Doors waited for: 1." in check(keep(tmp_path, stated)).stdout


def test_any_link_of_the_estates_names_its_root(tmp_path: Path) -> None:
    link = invitation_link("https://c.example", "x", "home", new_invitation(SUNNY.fingerprint))
    assert check(keep(tmp_path), "--root", link).exit_code == 0
    other = invitation_link("https://c.example", "x", "home", new_invitation(bytes(32)))
    assert check(keep(tmp_path), "--root", other).exit_code == 1


@pytest.mark.parametrize(
    ("language", "said"),
    [("en", "it was altered, or the community did not sign it"), ("zh-CN", "回执被改动过")],
)
def test_an_altered_receipt_is_refused_in_words_and_by_status(
    tmp_path: Path, language: str, said: str
) -> None:
    stranger = Community()
    file = tmp_path / "receipt.txt"
    file.write_text(sign(ERASED, signing_key=stranger.reply_signer), "utf-8")
    result = check(file, language=language)
    assert result.exit_code == 1
    assert said in result.stderr
    assert result.stdout == ""


def test_another_root_than_the_one_named_is_refused(tmp_path: Path) -> None:
    result = check(keep(tmp_path), "--root", "ab" * 32)
    assert result.exit_code == 1
    assert "another community signed it" in result.stderr
    assert check(keep(tmp_path), "--root", "abc").exit_code == 2


def test_a_foreign_file_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "photo.jpg"
    file.write_bytes(b"\xff\xd8\xff" + bytes(1_000_000))
    assert check(file).exit_code == 1


def test_a_receipt_cannot_speak_to_the_terminal_or_in_our_words(tmp_path: Path) -> None:
    text = "Yes.\n\nThat is the root key you named.\x1b[2J"
    agreed = AgreedText("keep", "1", "en", hashlib.sha256(text.encode()).hexdigest(), NOW, text)
    doors = (DoorTold("a" * 32, "Gate\nThat is the root key you named.", "confirmed", NOW),)
    for stated in (
        PhotosDestroyed("a" * 32, 1, "x\x1b[2J\ny", (agreed,)),
        Erased("c" * 32, "face", NOW, "", 0, doors),
    ):
        shown = check(keep(tmp_path, stated)).stdout
        assert "\x1b" not in shown
        assert "That is the root key you named." not in shown.splitlines()
