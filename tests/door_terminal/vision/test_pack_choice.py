"""A terminal loads the estate's pack, and goes back to the one before if that does not come up."""

from pathlib import Path

import pytest

from door_terminal.vision.pack_choice import AGAIN_S, TRIES, UNSTEADY, PackChoice
from face_engine.models import DEFAULT_PACK

OLD, NEW = "opencv-zoo-int8", "buffalo_l"


class Choice:
    def __init__(self, folder: Path, fixed: str = "") -> None:
        self.folder = folder
        self.fixed = fixed
        self.now = 0.0
        self.estates = ""
        self.packs = self.restarted()

    def restarted(self) -> PackChoice:
        """Make the choice of a terminal that has just started, on the same disk."""
        file = self.folder / "vision-pack"
        return PackChoice(self.fixed, lambda: self.estates, file, lambda: self.now)

    def changed(self) -> PackChoice:
        """Let the old pack come up, and the estate then name the new one."""
        self.estates = OLD
        self.packs.came_up(OLD)
        self.estates = NEW
        return self.packs


@pytest.fixture
def choice(tmp_path: Path) -> Choice:
    return Choice(tmp_path)


def test_the_estates_pack_is_loaded_and_the_default_until_it_names_one(choice: Choice) -> None:
    assert choice.packs.next() == DEFAULT_PACK
    choice.estates = OLD
    assert choice.packs.next() == OLD


def test_the_installers_word_goes_before_the_estates(tmp_path: Path) -> None:
    choice = Choice(tmp_path, fixed=OLD)
    choice.estates = NEW
    for _ in range(2 * TRIES):
        choice.packs.failed(OLD, "models-missing")
    assert (choice.packs.next(), choice.packs.wanted, choice.packs.problem) == (OLD, OLD, "")


def test_a_pack_that_is_not_there_gives_way_to_the_one_before_at_once(choice: Choice) -> None:
    packs = choice.changed()
    packs.failed(NEW, "models-missing")
    assert (packs.next(), packs.wanted, packs.problem) == (OLD, NEW, "models-missing")


def test_a_pack_that_dies_again_and_again_gives_way_to_the_one_before(choice: Choice) -> None:
    packs = choice.changed()
    for _ in range(TRIES - 1):
        packs.failed(NEW)
        assert packs.next() == NEW
    packs.failed(NEW)
    assert (packs.next(), packs.problem) == (OLD, UNSTEADY)


def test_a_pack_that_came_up_begins_its_tries_anew(choice: Choice) -> None:
    packs = choice.changed()
    for _ in range(TRIES - 1):
        packs.failed(NEW)
    packs.came_up(NEW)
    for _ in range(2 * TRIES):  # there is no other now
        packs.failed(NEW)
    assert (packs.next(), packs.problem) == (NEW, "")


def test_what_did_not_come_up_is_tried_again_later(choice: Choice) -> None:
    packs = choice.changed()
    packs.failed(NEW, "models-missing")
    choice.now += AGAIN_S
    assert packs.next() == NEW
    packs.failed(NEW, "models-missing")
    assert packs.next() == OLD
    choice.now += AGAIN_S
    packs.came_up(NEW)
    assert (packs.next(), packs.problem) == (NEW, "")


def test_another_word_of_the_estates_is_heard_at_once(choice: Choice) -> None:
    packs = choice.changed()
    packs.failed(NEW, "models-missing")
    choice.estates = DEFAULT_PACK
    assert (packs.next(), packs.problem) == (DEFAULT_PACK, "")
    choice.estates = NEW
    assert packs.next() == OLD


def test_where_the_pack_before_does_not_run_either_the_wanted_one_is_tried_again(
    choice: Choice,
) -> None:
    packs = choice.changed()
    packs.failed(NEW, "models-missing")
    packs.failed(OLD, "model-damaged")
    assert packs.next() == NEW


def test_what_came_up_is_known_after_a_restart_too(choice: Choice) -> None:
    choice.changed()
    packs = choice.restarted()
    packs.failed(NEW, "licence-not-confirmed")
    assert packs.next() == OLD


@pytest.mark.parametrize("content", [b"", b"\xff\xfe"])
def test_a_note_that_cannot_be_read_counts_as_the_default(choice: Choice, content: bytes) -> None:
    (choice.folder / "vision-pack").write_bytes(content)
    assert choice.restarted().next() == DEFAULT_PACK


def test_a_disk_that_takes_no_note_keeps_no_pack_from_running(choice: Choice) -> None:
    (choice.folder / "vision-pack").mkdir()
    choice.estates = OLD
    choice.packs.came_up(OLD)
    choice.estates = NEW
    choice.packs.failed(NEW, "models-missing")
    assert choice.packs.next() == OLD
