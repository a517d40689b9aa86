"""The gatehouse command; composes the tiers for the demo."""

import os

# Before numpy is imported, which reads it then. Our matrices are 128 wide: one thread turns one in
# two milliseconds, while several, on a machine that is busy, wait for each other for half a second.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
