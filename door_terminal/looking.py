"""When this door looks for faces, and how often, by the hours that staff have set."""

from access_rules.schedules import within
from door_terminal.configuration import Configuration

AS_EVER = ""
SLOW = "slow"
OFF = "off"


def looking_at(configuration: Configuration, unix: int | None) -> str:
    """Return `AS_EVER` within the door's hours; outside of them `SLOW` or `OFF`.

    A door that does not know the time looks as ever: better too much than a resident shut out.

    Args:
        configuration: The one in force.
        unix: Seconds since 1970, or None.
    """
    if unix is None or within(configuration.hours, unix, configuration.rules.zone):
        return AS_EVER
    return configuration.wire.looking.outside
