"""More faces than grants at one opening are a hint, and told once."""

from door_terminal.sensors.tailgating import TOLD_S, TailgateWatch


def opening(*faces: tuple[float, int], grants: tuple[tuple[str, float], ...]) -> list[str]:
    """Let a door shut at 10 s, with faces at their times; return the entries remarked on."""
    watch = TailgateWatch()
    for entry, at in grants:
        watch.granted(entry, at)
    for at, count in faces:
        watch.saw(count, at)
    watch.shut(10.0)
    assert list(watch.passed(10.0 + TOLD_S)) == []
    told = list(watch.passed(10.1 + TOLD_S))
    assert list(watch.passed(99.0)) == []
    return told


def test_two_faces_behind_one_grant_are_told() -> None:
    assert opening((5.0, 1), (7.0, 2), (9.0, 0), grants=(("a", 5.0),)) == ["a"]


def test_two_faces_with_a_grant_each_are_not() -> None:
    assert opening((5.0, 2), (7.0, 2), grants=(("a", 5.0), ("b", 6.0))) == []


def test_three_faces_behind_two_grants_are_told_of_the_later() -> None:
    assert opening((6.0, 3), grants=(("a", 5.0), ("b", 6.0))) == ["b"]


def test_faces_long_before_or_after_do_not_count() -> None:
    assert opening((3.0, 2), (5.0, 1), (11.5, 2), grants=(("a", 5.0),)) == []


def test_an_opening_without_a_grant_tells_of_nobody() -> None:
    assert opening((5.0, 4), grants=()) == []


def test_who_did_not_pass_belongs_to_no_later_opening() -> None:
    watch = TailgateWatch()
    watch.granted("a", 1.0)
    watch.forget()
    watch.granted("b", 8.0)
    watch.saw(2, 8.5)
    watch.shut(10.0)
    assert list(watch.passed(20.0)) == ["b"]
