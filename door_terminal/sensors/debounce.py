"""One level out of a contact that bounces: pure, with the time given."""


class Debouncer:
    """A level counts once it has been the same for long enough; what cannot be read counts not.

    Args:
        steady_s: How long.
    """

    def __init__(self, steady_s: float) -> None:
        self._steady_s = steady_s
        self.level: bool | None = None
        """The level that counts; None until the first does."""
        self._candidate: bool | None = None
        self._since = 0.0

    def sample(self, level: bool | None, at: float) -> bool:  # noqa: FBT001 - a reading
        """Take a reading at a time in seconds; say whether the level that counts has changed."""
        if level is None or level is self.level:
            self._candidate = None
            return False
        if level is not self._candidate:
            self._candidate, self._since = level, at
        if at - self._since < self._steady_s:
            return False
        self.level, self._candidate = level, None
        return True
