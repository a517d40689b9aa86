"""All parts of the controller, put together; no loop runs here."""

import logging
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from importlib.metadata import version
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from access_rules.decision import DecisionReason, LivenessPolicy, Shown
from access_rules.leases import LONGEST_LEASE_HOURS
from access_rules.people import Credential, Direction
from door_terminal.alarms import AlarmLog
from door_terminal.audit_copy import AuditCopy
from door_terminal.calls import CallDesk
from door_terminal.card_reader.sources import ReaderWiring, open_reader
from door_terminal.card_reader.watch import ReaderWatch
from door_terminal.clock import ClockRecord, EffectiveClock, Machine
from door_terminal.clock_store import load_clock, save_clock
from door_terminal.configuration import ConfigurationStore
from door_terminal.credentials.backoff import Backoff
from door_terminal.credentials.cards import CardDesk
from door_terminal.credentials.passes import PassDesk
from door_terminal.credentials.pins import PinCheck, PinChecker
from door_terminal.database import open_door_database
from door_terminal.decisions.decider import Decider, Outcome
from door_terminal.decisions.faces import FaceDesk
from door_terminal.decisions.margins import MarginBook
from door_terminal.decisions.other_scores import OtherScores
from door_terminal.decisions.recognition import Recogniser
from door_terminal.decisions.remote_opening import RemoteOpenings
from door_terminal.decisions.renewal import RenewalDesk
from door_terminal.device_keys import DeviceKey
from door_terminal.entries import EntryLog
from door_terminal.errors import SecretDamaged
from door_terminal.gate import Gate, Opening, open_gate
from door_terminal.gate.watched import WatchedGate
from door_terminal.health import Latency, ModeWatch, disk_free, temperature
from door_terminal.identity import Pairing
from door_terminal.key_custody import KeyCustody
from door_terminal.live_view import LiveView, Mark
from door_terminal.lockdown import LockdownStore
from door_terminal.looking import AS_EVER, OFF, SLOW, looking_at
from door_terminal.probe import Speed, choose_mode
from door_terminal.reserve import Reserve, keep_ballast, release_ballast
from door_terminal.roster import Roster, as_person
from door_terminal.self_check import SelfCheck
from door_terminal.sensors.choice import open_inputs
from door_terminal.sensors.desk import SensorDesk
from door_terminal.server_addresses import ServerAddresses
from door_terminal.settings import Mode, Settings
from door_terminal.snapshots import SnapshotSender
from door_terminal.uplink import Uplink
from door_terminal.vision.messages import Answer, PassSeen, Show, Sighting, Unclear, Watch
from door_terminal.vision.plan_store import keep_plan, load_plan
from door_terminal.vision.supervisor import VisionSupervisor
from door_terminal.vision.trial import Look, Plan, Trial
from face_engine.liveness.challenge import TIME_S
from face_engine.models import DEFAULT_PACK
from tier_link.estate_messages import MAX_CALL_STILL, CallRinging, DoorPresence
from tier_link.store import LinkStore

_log = logging.getLogger(__name__)

KEEP_ACKNOWLEDGED: Final = timedelta(days=7)
"""So long a server restored from a backup gets entries again."""
PRESENCE_MISSING: Final = "presence-missing"
"""The estate wants a button or sensor before a face counts, and none is wired here."""
_SIGHTINGS_AT_ONCE: Final = 4  # one may wait for the server while the next is matched here
SOFTWARE: Final = version("gatehouse-access")


