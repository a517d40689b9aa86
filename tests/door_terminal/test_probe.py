"""A terminal matches where its own speed says it should, unless told otherwise."""

import pytest

from door_terminal.probe import Speed, choose_mode, measure
from door_terminal.settings import Mode
from face_engine.models import FacePack


@pytest.mark.parametrize(
    ("speed", "mode"),
    [
        (Speed(10, 15), "local"),
        (Speed(50, 99), "local"),
        (Speed(100, 200), "hybrid"),
        (Speed(200, 400), "remote"),
        (None, "local"),
    ],
)
def test_auto_goes_by_speed(speed: Speed | None, mode: Mode) -> None:
    assert choose_mode("auto", speed, frames=2) == mode


@pytest.mark.parametrize("mode", ["local", "remote", "hybrid"])
def test_a_forced_mode_stays(mode: Mode) -> None:
    assert choose_mode(mode, Speed(1000, 1000), frames=2) == mode


def test_both_models_are_timed(pack: FacePack) -> None:
    speed = measure(pack.detector, pack.encoder)
    assert speed.detect_ms > 0
    assert speed.encode_ms > 0
