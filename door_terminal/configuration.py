"""What the server has decided for this door, checked once and kept sealed."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import date
from math import isqrt
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from access_rules.calendars import WEEKDAYS, HolidayRule, Hours, SpecialDays
from access_rules.decision import DoorRules, LivenessPolicy
from access_rules.leases import LONGEST_LEASE_HOURS, LeasePolicy
from access_rules.people import Credential, Direction
from access_rules.schedules import WeeklyWindow
from door_terminal.database import THE_ONLY_ROW, ConfigurationRow, once_ended
from door_terminal.device_keys import DeviceKey
from door_terminal.wire import read
from tier_link.errors import CertificateRefused, MalformedMessage
from tier_link.estate_messages import ESTATE, DoorConfigured, PassRules
from tier_link.estate_messages import WeeklyWindow as WireWindow
from tier_link.passes import NO_PASSES, PassTrust
from tier_link.store import reading

_ORTHONORMAL_TOLERANCE = 1e-3  # float32 leaves some 1e-6; a wrong matrix is off by its whole size


@dataclass(frozen=True, slots=True, eq=False)
class Configuration:
    """A configuration as the door uses it.

    Attributes:
        wire: The server's message.
        rules: The part that decisions need.
        matrix: (d, d) float32 orthonormal, or None where the estate turns nothing.
        passes: By what passes are judged.
        hours: When faces are looked for as ever; none means always.
    """

    wire: DoorConfigured
    rules: DoorRules
    matrix: NDArray[np.float32] | None = field(repr=False)
    passes: PassTrust
    hours: tuple[WeeklyWindow, ...] = ()

    @classmethod
    def of(cls, wire: DoorConfigured) -> "Configuration":
        """Check a message.

        Raises:
            MalformedMessage: an unknown time zone, a matrix that is not orthonormal, hours that
                mean nothing, or a pass key that its root did not certify.
        """
        hours = wire.lease_hours
        try:
            zone = ZoneInfo(wire.time_zone)
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise MalformedMessage(f"no time zone {wire.time_zone!r}") from error
        return cls(
            wire=wire,
            rules=DoorRules(
                zone=zone,
                direction=Direction(wire.direction),
                accepts=_accepted(wire),
                leases=LeasePolicy(
                    resident_hours=min(hours.resident, LONGEST_LEASE_HOURS),
                    visitor_hours=min(hours.visitor, LONGEST_LEASE_HOURS),
                    service_worker_hours=min(hours.service, LONGEST_LEASE_HOURS),
                ),
                face_needs_second=wire.face_needs_second,
                liveness=LivenessPolicy(wire.liveness),
                groups={
                    one.group: Hours(_windows(one.windows), HolidayRule(one.on_holidays))
                    for one in wire.groups
                },
                days=_special_days(wire),
            ),
            matrix=_matrix(wire.matrix),
            passes=_pass_trust(wire.passes),
            hours=_windows(wire.looking.hours),
        )


def _accepted(wire: DoorConfigured) -> frozenset[Credential]:
    allowed = (
        (Credential.PIN, wire.pin_allowed),
        (Credential.PASS, wire.pass_allowed),
        (Credential.CARD, wire.card_allowed and bool(wire.card_key)),
    )
    return frozenset({Credential.FACE, *(one for one, accepted in allowed if accepted)})


def _windows(windows: Iterable[WireWindow]) -> tuple[WeeklyWindow, ...]:
    try:
        return tuple(
            WeeklyWindow(one.weekday_mask, one.start_minute, one.end_minute) for one in windows
        )
    except ValueError as error:
        raise MalformedMessage(f"hours of the week: {error}") from error


def _special_days(wire: DoorConfigured) -> SpecialDays:
    try:
        return {
            date.fromisoformat(one.day): None
            if one.counts_as == "holiday"
            else WEEKDAYS.index(HolidayRule(one.counts_as))
            for one in wire.days
        }
    except ValueError as error:
        raise MalformedMessage(f"a day of the calendar: {error}") from error


def _pass_trust(rules: PassRules) -> PassTrust:
    if not rules.root:
        return NO_PASSES
    certificates = [(one.certificate, one.signature) for one in rules.certificates]
    try:
        return PassTrust.of(rules.community, rules.root, certificates, rules.revoked)
    except CertificateRefused as error:
        raise MalformedMessage(f"a pass key: {error}") from error


def _matrix(data: bytes) -> NDArray[np.float32] | None:
    if not data:
        return None
    if len(data) % 4:
        raise MalformedMessage("the matrix is not made of 32-bit numbers")
    numbers = np.frombuffer(data, "<f4")
    dimension = isqrt(numbers.size)
    if dimension * dimension != numbers.size:
        raise MalformedMessage("the matrix is not square")
    matrix = numbers.reshape(dimension, dimension).astype(np.float32)
    error = np.abs(matrix @ matrix.T - np.eye(dimension)).max()
    # Written so that a NaN fails it too.
    if not error <= _ORTHONORMAL_TOLERANCE:
        raise MalformedMessage("the matrix is not orthonormal")
    return matrix


class ConfigurationStore:
    """The configuration in force; like the roster, memory follows what the database holds."""

    def __init__(self, engine: Engine, key: DeviceKey, door: str) -> None:
        """Load what is stored.

        Raises:
            SecretDamaged: it was sealed under another key.
        """
        self._engine = engine
        self._key = key
        self._door = door
        self.current: Configuration | None = None
        self.on_change: Callable[[], None] = _nothing
        self.load()

    def load(self) -> None:
        """Read what is stored, as soon as the door's key is here.

        Raises:
            SecretDamaged: it was sealed under another key.
        """
        if self._key.here:
            self._refresh()

    def take(self, session: Session, wire: DoorConfigured) -> None:
        """Store a new configuration in the caller's transaction.

        Raises:
            MalformedMessage: it makes no sense; the old one stays.
        """
        Configuration.of(wire)
        sealed = self._key.seal(ESTATE.encode(wire), "configuration", self._door)
        session.merge(ConfigurationRow(row=THE_ONLY_ROW, sealed=sealed))
        session.flush()
        once_ended(session, self._refresh)

    def _refresh(self) -> None:
        with Session(reading(self._engine)) as session:
            row = session.get(ConfigurationRow, THE_ONLY_ROW)
        if row is not None:
            body = self._key.open_sealed(row.sealed, "configuration", self._door)
            self.current = Configuration.of(read(DoorConfigured, body))
            self.on_change()


def _nothing() -> None:
    """Stand in until somebody wants to hear of changes."""
