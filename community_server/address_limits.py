"""How much one address may ask of this server, whoever is behind it, each limit with its reason."""

from dataclasses import dataclass, field
from typing import Final

from tier_kit.forms.limits import RateLimit

LINKS_PER_MINUTE: Final = 600
"""Links that one address may open. A switch that restarts brings each door a few times, and behind
a router hundreds of them have one address; beyond that, handshakes cost more than they bring."""

PAIRINGS_PER_MINUTE: Final = 30
"""Attempts at pairing that one address may make: an installer pairs a workshop's doors one after
the other. Guessing is not what this stops: five wrong tries close every open code."""


@dataclass(frozen=True)
class AddressLimits:
    """Buckets by address, in memory alone, under a keyed hash."""

    requests: RateLimit
    links: RateLimit = field(default_factory=lambda: RateLimit(LINKS_PER_MINUTE))
    pairings: RateLimit = field(default_factory=lambda: RateLimit(PAIRINGS_PER_MINUTE))
