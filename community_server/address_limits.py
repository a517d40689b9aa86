"""How much one address may ask of this server, whoever is behind it, each limit with its reason."""

from dataclasses import dataclass, field
from typing import Final

from tier_kit.forms.limits import RateLimit

LINKS_PER_MINUTE: Final = 60
"""Links that one address may open. A door that is refused waits longer and longer; a server room's
switch that restarts brings each door, with an address of its own, a few times."""

PAIRINGS_PER_MINUTE: Final = 10
"""Attempts at pairing that one address may make: a wrong one costs every open code a try."""


@dataclass(frozen=True)
class AddressLimits:
    """Buckets by address, in memory alone, under a keyed hash."""

    requests: RateLimit
    links: RateLimit = field(default_factory=lambda: RateLimit(LINKS_PER_MINUTE))
    pairings: RateLimit = field(default_factory=lambda: RateLimit(PAIRINGS_PER_MINUTE))
