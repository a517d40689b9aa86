"""Text that one of the databases could not hold is refused by both, whichever way it came."""

import pytest

from community_server.access.holidays import Day, list_holidays, put_days
from community_server.errors import InputRefused
from tests.community_server.bench import Bench


def test_text_with_a_nul_is_refused_and_nothing_of_its_change_stays(bench: Bench) -> None:
    days = [Day("2027-05-01", "Labour Day", "holiday"), Day("2027-05-02", "a\0b", "holiday")]
    with pytest.raises(InputRefused) as refused, bench.estate.changer.change() as change:
        put_days(change, days)
    assert refused.value.code == "text-unusable"
    with bench.estate.reading() as session:
        assert list_holidays(session) == []


def test_a_question_with_a_nul_is_refused_alike(bench: Bench) -> None:
    with pytest.raises(InputRefused), bench.estate.reading() as session:
        list_holidays(session, since="2027\0")
