"""Sockets that deliver soon or not at all.

TCP sends again for minutes what a broken network does not carry, also after the program has given
up; an order to open would then arrive when whoever it was for has left.
"""

import socket


def give_up_after(seconds: float) -> tuple[int, int, int]:
    """Return the socket option that drops what the peer does not take in time.

    Linux: TCP_USER_TIMEOUT (RFC 5482), in milliseconds.
    """
    return (socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(seconds * 1000))
