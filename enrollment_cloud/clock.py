"""The wall clock."""

import time


def unix_now() -> int:
    """Return the time in Unix seconds."""
    return int(time.time())
