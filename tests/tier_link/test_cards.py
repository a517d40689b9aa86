"""Whatever way a reader writes a number, it is one number, and junk is none."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tier_link.cards import MAX_NUMBER, card_tag, read_number
from tier_link.errors import CardRefused

KEY = bytes(range(32))


ONE = "12345678 0012345678 BC614E 0x00bc614e 188,24910 188:24910 188/24910 188-24910"
JUNK = (
    "0 0000000000 188, ,24910 256,1 1,65536 12345678901234567890123 0x 18446744073709551616 12G4 "
    "1.5 -5 188,24,910 0x10000000000000000 BC614E,5 12?45 \x00123 \uff11\uff12"
)


@pytest.mark.parametrize("text", [*ONE.split(), " 0012345678\r", "188 24910"])
def test_every_way_of_writing_one_number_is_that_number(text: str) -> None:
    assert read_number(text) == 12_345_678


def test_digits_alone_are_read_as_the_reader_writes_them() -> None:
    assert read_number("00614991") == 614_991
    assert read_number("00614991", hexadecimal=True) == 0x614991


@pytest.mark.parametrize("text", [*JUNK.split(), "", "1" * 33])
def test_junk_is_no_number(text: str) -> None:
    for hexadecimal in (False, True):
        with pytest.raises(CardRefused):
            read_number(text, hexadecimal=hexadecimal)


@given(st.integers(1, MAX_NUMBER))
def test_decimal_and_hexadecimal_lead_to_the_same(number: int) -> None:
    assert read_number(str(number)) == number
    assert read_number(f"{number:X}", hexadecimal=True) == number
    assert read_number(f"0x{number:x}") == number


@given(st.text(max_size=40))
def test_no_text_leads_to_anything_but_a_number_or_a_refusal(text: str) -> None:
    with contextlib.suppress(CardRefused):
        assert 0 < read_number(text) <= MAX_NUMBER


def test_a_tag_is_the_estates_own_and_as_documented() -> None:
    assert card_tag(KEY, 12_345_678) != card_tag(KEY[::-1], 12_345_678)
    assert card_tag(KEY, 12_345_678).hex() == "98683da00c6f2109ab6bff619094b7d2"
