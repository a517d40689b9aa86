"""Whether the estate is locked down: the newest word counts, in whatever order words arrive."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, order=True)
class Lockdown:
    """One word of the estate's: that it is locked down, or that this is over.

    Of two words the greater counts: the one with the higher number, and of two with the same
    number, which only a server that was put back can have given, the one that locks.

    Attributes:
        number: Counts the words of the estate; 0 before the first.
        active: Whether the doors are to let nobody in.
    """

    number: int = 0
    active: bool = False

    def __post_init__(self) -> None:
        if self.number < 0 or (self.active and not self.number):
            raise ValueError("a lockdown has a number of its own, from 1 on")


NO_LOCKDOWN = Lockdown()


def newest(held: Lockdown, heard: Lockdown) -> Lockdown:
    """Return which of two words counts, whichever came first."""
    return max(held, heard)
