"""Cards at a real door: they need a reader, and neither camera nor link."""

import os
from pathlib import Path

from tests.door_terminal.estate import Estate, eventually
from tests.door_terminal.processes import Door, gatehouse, in_step, running_door
from tests.door_terminal.samples import QUICK, configured, person
from tests.support.card_readers import plugged_in
from tier_link.cards import card_tag
from tier_link.estate_messages import Zone

KEY = bytes(range(32))
FOB, SPARE, PIN, UNIT = 12_345_678, 24_910, "482915", "3-1-1201"


def test_a_card_opens_with_vision_dead_and_the_link_down_and_a_reader_is_found_again(
    estate: Estate, data: Path, tmp_path: Path
) -> None:
    estate.configure(
        configured(card_allowed=True, card_key=KEY, zone=Zone(cooldown_s=0), gate_open_s=0.5)
    )
    cards_held = (card_tag(KEY, FOB), card_tag(KEY, SPARE))
    estate.enroll(person("a", cards=cards_held, unit=UNIT, pin=QUICK.hash(PIN)))
    camera = tmp_path / "camera"
    os.mkfifo(camera)  # opening it hangs, as a driver may
    path = tmp_path / "reader"
    wired = {"card_reader": f"serial:{path}?baud=9600"}
    with running_door(data, "--camera", str(camera), **wired) as door:
        in_step(estate)
        assert reader(door) == ("card-reader-lost", False)
        assert door.pin(UNIT, PIN)["granted"]  # without a reader the rest works
        with plugged_in(path) as cards:
            eventually(lambda: reader(door) == ("", True))
            door.vision().kill()
            estate.down()
            cards.write("0012345678\r\n" * 3)
            eventually(lambda: len(door.openings()) == 2)
            cards.write("0099999999\r\n")
            eventually(lambda: (door.state()["last"] or {})["reason"] == "credential-unknown")
        eventually(lambda: reader(door) == ("card-reader-lost", False))
        with plugged_in(path) as cards:
            eventually(lambda: reader(door) == ("", True))
            cards.write("0,24910\r")
            eventually(lambda: len(door.openings()) == 3)
        estate.up()
        eventually(lambda: len(estate.entries) == 4)
        assert [(one.credential, one.granted) for one in estate.entries] == [
            ("pin", True),
            ("card", True),
            ("card", False),
            ("card", True),
        ]
        assert door.stop() == 0


def test_a_setting_that_names_no_reader_is_said_at_the_start(data: Path, tmp_path: Path) -> None:
    os.environ["GATEHOUSE_DOOR_CARD_READER"] = "serial:COM3"
    try:
        ran = gatehouse("door", "run", "--data", str(data), "--port", "0", cwd=tmp_path)
    finally:
        del os.environ["GATEHOUSE_DOOR_CARD_READER"]
    assert ran.returncode == 1
    assert "'serial:COM3' is no card reader" in ran.stderr


def reader(door: Door) -> tuple[str, bool]:
    state = door.state()
    return state["card_reader"], state["cards"]
