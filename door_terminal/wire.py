"""Reading the estate's messages back as the type they must have."""

from typing import TypeVar

from tier_link.errors import MalformedMessage
from tier_link.estate_messages import ESTATE
from tier_link.messages import Message

M = TypeVar("M", bound=Message)


def read(message_type: type[M], body: bytes) -> M:
    """Read a body that is to hold one type of message.

    Raises:
        MalformedMessage: it holds something else.
    """
    message = ESTATE.decode(ESTATE.kind(message_type), body)
    if not isinstance(message, message_type):
        raise MalformedMessage(f"not a {message_type.__name__}")
    return message
