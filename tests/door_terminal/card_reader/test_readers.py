"""What a serial line and a keyboard carry becomes numbers, whole ones only."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from door_terminal.card_reader.assembly import SILENCE_S, Assembly
from door_terminal.card_reader.keyboard import EV_KEY, EV_SYN, SYN_DROPPED, KeyboardReader
from door_terminal.card_reader.serial_port import SerialReader
from door_terminal.card_reader.sources import Source
from door_terminal.card_reader.watch import LOST, ReaderWatch
from tests.door_terminal.estate import eventually
from tests.support.card_readers import event, plugged_in, typed
from tier_link.cards import MAX_TEXT, read_number
from tier_link.errors import CardRefused

PATIENCE_S = 5.0


def test_a_serial_reader_is_read_to_the_last_character(tmp_path: Path) -> None:
    with plugged_in(tmp_path / "reader") as cards:
        reader = SerialReader(str(cards.path), 9600)
        cards.write(b"\x020012345678\r\n\x03" + b"00BC614E\xff\r")
        assert read_until(reader, "\n" * 4) == "0012345678\n\n\n00BC614E?\n"
        assert reader.read(0.01) == ""
        with pytest.raises(OSError, match="lock"):
            SerialReader(str(cards.path), 9600)  # it is ours alone
        reader.close()


def test_a_serial_reader_that_is_pulled_out_is_gone(tmp_path: Path) -> None:
    with plugged_in(tmp_path / "reader") as cards:
        reader = SerialReader(str(cards.path), 9600)
    with pytest.raises(OSError):  # noqa: PT011 - whatever the driver says
        reader.read(PATIENCE_S)
    reader.close()


@pytest.fixture
def keyboard(tmp_path: Path) -> Iterator[tuple[KeyboardReader, int]]:
    """A keyboard's device as far as bytes go, and the kernel's end of it."""
    path = tmp_path / "event3"
    os.mkfifo(path)
    reader = KeyboardReader(str(path), take=lambda _: None)
    kernel = os.open(path, os.O_WRONLY)
    yield reader, kernel
    reader.close()


def test_a_keyboards_presses_are_read_and_its_releases_and_repeats_are_not(
    keyboard: tuple[KeyboardReader, int],
) -> None:
    reader, kernel = keyboard
    os.write(kernel, typed("0012345678\n") + typed("188,24910\n") + typed("BC61\n"))
    assert read_until(reader, "\n\n\n") == "0012345678\n188,24910\nBC61\n"
    os.write(kernel, event(EV_KEY, 42, 1) + event(EV_KEY, 79, 1) + event(EV_KEY, 82, 1))
    assert reader.read(PATIENCE_S) == "10"  # shift, then the number pad


def test_half_an_event_waits_for_its_other_half(keyboard: tuple[KeyboardReader, int]) -> None:
    reader, kernel = keyboard
    whole = event(EV_KEY, 2, 1)
    os.write(kernel, whole[:11])
    assert reader.read(PATIENCE_S) == ""
    os.write(kernel, whole[11:])
    assert reader.read(PATIENCE_S) == "1"


def test_a_number_of_which_the_kernel_dropped_keys_is_none(
    keyboard: tuple[KeyboardReader, int],
) -> None:
    reader, kernel = keyboard
    os.write(kernel, typed("12") + event(EV_SYN, SYN_DROPPED, 0) + typed("34\n"))
    (text,) = Assembly().take(read_until(reader, "\n"), 0.0)
    with pytest.raises(CardRefused):
        read_number(text)


def test_a_keyboard_that_is_pulled_out_is_gone_and_what_is_none_is_not_taken(
    keyboard: tuple[KeyboardReader, int], tmp_path: Path
) -> None:
    reader, kernel = keyboard
    os.close(kernel)
    with pytest.raises(OSError, match="gone"):
        reader.read(PATIENCE_S)
    plain = tmp_path / "no-keyboard"
    plain.write_bytes(b"")
    with pytest.raises(OSError, match="ioctl"):
        KeyboardReader(str(plain))


def test_a_number_ends_with_a_terminator_or_with_silence() -> None:
    assembly = Assembly()
    assert list(assembly.take("12", 1.0)) == []
    assert list(assembly.take("34\n\n56\n7", 1.01)) == ["1234", "56"]
    assert list(assembly.take("", 1.02)) == []
    assert list(assembly.take("", 1.02 + SILENCE_S)) == ["7"]
    assert list(assembly.take("8\n", 2.0)) == ["8"]


def test_an_endless_number_is_cut_and_is_none() -> None:
    assembly = Assembly()
    for step in range(100):
        assert list(assembly.take("1" * 50, step / 100)) == []
    (text,) = assembly.take("\n", 1.0)
    assert len(text) == MAX_TEXT + 1
    with pytest.raises(CardRefused):
        read_number(text)


def test_a_reader_that_is_gone_is_found_again(tmp_path: Path) -> None:
    path, read = tmp_path / "reader", list[str]()
    failed = threading.Event()

    def take(text: str, read_ns: int) -> None:
        assert read_ns > 0
        read.append(text)
        if text == "13":
            failed.set()
            raise ValueError("a fault of ours")

    watch = ReaderWatch(lambda: SerialReader(str(path), 9600), take)
    watch.start()
    try:
        assert watch.state == LOST
        for written, known in (("13\r14\r", 2), ("15\r", 3)):
            with plugged_in(path) as cards:
                eventually(lambda: watch.state == "")
                cards.write(written)
                has_read(read, known)
                cards.write("99")  # pulled out in the middle of a number
            eventually(lambda: watch.state == LOST)
    finally:
        watch.stop()
    assert failed.is_set()
    assert read == ["13", "14", "15"]


def has_read(read: list[str], count: int) -> None:
    eventually(lambda: len(read) >= count)


def read_until(source: Source, ends: str) -> str:
    """Read until as many terminators have come."""
    text = ""
    while text.count("\n") < len(ends):
        part = source.read(PATIENCE_S)
        assert part, f"nothing more after {text!r}"
        text += part
    return text
