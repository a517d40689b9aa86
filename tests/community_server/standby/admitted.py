"""A server that has admitted a standby, as its row says."""

from typing import Any

from community_server.database import now
from community_server.standby.tables import Standby
from tests.community_server.bench import Bench
from tests.community_server.standby.test_letters import FIRST, SECOND


def admitted(**fields: Any) -> Standby:
    """Return the row of a standby that was heard just now."""
    usual = {
        "id": 1,
        "node": "a" * 32,
        "serving_address": FIRST,
        "address": SECOND,
        "asked_at": 1,
        "heard_at": now(),
        "newest": 1,
        "oldest": 1,
        "behind_s": 0,
    }
    return Standby(**usual | fields)


def admit(bench: Bench) -> None:
    """Let an estate know of a standby."""
    with bench.estate.changer.change() as change:
        change.session.merge(admitted())
