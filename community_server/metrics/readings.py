"""What is read off when somebody asks: doors, queues, copies, room on the disk.

Doors' health is what they sent last, from memory. The few things that only the database knows are
counted along indexes, and not again for `FRESH_S`, so that asking often costs nothing.
"""

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock
from typing import Final

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from access_rules.alarms import AlarmKind
from community_server.alarms.tables import Alarm
from community_server.backups.making import find_note
from community_server.doors.tables import Door
from community_server.doors.watch import Seen
from community_server.estate import Estate
from community_server.intake.tables import Enrollment
from community_server.messages.tables import MESSAGES
from community_server.setup.community import find_community
from community_server.standby.queries import find_standby
from community_server.standby.tables import Standby
from community_server.webhooks.tables import Delivery
from tier_kit.metrics import gauge, known
from tier_link.estate_messages import DoorPresence

FRESH_S: Final = 10.0
"""For so long what was counted in the database is answered again."""
_KINDS: Final = frozenset(AlarmKind)

Reading = Callable[[DoorPresence], float | None]


def _camera_ok(presence: DoorPresence) -> float:
    return float(presence.camera in {"", "camera-none"})


_OF_DOORS: Final[tuple[tuple[str, str, Reading], ...]] = (
    ("camera_ok", "1 while the camera delivers, or none is wanted.", _camera_ok),
    ("vision_ok", "1 while faces can be recognised.", lambda p: float(not p.vision)),
    ("gate_ok", "1 unless the gate did not obey at the last opening.", lambda p: float(not p.gate)),
    ("time_known", "1 while the door knows what time it is.", lambda p: float(p.time_known)),
    ("locked_down", "1 while it lets nobody in.", lambda p: float(p.locked_down)),
    ("unsent_entries", "Entries that this server has not acknowledged.", lambda p: float(p.queue)),
    (
        "decision_seconds",
        "Median of the last decisions by face, frame to gate; absent without any.",
        lambda p: p.decision_ms / 1000 if p.decisions else None,
    ),
    ("detect_seconds", "Detecting faces in one picture.", lambda p: p.detect_ms / 1000),
    ("encode_seconds", "Encoding one face.", lambda p: p.encode_ms / 1000),
    ("disk_free_bytes", "Free where the door keeps its entries.", lambda p: p.disk_free),
    ("temperature_celsius", "The warmest of its parts.", lambda p: p.temperature_c),
    ("uptime_seconds", "Since its controller started.", lambda p: p.uptime_s),
)


@dataclass(frozen=True)
class _Counted:
    """What the database was asked for."""

    doors: tuple[str, ...]
    outboxes: dict[str, int]
    deliveries: int
    messages: int
    enrollments: int
    alarms: dict[tuple[str, str], int]
    backup_at: int
    kit_checked: bool
    standby: tuple[int, int] | None
    """When the standby was last heard (Unix), and by how many seconds its replica lagged then."""


