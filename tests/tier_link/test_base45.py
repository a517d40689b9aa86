import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.tier_link.strategies import FUZZ
from tier_link.base45 import decode_base45, encode_base45


@pytest.mark.parametrize(
    ("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581")]
)
def test_the_examples_of_rfc_9285_hold(data: bytes, text: str) -> None:
    assert encode_base45(data) == text
    assert decode_base45(text) == data


@FUZZ
@given(st.binary(max_size=300))
def test_bytes_go_out_and_come_back(data: bytes) -> None:
    assert decode_base45(encode_base45(data)) == data


@pytest.mark.parametrize("text", ["A", ":::", "::", "GGW", "ab", "A B\n", "ÄÄ", "BB8A"])
def test_what_is_not_base45_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not base45"):
        decode_base45(text)
