"""Each community's fair share of one process."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from tier_kit.forms.errors import Busy

_AGAIN_SECONDS: Final = 5


@dataclass
class CommunityShares:
    """How many uploads of each community are under way. Used on the event loop alone."""

    each: int
    _under_way: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def take(self, community: str) -> Iterator[None]:
        """Count one upload for as long as it takes.

        Raises:
            Busy: this community has as many under way as it may (`cloud-busy`).
        """
        if self._under_way[community] >= self.each:
            raise Busy("cloud-busy", retry_after=_AGAIN_SECONDS)
        self._under_way[community] += 1
        try:
            yield
        finally:
            self._under_way[community] -= 1
            if not self._under_way[community]:
                del self._under_way[community]
