"""Reading a request's body whole, under limits, into memory alone."""

from collections.abc import AsyncIterator, Callable
from typing import Final

from tier_kit.forms.errors import Malformed, TooLarge, WrongMediaType
from tier_kit.forms.limits import BodyBudget, paced

BOX_TYPE: Final = "application/octet-stream"


async def read_box(
    chunks: AsyncIterator[bytes],
    *,
    content_type: str | None,
    content_length: str | None,
    budget: BodyBudget,
    most: int,
    fits: Callable[[int], bool],
) -> bytes:
    """Read a sealed box.

    Args:
        chunks: the body as it arrives.
        content_type: the request's header, if it has one.
        content_length: the same.
        budget: what the process may hold.
        most: bytes of the largest box.
        fits: whether a box can have so many bytes.

    Raises:
        WrongMediaType: not `application/octet-stream`.
        TooLarge: more than `most` bytes; the rest is not read.
        Malformed: a size that no box has (`envelope-size-wrong`); without a body being read
            when the request names its length.
        TooSlow: it did not arrive in time.
        Busy: too many bodies at once.
    """
    if (content_type or "").partition(";")[0].strip().lower() != BOX_TYPE:
        raise WrongMediaType("media-type-wrong")
    announced = announced_size(content_length, most)
    if announced is not None and not fits(announced):
        raise Malformed("envelope-size-wrong")
    # Twice: the chunks and the bytes made of them exist side by side for a moment.
    with budget.hold(2 * (announced or most)):
        body = bytearray()
        async for chunk in paced(chunks, announced or most):
            body += chunk
        if not fits(len(body)):
            raise Malformed("envelope-size-wrong")
        return bytes(body)


def announced_size(content_length: str | None, most: int) -> int | None:
    """Return how many bytes a request says that it has, None if it says nothing.

    Raises:
        Malformed: not a number (`request-malformed`).
        TooLarge: more than `most`.
    """
    if content_length is None:
        return None
    if not (content_length.isascii() and content_length.isdigit()):
        raise Malformed("request-malformed")
    if int(content_length) > most:
        raise TooLarge("body-too-large")
    return int(content_length)
