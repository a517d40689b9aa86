"""Who rings is remembered while they ring, with the newest picture alone."""

from community_server.calls.book import STALE_S, CallBook
from tier_link.estate_messages import CallRinging

CALL, OTHER = "c" * 32, "d" * 32


class Moment:
    now = 1000.0


def book() -> tuple[CallBook, Moment]:
    moment = Moment()
    return CallBook(lambda: moment.now), moment


def test_a_call_keeps_its_beginning_and_its_newest_picture() -> None:
    calls, moment = book()
    calls.take("door", CallRinging(CALL, 2500, b"one"))
    moment.now += 1
    calls.take("door", CallRinging(CALL, 3500, b"two"))
    calls.take("door", CallRinging(CALL, 3500, b"two"))
    calls.take("door", CallRinging(CALL, 3600))
    (ringing,) = calls.ringing()
    assert (ringing.call, ringing.door, ringing.still, ringing.picture) == (CALL, "door", b"two", 2)
    assert calls.rung_s(ringing) == 3
    assert "two" not in repr(ringing)


def test_another_call_at_the_same_door_begins_without_a_picture() -> None:
    calls, _ = book()
    calls.take("door", CallRinging(CALL, 0, b"one"))
    calls.take("door", CallRinging(OTHER, 0))
    assert calls.find(CALL) is None
    found = calls.find(OTHER)
    assert found is not None
    assert (found.still, found.picture) == (b"", 0)


def test_a_call_ends_with_its_word_with_its_link_or_with_silence() -> None:
    calls, moment = book()
    for door in ("word", "link", "silence"):
        calls.take(door, CallRinging(CALL, 0))
    calls.take("word", CallRinging("", 0))
    calls.forget("link")
    assert [one.door for one in calls.ringing()] == ["silence"]
    moment.now += STALE_S
    assert calls.ringing() == []
    assert calls.find(CALL) is None


def test_whoever_has_rung_longest_comes_first() -> None:
    calls, _ = book()
    calls.take("new", CallRinging(OTHER, 100))
    calls.take("old", CallRinging(CALL, 9000))
    assert [one.door for one in calls.ringing()] == ["old", "new"]
