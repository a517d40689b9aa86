"""An installer names a reader in one line, and what makes no sense is said at the start."""

import pytest

from door_terminal.card_reader.sources import ReaderWiring
from door_terminal.errors import StartRefused


def test_a_reader_is_named_by_kind_path_and_how_it_writes() -> None:
    by_id = "/dev/input/by-id/usb-RFID_Reader-event-kbd"
    assert ReaderWiring.parse("serial:/dev/ttyUSB0") == ReaderWiring("serial", "/dev/ttyUSB0")
    assert ReaderWiring.parse("serial:/dev/ttyS1?baud=115200&format=hex") == ReaderWiring(
        "serial", "/dev/ttyS1", 115_200, hexadecimal=True
    )
    assert ReaderWiring.parse(f"keyboard:{by_id}?format=decimal") == ReaderWiring("keyboard", by_id)


NONE = (
    "serial serial: serial:ttyUSB0 usb:/dev/ttyUSB0 keyboard:/dev/x?baud=9600 "
    "serial:/dev/ttyUSB0?baud=9601 serial:/dev/ttyUSB0?baud=fast serial:/dev/ttyUSB0?parity=even "
    "serial:/dev/ttyUSB0?format=octal"
)


@pytest.mark.parametrize("text", ["", *NONE.split()])
def test_what_names_no_reader_is_refused(text: str) -> None:
    with pytest.raises(StartRefused) as refused:
        ReaderWiring.parse(text)
    assert refused.value.code == "configuration-malformed"
