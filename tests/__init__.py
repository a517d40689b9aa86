"""The promises of each package, and of all together."""

import gatehouse  # noqa: F401 -- first, for what it tells numpy
