import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enrollment_cloud.enrollment.uploads import MAX_FORM, MAX_PARTS, read_form, read_sealed
from enrollment_cloud.limits import MAX_BYTES_IN_FLIGHT
from tier_kit.forms.errors import FormRefused, Malformed, TooLarge, WrongMediaType
from tier_kit.forms.limits import BodyBudget
from tier_link.relay_messages import MAX_SEALED
from tier_link.sealing import PADDED_SIZES, SEAL_OVERHEAD

SMALLEST = PADDED_SIZES[0] + SEAL_OVERHEAD


async def _pieces(body: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(body), size):
        yield body[start : start + size]


class _Never:
    """A body that must not be read."""

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        pytest.fail("the body was read")


def sealed(
    body: AsyncIterator[bytes],
    length: str | None = None,
    content_type: str = "application/octet-stream",
) -> bytes:
    return asyncio.run(
        read_sealed(
            body,
            content_type=content_type,
            content_length=length,
            budget=BodyBudget(MAX_BYTES_IN_FLIGHT),
        )
    )


def form(
    body: bytes,
    *,
    piece: int = 100,
    content_type: str | None = "multipart/form-data; boundary=bound",
    length: str | None = None,
) -> dict[str, bytes]:
    return asyncio.run(
        read_form(
            _pieces(body, piece),
            content_type=content_type,
            content_length=length,
            budget=BodyBudget(MAX_BYTES_IN_FLIGHT),
        )
    )


def part(name: str, value: bytes) -> bytes:
    head = f'--bound\r\ncontent-disposition: form-data; name="{name}"; filename="x"\r\n\r\n'
    return head.encode() + value + b"\r\n"


@pytest.mark.parametrize("size", PADDED_SIZES)
def test_every_padded_size_is_read_whole(size: int) -> None:
    body = bytes(size + SEAL_OVERHEAD)
    assert sealed(_pieces(body, 65536), str(len(body))) == body


def test_a_body_may_come_without_its_length() -> None:
    assert len(sealed(_pieces(bytes(SMALLEST), 1000))) == SMALLEST


@pytest.mark.parametrize(
    ("length", "code"),
    [
        (str(MAX_SEALED + 1), "body-too-large"),
        (str(SMALLEST - 1), "envelope-size-wrong"),
        ("0", "envelope-size-wrong"),
        ("-1", "request-malformed"),
        ("٣", "request-malformed"),
    ],
)
def test_a_wrong_length_is_refused_before_the_body_is_read(length: str, code: str) -> None:
    with pytest.raises(FormRefused) as refused:
        sealed(_Never(), length)
    assert refused.value.code == code


def test_another_media_type_is_refused_before_the_body_is_read() -> None:
    with pytest.raises(WrongMediaType):
        sealed(_Never(), str(SMALLEST), "image/jpeg")


def test_a_body_without_length_is_cut_off_at_the_limit() -> None:
    with pytest.raises(TooLarge):
        sealed(_pieces(bytes(MAX_SEALED + 1), 1 << 20))


def test_a_short_body_without_length_is_refused() -> None:
    with pytest.raises(Malformed):
        sealed(_pieces(bytes(SMALLEST - 1), 1000))


@given(
    st.dictionaries(st.from_regex(r"[a-z_-]{1,10}", fullmatch=True), st.binary(max_size=300)),
    st.integers(1, 200),
)
def test_a_form_is_read_however_it_is_cut(fields: dict[str, bytes], piece: int) -> None:
    fields = dict(list(fields.items())[:MAX_PARTS])
    wanted = {name: value for name, value in fields.items() if b"--bound" not in value}
    body = b"".join(part(name, value) for name, value in wanted.items())
    if wanted:
        assert form(body + b"--bound--\r\n", piece=piece) == wanted


@given(st.binary(max_size=400))
def test_bytes_that_are_no_form_are_refused_by_our_own_error(body: bytes) -> None:
    if b"--bound--" not in body:
        with pytest.raises(Malformed):
            form(body)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        part("a", b"1"),
        part("a", b"1") + part("a", b"2") + b"--bound--\r\n",
        part("", b"1") + b"--bound--\r\n",
        b"--bound\r\n\r\nnameless\r\n--bound--\r\n",
        b"".join(part(f"f{n}", b"") for n in range(MAX_PARTS + 1)) + b"--bound--\r\n",
        b"--bound\r\nx: " + b"y" * 5000 + b"\r\n\r\n\r\n--bound--\r\n",
    ],
    ids=["empty", "cut", "twice", "no name", "no headers", "many parts", "long header"],
)
def test_a_form_that_breaks_the_rules_is_refused(body: bytes) -> None:
    with pytest.raises(Malformed) as refused:
        form(body)
    assert refused.value.code == "form-malformed"


@pytest.mark.parametrize(
    "content_type",
    [None, "multipart/form-data", "application/json", "multipart/form-data; boundary="],
)
def test_a_body_that_names_no_boundary_is_no_form(content_type: str | None) -> None:
    with pytest.raises(WrongMediaType):
        form(b"", content_type=content_type)


def test_an_endless_boundary_is_refused() -> None:
    with pytest.raises(FormRefused):
        form(b"", content_type=f"multipart/form-data; boundary={'b' * 5000}")


def test_a_form_that_announces_too_much_is_refused() -> None:
    with pytest.raises(TooLarge):
        form(b"", length=str(MAX_FORM + 1))
