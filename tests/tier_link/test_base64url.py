import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.strategies import FUZZ
from tier_link.base64url import decode_base64url, encode_base64url


@FUZZ
@given(st.binary())
def test_bytes_go_out_and_back(data: bytes) -> None:
    assert decode_base64url(encode_base64url(data)) == data


@FUZZ
@given(st.text(max_size=20))
def test_any_text_is_the_one_spelling_of_its_bytes_or_refused(text: str) -> None:
    try:
        data = decode_base64url(text)
    except ValueError:
        return
    assert encode_base64url(data) == text


@pytest.mark.parametrize("text", ["A", "AA==", "AB", "AA\n", "A+8", "A/8", "é", " AA"])
def test_other_spellings_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="base64url"):
        decode_base64url(text)