@dataclass(eq=False)
class Readings(Collector):
    """A collector of one estate's gauges."""

    estate: Estate
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock, init=False)
    _counted: _Counted | None = field(default=None, init=False)
    _counted_at: float = field(default=0.0, init=False)

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield all gauges as they stand.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: the database does not answer.
        """
        counted = self._count()
        yield from self._doors(counted)
        yield from self._queues(counted)
        yield from self._server(counted)

    def _doors(self, counted: _Counted) -> Iterator[GaugeMetricFamily]:
        connected = _by_door("connected", "1 while its link is up.")
        in_step = _by_door("roster_in_step", "1 while it holds the roster it ought to.")
        age = _by_door("presence_age_seconds", "Since it last said how it is.")
        info = _by_door("info", "What it runs.", ("software", "mode", "model_pack"))
        families = [_by_door(name, help_) for name, help_, _ in _OF_DOORS]
        for door in counted.doors:
            seen = self.estate.watch.find(door)
            up = self.estate.doors.link(door) is not None
            connected.add_metric((door,), float(up))
            in_step.add_metric((door,), float(up and seen is not None and seen.in_step))
            if seen is not None:
                age.add_metric((door,), max(0.0, self.clock() - seen.at))
                _read_presence(door, seen, families)
                said = seen.presence
                info.add_metric((door, said.software, said.mode, said.model_pack), 1)
        yield from (connected, in_step, age, info, *families)

    def _queues(self, counted: _Counted) -> Iterator[GaugeMetricFamily]:
        waiting = GaugeMetricFamily(
            "gatehouse_outbox_records",
            "Records that a door or the cloud has not acknowledged.",
            labels=("peer",),
        )
        cloud = sum(count for peer, count in counted.outboxes.items() if peer not in counted.doors)
        waiting.add_metric(("cloud",), cloud)
        for door in counted.doors:
            waiting.add_metric((door,), counted.outboxes.get(door, 0))
        yield waiting
        yield gauge(
            "gatehouse_webhook_deliveries_waiting",
            "Events that other systems have not taken.",
            counted.deliveries,
        )
        yield gauge(
            "gatehouse_messages_waiting", "Mails and text messages not sent yet.", counted.messages
        )
        yield gauge(
            "gatehouse_enrollments_waiting",
            "Enrollments that wait for the desk.",
            counted.enrollments,
        )
        alarms = GaugeMetricFamily(
            "gatehouse_alarms_open",
            "Alarms that go on, or that nobody has taken notice of.",
            labels=("kind", "severity"),
        )
        for labels, count in counted.alarms.items():
            alarms.add_metric(labels, count)
        yield alarms

    def _server(self, counted: _Counted) -> Iterator[GaugeMetricFamily]:
        estate = self.estate
        yield gauge(
            "gatehouse_cloud_connected",
            "1 while the link to the cloud is up.",
            float(estate.cloud.link is not None),
        )
        yield gauge("gatehouse_faces", "Faces in the gallery.", len(estate.gallery))
        yield gauge(
            "gatehouse_ledger_awaited",
            "1 while a server that was put back waits for the ledger and does not serve.",
            float(not estate.gate.is_open),
        )
        yield gauge(
            "gatehouse_backup_last_success_timestamp_seconds",
            "When the last backup was made (Unix); 0 for never.",
            counted.backup_at,
        )
        yield gauge(
            "gatehouse_recovery_kit_checked",
            "1 once somebody has tried the recovery kit.",
            float(counted.kit_checked),
        )
        yield from _standby(counted.standby)
        yield gauge(
            "gatehouse_disk_free_bytes",
            "Free where the server keeps its data.",
            shutil.disk_usage(estate.settings.data).free,
        )

    def _count(self) -> _Counted:
        with self._lock:
            if self._counted is None or self.clock() - self._counted_at >= FRESH_S:
                with self.estate.reading() as session:
                    self._counted = _ask(self.estate, session)
                self._counted_at = self.clock()
            return self._counted


def _by_door(name: str, help_: str, more: tuple[str, ...] = ()) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"gatehouse_door_{name}", help_, labels=("door", *more))


def _read_presence(door: str, seen: Seen, families: list[GaugeMetricFamily]) -> None:
    for family, (_, _, read) in zip(families, _OF_DOORS, strict=True):
        value = read(seen.presence)
        if value is not None:
            family.add_metric((door,), value)


def _ask(estate: Estate, session: Session) -> _Counted:
    doors = session.scalars(select(Door.id).where(Door.state == "paired").order_by(Door.id))
    community, note = find_community(session), find_note(session)
    waiting = or_(Alarm.cleared_at == 0, Alarm.acknowledged_at == 0)  # as the index has it
    open_alarms = (
        select(Alarm.kind, Alarm.severity, func.count())
        .where(waiting)
        .group_by(Alarm.kind, Alarm.severity)
    )
    alarms: dict[tuple[str, str], int] = {}
    for kind, severity, count in session.execute(open_alarms):
        labels = (known(kind, _KINDS), severity)
        alarms[labels] = alarms.get(labels, 0) + count
    return _Counted(
        doors=tuple(doors),
        outboxes=estate.links.all_waiting(session),
        deliveries=_rows(session, Delivery.state == "waiting"),
        messages=sum(_rows(session, one.state == "queued") for one in MESSAGES),
        enrollments=_rows(session, Enrollment.state == "waiting"),
        alarms=alarms,
        backup_at=note.made_at if note else 0,
        kit_checked=bool(community and community.kit_checked_at),
        standby=_heard(find_standby(session)),
    )


def _heard(row: Standby | None) -> tuple[int, int] | None:
    return (row.heard_at, row.behind_s) if row is not None and row.node else None


def _standby(heard: tuple[int, int] | None) -> Iterator[GaugeMetricFamily]:
    if heard is not None:
        yield gauge(
            "gatehouse_standby_heard_timestamp_seconds",
            "When the standby last asked for the keys (Unix); absent without one.",
            heard[0],
        )
        yield gauge(
            "gatehouse_standby_behind_seconds",
            "By how much its replica lagged then; absent without one.",
            heard[1],
        )


def _rows(session: Session, condition: ColumnElement[bool]) -> int:
    return session.scalar(select(func.count()).where(condition)) or 0
