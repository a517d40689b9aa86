"""The schedule as it is read and changed by whoever may."""

from collections.abc import Mapping

from community_server.estate import Estate
from community_server.retention.schedule import Kept, Kind, read_schedule, set_keep


def schedule_of(estate: Estate) -> dict[Kind, Kept]:
    """Return for how long everything is kept now."""
    with estate.reading() as session:
        return read_schedule(session, estate.settings)


def change_schedule(estate: Estate, staff: str, wanted: Mapping[str, int]) -> None:
    """Set what is wanted otherwise than it is, all of it or nothing.

    Raises:
        NotFound: `retention-unknown`.
        InputRefused: `keep-wrong`.
    """
    with estate.changer.change() as change:
        now = {
            kept.kind: kept.keep for kept in read_schedule(change.session, estate.settings).values()
        }
        for kind, keep in wanted.items():
            if now.get(kind) != keep:  # type: ignore[call-overload]
                set_keep(change, staff, kind, keep)
