"""A contact that bounces is one change."""

from door_terminal.sensors.debounce import Debouncer


def changes(readings: list[tuple[float, bool | None]], steady_s: float = 0.03) -> list[float]:
    debouncer = Debouncer(steady_s)
    return [at for at, level in readings if debouncer.sample(level, at)]


def test_a_level_counts_once_it_has_lasted() -> None:
    bouncing: list[tuple[float, bool | None]] = [
        (0.00, False),
        (0.04, False),  # the first level that counts
        (0.10, True),
        (0.11, False),
        (0.12, True),
        (0.14, False),
        (0.15, True),
        (0.17, True),
        (0.19, True),
        (0.50, True),
    ]
    assert changes(bouncing) == [0.04, 0.19]


def test_what_cannot_be_read_changes_nothing() -> None:
    debouncer = Debouncer(0.03)
    for at, level in [(0.0, True), (0.05, True), (0.1, None), (5.0, None)]:
        debouncer.sample(level, at)
    assert debouncer.level is True
    assert debouncer.sample(False, 5.1) is False  # begins to be steady only now
    assert debouncer.sample(False, 5.2) is True


def test_without_debouncing_every_reading_counts() -> None:
    assert changes([(0.0, False), (0.1, True), (0.2, False)], steady_s=0.0) == [0.0, 0.1, 0.2]
