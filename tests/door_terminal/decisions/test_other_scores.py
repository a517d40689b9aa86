"""What a door counts of other people's scores outlives a restart and names nobody."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from door_terminal.database import CountedScoresRow, open_door_database
from door_terminal.decisions.other_scores import OtherScores
from tests.door_terminal.samples import SPACE


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return open_door_database(f"sqlite:///{tmp_path / 'door.sqlite'}")


def test_counts_are_kept_and_told(engine: Engine) -> None:
    scores = OtherScores(engine)
    for score in (0.31, 0.318, 0.52):
        scores.note(SPACE, score, 40)
    scores.save()
    for holder in (scores, OtherScores(engine)):
        told = holder.message(SPACE)
        assert (told.template_space, told.compared, sum(told.counts)) == (SPACE, 120, 3)
        assert (told.counts[31], told.counts[52]) == (2, 1)


def test_another_template_space_begins_anew_and_the_old_counts_go(engine: Engine) -> None:
    scores = OtherScores(engine)
    scores.note(SPACE, 0.3, 40)
    scores.save()
    scores.note("another", 0.4, 40)
    scores.save()
    assert sum(scores.message("another").counts) == 1
    assert sum(OtherScores(engine).message(SPACE).counts) == 0


def test_nothing_but_counts_is_stored() -> None:
    columns = {column.name for column in CountedScoresRow.__table__.columns}
    assert columns == {"space", "counts", "compared"}
