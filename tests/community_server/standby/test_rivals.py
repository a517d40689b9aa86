"""A server notices that another has taken over, and believes nobody who cannot know."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from sqlalchemy import update

from community_server.doors.service import add_door
from community_server.doors.tables import Door
from community_server.errors import LetterRefused, StartRefused
from community_server.setup.tables import Community
from community_server.standby import rivals as rivals_module
from community_server.standby.letters import EpochStated
from community_server.standby.notes import StandsBy, Superseded, drop_note, find_note, keep_note
from tests.community_server.bench import Bench
from tests.community_server.standby.admitted import admit
from tests.community_server.standby.test_letters import FIRST, SECOND


def pair_doors(bench: Bench, count: int) -> None:
    with bench.estate.changer.change() as change:
        for number in range(count):
            door = add_door(change.session, f"Gate {number}", "in")
            change.session.execute(update(Door).where(Door.id == door).values(state="paired"))


def note(bench: Bench) -> Superseded | None:
    return find_note(bench.estate.settings.data, Superseded)


def test_one_stolen_unit_stops_no_estate(own: Bench) -> None:
    pair_doors(own, 2)
    stopped: list[bool] = []
    own.estate.rivals.on_found(lambda: stopped.append(True))
    for _ in range(3):
        own.estate.rivals.hear("door-1")
    assert (note(own), stopped, own.estate.rivals.found) == (None, [], False)
    own.estate.rivals.hear("door-2")
    assert note(own) is not None
    assert (stopped, own.estate.rivals.found) == ([True], True)


def test_where_there_is_but_one_to_say_so_its_word_is_enough(own: Bench) -> None:
    with own.estate.changer.change() as change:
        change.session.execute(update(Community).values(cloud_key=None))
    pair_doors(own, 1)
    own.estate.rivals.hear("door-1")
    assert own.estate.rivals.found


@pytest.mark.parametrize(("later", "found"), [(-1, False), (0, False), (1, True)])
def test_the_other_servers_own_word_is_enough(
    own: Bench, monkeypatch: pytest.MonkeyPatch, later: int, *, found: bool
) -> None:
    admit(own)
    epoch = own.estate.links.epoch + later
    asked: list[str] = []

    def fetch(address: str, root: Ed25519PublicKey) -> EpochStated:
        del root
        asked.append(address)
        return EpochStated(b"n" * 32, epoch, serving=True)

    monkeypatch.setattr(rivals_module, "fetch_epoch", fetch)
    assert own.estate.rivals.ask() is found
    assert asked == [SECOND]
    expected = Superseded(note(own).at, epoch, SECOND) if found else None  # type: ignore[union-attr]  # it is there
    assert note(own) == expected


def test_who_does_not_answer_or_lies_changes_nothing(
    own: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not own.estate.rivals.ask()  # nobody to ask
    admit(own)

    def refuse(address: str, root: Ed25519PublicKey) -> EpochStated:
        raise LetterRefused(f"{address} {root}")

    monkeypatch.setattr(rivals_module, "fetch_epoch", refuse)
    assert not own.estate.rivals.ask()
    assert note(own) is None


def test_notes_outlast_a_restart_and_a_damaged_one_stops_it(tmp_path: Path) -> None:
    stands = StandsBy("a" * 32, FIRST, SECOND)
    assert find_note(tmp_path, StandsBy) is None
    keep_note(tmp_path, stands)
    keep_note(tmp_path, Superseded(7))
    assert find_note(tmp_path, StandsBy) == stands
    drop_note(tmp_path, StandsBy)
    drop_note(tmp_path, StandsBy)
    assert find_note(tmp_path, StandsBy) is None
    assert find_note(tmp_path, Superseded) == Superseded(7)
    (tmp_path / "superseded.json").write_text("{")
    with pytest.raises(StartRefused) as refused:
        find_note(tmp_path, Superseded)
    assert refused.value.code == "data-unusable"
