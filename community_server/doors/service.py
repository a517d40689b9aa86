"""Doors: added, configured, revoked; and what each is told of its configuration."""

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal, cast
from zoneinfo import ZoneInfo

import msgspec
import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select
from sqlalchemy.orm import Session

from community_server.access.groups import Groups, load_groups
from community_server.access.holidays import special_days
from community_server.alarms.service import end_alarms
from community_server.change import Change
from community_server.database import new_id, now
from community_server.doors.hours import every_day
from community_server.doors.tables import Door, RosterMember
from community_server.entries.forgetting import begin_anew
from community_server.errors import Conflict, InputRefused, NotFound
from community_server.intake.consents import load_renewal_texts
from community_server.keys.certified import pass_certificates
from community_server.keys.door_keys import forget_door_key
from community_server.keys.root import root_key
from community_server.lockdown.service import tell
from community_server.passes.queries import revoked_passes
from community_server.rosters.news import Rosters, lock_paired_doors
from community_server.setup.community import find_community
from community_server.thresholds import Thresholds
from face_engine.errors import PackUnknown
from face_engine.models.registry import InsightFacePack, pack_named
from face_engine.self_calibration import steadied
from tier_link.certificates import root_public_bytes
from tier_link.estate_messages import (
    ESTATE,
    Direction,
    DoorConfigured,
    LeaseHours,
    LivenessPolicy,
    Looking,
    Mode,
    PassRules,
    SpecialDay,
    Zone,
)
from tier_link.relay_messages import ConsentText
from tier_link.store import LinkStore

MAX_NAME = 64

_VISITOR_LEASE_HOURS: Final = 12
"""A visit ends on time in any case."""
_SERVICE_LEASE_HOURS: Final = 24


@dataclass(frozen=True)
class Told:
    """What the estate tells all of its doors: passes, access groups, and special days."""

    passes: PassRules
    groups: Groups
    days: tuple[SpecialDay, ...]


@dataclass(frozen=True)
class Configurer:
    """Makes each door's configuration: its own settings and what the estate's models ask for."""

    links: LinkStore
    rosters: Rosters
    thresholds: Thresholds
    matrix: NDArray[np.float32] = field(repr=False)
    space: str
    time_zone: str
    demand_when_unsupported: bool
    former: str = ""
    model_pack: str = ""
    resident_lease_days: int = 7
    card_key: bytes = field(default=b"", repr=False)

    def configuration(self, door: Door, told: Told) -> DoorConfigured:
        """Return what a door is told."""
        threshold = self._threshold(door)
        return DoorConfigured(
            name=door.name,
            mode=cast("Mode", door.mode),
            direction=cast("Direction", door.direction),
            template_space=self.space,
            matrix=np.asarray(self.matrix, "<f4").tobytes(),
            threshold=threshold,
            lease_hours=self.leases,
            zone=Zone(door.min_face_px, door.dwell_ms, door.max_yaw_deg, door.cooldown_s),
            frames=door.frames,
            gate_open_s=door.gate_open_s,
            pin_allowed=door.pin_allowed,
            time_zone=self.time_zone,
            face_needs_second=self.demands_second(door),
            ask_unknown=bool(self.former),
            liveness=cast("LivenessPolicy", door.liveness),
            pass_allowed=door.pass_allowed,
            passes=told.passes,
            held_open_s=door.held_open_s,
            reset_pin=door.reset_pin,
            model_pack=self.model_pack,
            renewal=self._renewal,
            card_allowed=door.card_allowed,
            card_key=self.card_key,
            face_needs_presence=door.face_needs_presence,
            looking=Looking(
                hours=every_day(door.looks_from, door.looks_until),
                outside=cast("Literal['slow', 'off']", door.looks_outside),
                rate=door.looks_rate,
            ),
            groups=told.groups.hours_at(door.id),
            days=told.days,
            snapshots=door.snapshots,
        )

    @property
    def leases(self) -> LeaseHours:
        """For how long doors go on without news, by category."""
        return LeaseHours(24 * self.resident_lease_days, _VISITOR_LEASE_HOURS, _SERVICE_LEASE_HOURS)

    def send(self, change: Change, door: Door) -> None:
        """Put a door's configuration into its outbox."""
        self._send(change, door, self._told(change.session))

    def _send(self, change: Change, door: Door, told: Told) -> None:
        message = self.configuration(door, told)
        door.passes_told = self._digest(door, told)
        door.threshold, door.second_told = message.threshold, message.face_needs_second
        door.spaces_told = self._spaces
        self.links.put(change.session, door.id, ESTATE.kind(message), ESTATE.encode(message))
        change.wake(door.id)

    def send_due(self, change: Change) -> None:
        """Tell doors whose threshold no longer fits what is known, or whose templates the model."""
        told = self._told(change.session)
        for door in lock_paired_doors(change.session):
            wanted = (self._threshold(door), self.demands_second(door), self._digest(door, told))
            if door.spaces_told != self._spaces:
                self._send(change, door, told)
                self.rosters.send_snapshot(change, door)
            elif (door.threshold, door.second_told, door.passes_told) != wanted:
                self._send(change, door, told)

    def tell_doors(self, change: Change) -> None:
        """Tell doors what this change made of the passes, groups and days that they know."""
        if not change.reconfigured:
            return
        change.session.flush()
        told = self._told(change.session)
        for door in lock_paired_doors(change.session):
            if door.passes_told != self._digest(door, told):
                self._send(change, door, told)

    def _told(self, session: Session) -> Told:
        yesterday = datetime.fromtimestamp(now(), ZoneInfo(self.time_zone)).date() - timedelta(1)
        return Told(
            self._pass_rules(session), load_groups(session), special_days(session, yesterday)
        )

    def _pass_rules(self, session: Session) -> PassRules:
        community, moment = find_community(session), now()
        if community is None:
            return PassRules()
        return PassRules(
            community=community.slug,
            root=root_public_bytes(root_key(session, self.rosters.safe)),
            certificates=pass_certificates(session, moment),
            revoked=revoked_passes(session, moment),
        )

    @property
    def _renewal(self) -> tuple[ConsentText, ...]:
        return load_renewal_texts() if self.former else ()

    def _digest(self, door: Door, told: Told) -> str:
        estate = (told.passes, self.model_pack, self._renewal, self.resident_lease_days)
        access = (told.groups.hours_at(door.id), told.days)
        return hashlib.sha256(msgspec.msgpack.encode((estate, access))).hexdigest()

    @property
    def _spaces(self) -> str:
        return f"{self.space} {self.former}".rstrip()

    def demands_second(self, door: Door) -> bool:
        """Say whether a face alone is not enough at a door: by staff's word, or for want of data.

        Without PINs there is no second credential yet, and nothing is demanded.
        """
        unshown = self.demand_when_unsupported and not self.thresholds.of(door.id).supported
        return door.pin_allowed and (door.face_needs_second or unshown)

    def _threshold(self, door: Door) -> float:
        return steadied(door.threshold, self.thresholds.of(door.id).value)

    def welcome(self, change: Change, door: Door, public_key: bytes) -> None:
        """Note a terminal as a door's, and put all it needs into its outbox."""
        self.links.forget_peer(change.session, door.id)
        forget_door_key(change.session, door.id)
        begin_anew(change.session, door.id)
        door.public_key, door.state, door.paired_at = public_key, "paired", now()
        end_alarms(change.session, door.id)  # of the terminal before; the new one tells its own
        door.lockdown, door.locked_down = 0, False
        change.session.flush()
        tell(change, self.links, door.id)
        self.send(change, door)
        self.rosters.send_snapshot(change, door)


