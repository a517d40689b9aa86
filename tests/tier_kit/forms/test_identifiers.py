import pytest
from hypothesis import given
from hypothesis import strategies as st

from tier_kit.forms.errors import Malformed
from tier_kit.forms.identifiers import community_id, hex_id, key_id


@pytest.mark.parametrize("text", ["a", "sunny-court-4f2a", "a" * 64])
def test_a_slug_is_a_communitys_id(text: str) -> None:
    assert community_id(text) == text


@pytest.mark.parametrize("text", ["", "-a", "a-", "A", "a" * 65, "a/b", "a\n", "阳光"])
def test_anything_else_is_not(text: str) -> None:
    with pytest.raises(Malformed):
        community_id(text)


@given(st.binary(min_size=16, max_size=16))
def test_sixteen_bytes_in_hex_are_an_id(data: bytes) -> None:
    assert hex_id(data.hex()) == data.hex()


@given(st.text().filter(lambda text: len(text) != 32))
def test_text_of_another_length_is_no_id(text: str) -> None:
    with pytest.raises(Malformed):
        hex_id(text)


@pytest.mark.parametrize("text", ["", "a b", "k" * 65, "k\0"])
def test_a_key_id_is_short_and_plain(text: str) -> None:
    with pytest.raises(Malformed):
        key_id(text)