class Terminal:
    """A door's controller. Public attributes are its parts.

    `started` and `kept_at` are seconds of the monotonic clock: when it began, and when its
    housekeeping last came round.
    """

    def __init__(
        self,
        settings: Settings,
        pairing: Pairing,
        *,
        machine: Machine | None = None,
        gate: Gate | None = None,
    ) -> None:
        """Open everything that a decision needs.

        Raises:
            StartRefused: the data folder or the settings cannot be used.
            SecretDamaged: the data belongs to another device key.
        """
        self.settings = settings
        self.pairing = pairing
        self.started = self.kept_at = time.monotonic()
        folder = settings.data
        key = DeviceKey() if pairing.custody == "confidential" else DeviceKey.open(folder)
        # Whether what is stored could be read: not before a confidential door's key has come.
        self.knows = key.here
        release_ballast(folder)
        self.engine = open_door_database(settings.database_url)
        keep_ballast(folder)
        machine = machine or Machine.here()
        self.clock = EffectiveClock(
            load_clock(self.engine),
            machine,
            longest_lease_s=self._longest_lease_s,
            keep=self._keep_clock,
        )
        self.configuration = ConfigurationStore(self.engine, key, pairing.door)
        self.roster = Roster(self.engine, key, pairing.door)
        self.lockdown = LockdownStore(self.engine, pairing.server)
        self.store = LinkStore(
            self.engine, keep_acknowledged=KEEP_ACKNOWLEDGED, clock=self._link_time
        )
        self.reserve = Reserve(folder / "reserve")
        self.reserve.open()
        self.entries = EntryLog(self.engine, self.store, pairing.server, self.clock, self.reserve)
        self.uplink = Uplink(
            engine=self.engine,
            roster=self.roster,
            configuration=self.configuration,
            clock=self.clock,
            lockdown=self.lockdown,
            audit=AuditCopy(self.engine, pairing.server),
            end_fire=self._end_fire,
            openings=lambda: self.openings,
            key=key,
            custody=KeyCustody(key, self._key_arrived),
            calls=lambda: self.calls,
            addresses=ServerAddresses(folder),
        )
        self.alarms = AlarmLog(
            self.engine, self.store, pairing.server, self.clock, self.uplink.wake
        )
        self.other_scores = OtherScores(self.engine)
        self.margins = MarginBook(self.engine, key, pairing.door, lambda: self.roster.book.people)
        self.last: Outcome | None = None
        self.latency = Latency()
        self._mode_watch = ModeWatch()
        self._looked = AS_EVER  # as vision was last told by the hour
        self.outcomes = 0
        self._turns: dict[int, tuple[str, float]] = {}  # by track, with its end
        self.gate = ""
        """Empty, or the code of what kept the gate from opening when it was last asked."""
        self._wiring = WatchedGate(gate or open_gate(settings), self._released)
        self.sensors = SensorDesk(
            open_inputs(settings),
            steady_s=settings.input_debounce_ms / 1000,
            configuration=lambda: self.configuration.current,
            entries=self.entries,
            alarms=self.alarms,
            gate=self._wiring,
            publish=self._published,
            called=self._ring,
            wanted=self._wanting_changed,
        )
        self.check = SelfCheck(
            folder,
            self.alarms,
            camera=lambda: self.camera,
            filled=self.entries.filled,
            card_reader=lambda: self.card_reader,
        )
        self.decider = Decider(
            configuration=lambda: self.configuration.current,
            clock=self.clock,
            entries=self.entries,
            gate=self._wiring,
            publish=self._decided,
            locked_down=lambda: self.lockdown.current.active,
            key_here=lambda: self.knows,
        )
        self.openings = RemoteOpenings(self.decider, machine.since_boot)
        self.calls = CallDesk(
            entries=self.entries,
            alarms=self.alarms,
            direction=self._direction,
            connected=lambda: self.uplink.link is not None,
            woken=self.uplink.wake,
        )
        backoff = Backoff(self.engine, self.clock.powered_s())
        self.pins = PinChecker(lambda: self.roster.book, backoff, self.clock)
        self.reader = self._open_reader(backoff)
        self.passes = PassDesk(
            door=pairing.door,
            book=lambda: self.roster.book,
            configuration=lambda: self.configuration.current,
            clock=self.clock,
            decider=self.decider,
        )
        self.renewals = RenewalDesk(
            configuration=lambda: self.configuration.current, link=lambda: self.uplink.link
        )
        self.snapshots = SnapshotSender(
            configuration=lambda: self.configuration.current, link=lambda: self.uplink.link
        )
        self._sightings = ThreadPoolExecutor(_SIGHTINGS_AT_ONCE, thread_name_prefix="sighting")
        # Apart, so that no face which waits for the server keeps a pass waiting.
        self._codes = ThreadPoolExecutor(1, thread_name_prefix="pass")
        self.live = LiveView(self._show)
        self.vision = VisionSupervisor(
            settings,
            Trial(
                self._plan(),
                load_plan(self.engine),
                settings.model_pack or DEFAULT_PACK,
                self._keep_plan,
            ),
            watch=self._watch,
            found=self._found,
            read=self._read,
            saw=self.sensors.saw,
            showed=self.live.take,
        )
        self.configuration.on_change = lambda: self.vision.want(self._plan())
        recogniser = Recogniser(
            book=lambda: self.roster.book,
            configuration=lambda: self.configuration.current,
            space=lambda: self.vision.ready.template_space if self.vision.ready else "",
            link=lambda: self.uplink.link,
            encode=self.vision.encode,
            count=self.other_scores.note,
            margin=self.margins.note,
        )
        self.faces = FaceDesk(
            recogniser=recogniser,
            decider=self.decider,
            configuration=lambda: self.configuration.current,
            mode=self.mode,
            hold=self.renewals.hold,
            wanted=lambda at_ns: self.wanted(at_ns / 1e9),
        )

    def mode(self) -> Mode:
        """Return where faces are matched: the installer's word, the server's, or by speed."""
        current = self.configuration.current
        wanted = self.settings.mode or (current.wire.mode if current else "auto")
        return choose_mode(wanted, self._speed(), current.wire.frames if current else 1)

    @property
    def needs_presence(self) -> bool:
        """Whether a face counts here only where somebody has shown that they want in."""
        current = self.configuration.current
        return current is not None and current.wire.face_needs_presence

    def wanted(self, at: float) -> bool:
        """Say whether a face seen at this time (seconds, monotonic) counts."""
        return not self.needs_presence or self.sensors.wanting.covers(at)

    def enter_pin(self, unit: str, pin: str) -> tuple[Outcome, PinCheck]:
        """Check a PIN and take it to its end; on a worker thread, since it takes its time."""
        typed_ns = time.monotonic_ns()
        current = self.configuration.current
        if not self.knows:
            # No PIN is looked at, so none counts as wrong.
            check = PinCheck(None, DecisionReason.KEY_AWAITED)
        elif current is not None and Credential.PIN not in current.rules.accepts:
            check = PinCheck(None, DecisionReason.CREDENTIAL_NOT_ACCEPTED)
        else:
            check = self.pins.check(unit, pin)
        person = as_person(check.person) if check.person else None
        shown = Shown(Credential.PIN, person, check.problem)
        outcome = self.decider.attempt(shown, needed_ns=typed_ns)
        if outcome.reason is DecisionReason.LOCKED_DOWN:
            check = PinCheck(check.person)  # no other try would open either
        return outcome, check

    def end_fire(self, pin: str) -> PinCheck:
        """Take the staff's PIN for the end of a fire release; on a worker thread.

        Raises:
            ResetRefused: the fire input is still on, or there is no release; no PIN is looked at.
        """
        self.sensors.fire.may_reset()
        current = self.configuration.current
        check = self.pins.check_staff(pin, current.wire.reset_pin if current else "")
        if check.problem is None:
            self.sensors.fire.reset("")
        return check

    def tell_call(self) -> bool:
        """Tell the server of a call that rings, with what the camera sees; say whether one does."""
        call = self.calls.ringing
        if call is None:
            return False
        heartbeat = self.vision.heartbeat
        if self.camera or heartbeat is None or heartbeat.watching:
            self.calls.notice()
        self.live.want(resting=True)
        view = self.live.newest()
        still = view.preview.jpeg if view else b""
        if len(still) > MAX_CALL_STILL:
            still = b""
        self.uplink.publish(CallRinging(call.id, round(self.calls.rung_s(call) * 1000), still))
        return True

    def tell_scores(self) -> None:
        """Tell the server how alike others look here, and whose face fits less and less."""
        current = self.configuration.current
        if current is not None:
            space = current.wire.template_space
            self.uplink.publish(self.other_scores.message(space))
            self.uplink.publish(self.margins.message(space))

    def save_scores(self) -> None:
        """Store what recognition has learned."""
        self.other_scores.save()
        self.margins.save()

    def presence(self) -> DoorPresence:
        """Return how this door is; asks the database, once whoever has left is gone from it."""
        self.roster.wipe()
        book, current, speed = self.roster.book, self.configuration.current, self._speed()
        mode = self.mode()
        decision_ms, decisions = self.latency.median()
        return DoorPresence(
            roster_version=book.version,
            roster_hash=book.digest,
            mode=mode,
            template_space=current.wire.template_space if current else "",
            software=SOFTWARE,
            camera=self.camera,
            uptime_s=time.monotonic() - self.started,
            queue=self.entries.unsent(),
            detect_ms=speed.detect_ms if speed else 0.0,
            encode_ms=speed.encode_ms if speed else 0.0,
            time_known=self.clock.known,
            gate=self.gate,
            vision=self._vision_trouble() if self.settings.camera else "",
            model_pack=self.vision.pack,
            lockdown=self.lockdown.current.number,
            locked_down=self.lockdown.current.active,
            mode_for_s=self._mode_watch.note(mode, speed),
            decision_ms=decision_ms,
            decisions=decisions,
            disk_free=disk_free(self.settings.data),
            temperature_c=temperature(),
            looking=self.looking,
            audit_count=self.uplink.audit.current.count,
            audit_head=self.uplink.audit.current.head,
        )

    @property
    def looking(self) -> str:
        """Empty while faces are looked for as ever; outside of the door's hours `slow` or `off`."""
        current = self.configuration.current
        return looking_at(current, self.clock.moment().unix) if current else AS_EVER

    def follow_hours(self) -> None:
        """Tell vision when the hours of looking begin or end; on the controller's loop."""
        looking = self.looking
        if looking != self._looked:
            self._looked = looking
            self.vision.rewatch()

    @property
    def card_reader(self) -> str:
        """Empty while the card reader is there, or none is wanted, else why it is not."""
        return self.reader.state if self.reader else ""

    @property
    def slow(self) -> bool:
        """Whether a terminal that is too weak for it matches by itself: its server is away."""
        return self.mode() == "remote" and self.uplink.link is None

    @property
    def camera(self) -> str:
        """Empty while the camera delivers, else why it does not."""
        return self.vision.camera if self.settings.camera else "camera-none"

    def save_clock(self) -> None:
        """Store the clock's count; a disk that cannot take it costs at most one interval."""
        self._keep_clock(self.clock.record())

    def _keep_clock(self, record: ClockRecord) -> None:
        try:
            save_clock(self.engine, record)
        except SQLAlchemyError as error:
            _log.warning("the clock could not be stored: %s", type(error).__name__)

    def close(self) -> None:
        """Finish what is under way and let everything go."""
        self._sightings.shutdown(wait=True, cancel_futures=True)
        self._codes.shutdown(wait=True, cancel_futures=True)
        self.snapshots.close()
        self.sensors.stop()
        if self.reader:
            self.reader.stop()
        self.save_clock()
        self.save_scores()
        self._wiring.close()
        self.reserve.close()
        self.engine.dispose()

    def _open_reader(self, backoff: Backoff) -> ReaderWatch | None:
        """Return what reads cards here, not begun yet.

        Raises:
            StartRefused: the setting names no reader.
        """
        if not self.settings.card_reader:
            return None
        wiring = ReaderWiring.parse(self.settings.card_reader)
        desk = CardDesk(
            hexadecimal=wiring.hexadecimal,
            book=lambda: self.roster.book,
            configuration=lambda: self.configuration.current,
            clock=self.clock,
            decider=self.decider,
            backoff=backoff,
        )
        return ReaderWatch(lambda: open_reader(wiring), desk.read)

    def _key_arrived(self) -> None:
        """Read what is stored, now that it can be opened."""
        try:
            self.configuration.load()
        except SecretDamaged:
            # Paired anew, the server sends all again; else it is another estate's key.
            _log.exception("the configuration is of another key")
        self.roster.load()
        self.margins.load()
        self.knows = True  # from here on alone is a PIN that names nobody a wrong one

    def _direction(self) -> Direction:
        current = self.configuration.current
        return current.rules.direction if current else Direction.BOTH

    def _link_time(self) -> float:
        moment = self.clock.moment()
        return float(moment.floor if moment.unix is None else moment.unix)

    def _longest_lease_s(self) -> int:
        current = self.configuration.current
        return current.rules.leases.longest_seconds if current else LONGEST_LEASE_HOURS * 3600

    def _speed(self) -> Speed | None:
        ready = self.vision.ready
        return Speed(ready.detect_ms, ready.encode_ms) if ready else None

    def _vision_trouble(self) -> str:
        vision = self.vision
        blind = self.needs_presence and not self.sensors.feels_presence
        missing = PRESENCE_MISSING if blind else ""
        return vision.state or missing or vision.trial.problem or vision.liveness

    def _plan(self) -> Plan:
        """Return what vision ought to run with by the newest configuration."""
        current = self.configuration.current
        fixed = self.settings.model_pack
        if current is None:
            return Plan(fixed or DEFAULT_PACK)
        wire = current.wire
        look = Look(
            min_face_px=wire.zone.min_face_px,
            dwell_ms=wire.zone.dwell_ms,
            max_yaw_deg=wire.zone.max_yaw_deg,
            frames=wire.frames,
            liveness=current.rules.liveness is not LivenessPolicy.OFF,
            passes=Credential.PASS in current.rules.accepts,
        )
        return Plan(fixed or wire.model_pack or DEFAULT_PACK, look)

    def _keep_plan(self, plan: Plan) -> None:
        self._sightings.submit(keep_plan, self.engine, plan)

    def _watch(self) -> Watch | None:
        current, look = self.configuration.current, self.vision.trial.plan.look
        if current is None or look is None:
            return None
        mode, looking, rates = self.mode(), self.looking, current.wire.looking
        ready = self.vision.ready
        outdated = ready is not None and ready.template_space != current.wire.template_space
        return Watch(
            min_face_px=look.min_face_px,
            dwell_ms=look.dwell_ms,
            max_yaw_deg=look.max_yaw_deg,
            frames=look.frames,
            encode=mode != "remote",
            crops=mode != "local" or current.wire.ask_unknown or outdated,
            attempts=current.wire.attempts,
            liveness=look.liveness,
            passes=look.passes,
            wanted=looking != OFF and self.wanted(time.monotonic()),
            rate=rates.slow_rate if looking == SLOW else rates.rate,
            snapshot=current.wire.snapshots,
        )

    def _wanting_changed(self) -> None:
        if self.needs_presence:
            self.vision.rewatch()

    def _found(self, found: Sighting | Unclear) -> None:
        self._sightings.submit(self._deal_with, found)

    def _read(self, seen: PassSeen) -> None:
        self._codes.submit(self._take_code, seen)

    def _take_code(self, seen: PassSeen) -> None:
        try:
            self.passes.seen(seen)
        except Exception:  # noqa: BLE001 - logged; a fault in one must not silence the next
            _log.exception("a pass was lost")

    def _deal_with(self, found: Sighting | Unclear) -> None:
        answer = Answer(found.sighting, settled=True)
        try:
            if isinstance(found, Sighting):
                verdict = self.faces.sighting(found)
                answer = Answer(found.sighting, verdict.settled, verdict.again_s, verdict.turn)
                self._mark(found.track, verdict.outcome)
                self.snapshots.decided(found, verdict.outcome)
                if verdict.turn or found.challenged:
                    self._ask(found.track, verdict.turn)
            else:
                self._ask(found.track, "")
                self._mark(found.track, self.faces.unclear(found))
        except Exception:  # noqa: BLE001 - logged; a fault in one must not silence the next
            _log.exception("a sighting was lost")
        self.vision.answer(answer)

    def _show(self, order: Show) -> None:
        self.vision.show(order)

    def _mark(self, track: int, outcome: Outcome | None) -> None:
        if outcome is None:
            return
        refused = Mark.REFUSED
        if outcome.reason is DecisionReason.SECOND_CREDENTIAL_NEEDED:
            refused = Mark.SECOND
        self.live.mark(track, Mark.GRANTED if outcome.granted else refused)

    def _ask(self, track: int, turn: str) -> None:
        self._turns.pop(track, None)
        if turn:
            self._turns[track] = turn, time.monotonic() + TIME_S

    @property
    def turn(self) -> str:
        """Which way somebody is being asked to turn (`left`, `right`); empty when nobody is."""
        now = time.monotonic()
        latest_first = reversed(list(self._turns.values()))
        return next((turn for turn, until in latest_first if now < until), "")

    def _released(self, opening: Opening) -> None:
        self.sensors.released(opening)

    def _ring(self) -> None:
        self.calls.ring()

    def _end_fire(self, staff: str) -> None:
        self.sensors.fire.reset(staff)

    def _decided(self, outcome: Outcome) -> None:
        self._published(outcome)
        self.renewals.decided(outcome)

    def _published(self, outcome: Outcome) -> None:
        self.outcomes += 1
        self.last = outcome
        if outcome.granted:
            self.gate = outcome.gate
        self.latency.note(outcome)
        self.sensors.decided(outcome)
        self.uplink.wake()
        _log.info(
            "decision granted=%s reason=%s credential=%s gate=%s entry=%s took_ms=%.0f",
            outcome.granted,
            outcome.reason.value,
            outcome.credential.value,
            outcome.gate or "-",
            outcome.entry or "-",
            (outcome.decided_ns - outcome.needed_ns) / 1e6,
        )
