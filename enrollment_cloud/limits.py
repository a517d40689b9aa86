"""Limits that the cloud alone has, each with its reason; those of bodies and rates are shared."""

from datetime import timedelta
from typing import Final

ENVELOPE_LIFETIME: Final = timedelta(hours=24)
"""A sealed envelope that nobody fetched is deleted after this; the browser still has the
photos and the community has been away for a day."""

MAX_WAITING_BYTES_PER_COMMUNITY: Final = 1 << 30
"""1 GiB: some thousand enrollments while a community's link is down; bounds what one
community's leaked invitations can put into the shared database."""

PAIRINGS_PER_MINUTE: Final = 10
"""Attempts at pairing that one address may make: a wrong one costs every open code a try."""

MAX_HANDSHAKES: Final = 64
"""Handshakes of links under way in one process. It does some hundred a second, so each of these is
done well before its ten seconds are over; when thousands of estates dial at once, those beyond
are turned away while that costs next to nothing, and dial again within ten seconds."""

SIGN_INS_PER_MINUTE: Final = 10
"""Keys that one address may show at the operators' page: nobody guesses one, this spares work."""

MAX_BYTES_IN_FLIGHT: Final = 128 << 20
"""A body is in memory while it is read and stored; this bounds the process, not the person."""

MAX_UPLOADS_PER_COMMUNITY: Final = 16
"""Uploads of one community that a process works on at one time: an event in the estate's hall has a
few. A quarter of the bodies that fit, and fewer than half of the threads that answer, so that one
community's flood leaves the others room."""