def named_pack(setting: str) -> str:
    """Return the pack that doors are to load, empty where it is a folder of this machine."""
    try:
        pack = pack_named(setting)
    except PackUnknown:
        return ""
    return "" if isinstance(pack, InsightFacePack) and pack.folder else pack.name


def add_door(session: Session, name: str, direction: str) -> str:
    """Add a door; return its id.

    Raises:
        InputRefused: `name-missing`.
    """
    named = name.strip()
    if not named or len(named) > MAX_NAME:
        raise InputRefused("a door has a name", field="name", code="name-missing")
    door = Door(id=new_id(), name=named, direction=direction, created_at=now())
    session.add(door)
    session.flush()
    return door.id


def get_door(session: Session, door: str, *, lock: bool = False) -> Door:
    """Return one door.

    Raises:
        NotFound: `door-unknown`.
    """
    row = session.get(Door, door, with_for_update={"key_share": True} if lock else None)
    if row is None:
        raise NotFound("no such door", code="door-unknown")
    return row


def living_door(session: Session, door: str) -> Door:
    """Return one door that has not been revoked, locked.

    Raises:
        NotFound: `door-unknown`.
        Conflict: `door-revoked`.
    """
    row = get_door(session, door, lock=True)
    if row.state == "revoked":
        raise Conflict("this door was revoked", code="door-revoked")
    return row


def list_doors(session: Session) -> list[Door]:
    """Return the doors that were not revoked, by name."""
    return list(
        session.scalars(select(Door).where(Door.state != "revoked").order_by(Door.name, Door.id))
    )


def revoke_door(change: Change, links: LinkStore, door: str) -> None:
    """Take a terminal's rights away for good; its link is refused from now on.

    Raises:
        NotFound: `door-unknown`.
    """
    session = change.session
    row = get_door(session, door, lock=True)
    row.state, row.public_key = "revoked", None
    forget_door_key(session, door)
    links.forget_peer(session, door)
    end_alarms(session, door)
    for member in session.scalars(select(RosterMember).where(RosterMember.door_id == door)):
        session.delete(member)
    change.record("door-revoked", door)
    change.wipe()
